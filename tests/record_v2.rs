//! Batches of format v2: what is written is read back, and is what the `kafka-protocol` crate writes and reads.

mod record_support;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as oracle;
use milena::record::control::ControlType;
use milena::record::*;
use proptest::prelude::*;
use record_support::*;

const STATE: ProducerState = ProducerState {
    producer_id: 4001,
    producer_epoch: 3,
    base_sequence: 77,
    transactional: true,
    control: false,
};

fn first_batch(region: Vec<u8>) -> Batch {
    BatchReader::new(Bytes::from(region), true).next().unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn round_trip(records in records(40), codec in codec(), base in 0i64..1 << 40) {
        let mut region = write(&records, codec, ProducerState::NONE);
        set_offset_and_epoch(&mut region, base, 9);
        prop_assert_eq!(read(&region).unwrap(), numbered(&records, base));
    }

    /// Many records of one kind, so that deltas and offsets grow through all their widths.
    #[test]
    fn many_alike_round_trip(count in 1usize..9000, step in -70_000i64..70_000, len in 0usize..70, key in any::<bool>()) {
        let records: Vec<Owned> = (0..count as i64)
            .map(|i| Owned::new(1_000_000_000 + i * step, key.then_some(&[i as u8]), Some(&vec![i as u8; len])))
            .collect();
        let region = write(&records, Compression::None, ProducerState::NONE);
        prop_assert!(read(&region).unwrap() == numbered(&records, 0));
    }

    #[test]
    fn sizes_are_exact(records in records(20)) {
        let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
        for record in &records {
            record.with_ref(|r| {
                let (before, size) = (builder.size(), builder.record_size(r));
                let all = before + size;
                assert!(record_size_upper_bound(r) >= size + BATCH_OVERHEAD);
                assert!(record_size_upper_bound(r) <= size + BATCH_OVERHEAD + 21);
                assert!(builder.has_room_for(r, all));
                if !builder.is_empty() {
                    assert!(!builder.has_room_for(r, all - 1));
                    assert_eq!(builder.append_with_offset(r, all - 1), Err(AppendError::Full));
                    assert_eq!(builder.size(), before);
                }
                builder.append_with_offset(r, all).unwrap();
                assert_eq!(builder.size(), all);
            });
        }
        let closed = builder.close(Compression::None, 0, &mut Compressor::new());
        prop_assert_eq!(closed.to_vec(ProducerState::NONE).len(), closed.size());
    }

    #[test]
    fn equal_to_the_oracle(mut records in records(30)) {
        // The oracle keeps headers in a map, takes the least timestamp as the base, and names are UTF-8.
        for r in &mut records {
            r.timestamp_ms = r.timestamp_ms.clamp(0, 1 << 45);
            for (i, (name, _)) in r.headers.iter_mut().enumerate() {
                *name = format!("name {i}").into_bytes();
            }
        }
        records[0].timestamp_ms = 0;
        let mut expected = BytesMut::new();
        let theirs: Vec<_> = records.iter().zip(0..).map(|(r, i)| to_oracle(r, i)).collect();
        let options = oracle::RecordEncodeOptions { version: 2, compression: oracle::Compression::None };
        oracle::RecordBatchEncoder::encode(&mut expected, &theirs, &options).unwrap();
        let ours = write(&records, Compression::None, STATE);
        prop_assert_eq!(&ours[..], &expected[..]);
        let back = oracle::RecordBatchDecoder::decode(&mut Bytes::from(ours)).unwrap();
        prop_assert_eq!(back.records, theirs);
    }
}

fn to_oracle(r: &Owned, i: i32) -> oracle::Record {
    let own = |b: &Vec<u8>| Bytes::from(b.clone());
    oracle::Record {
        transactional: STATE.transactional,
        control: STATE.control,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: STATE.producer_id,
        producer_epoch: STATE.producer_epoch,
        timestamp_type: oracle::TimestampType::Creation,
        offset: i64::from(i),
        sequence: STATE.base_sequence + i,
        timestamp: r.timestamp_ms,
        key: r.key.as_ref().map(own),
        value: r.value.as_ref().map(own),
        headers: r
            .headers
            .iter()
            .map(|(n, v)| (StrBytes::from(String::from_utf8(n.clone()).unwrap()), v.as_ref().map(own)))
            .collect(),
    }
}

#[test]
fn null_is_not_empty_and_header_names_repeat() {
    let records = vec![
        Owned::new(5, None, None),
        Owned::new(4, Some(b""), Some(b"")),
        Owned::new(6, Some(b"k"), None).header("h", None).header("h", Some(b"")).header("h", Some(b"x")),
        Owned::new(6, None, Some(b"v")).header("", None),
        Owned::new(-1, None, Some(b"v")),
    ];
    for codec in Compression::ALL {
        assert_eq!(read(&write(&records, codec, ProducerState::NONE)).unwrap(), numbered(&records, 0));
    }
}

#[test]
fn the_bytes_of_a_known_batch() {
    let mut region = write(
        &[Owned::new(1000, Some(b"k"), Some(b"hello")).header("a", Some(b"b"))],
        Compression::None,
        STATE,
    );
    let expected = [
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 66, 255, 255, 255, 255, 2][..],
        &region[17..21],
        &[0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 0, 0, 0, 3, 232],
        &[0, 0, 0, 0, 0, 0, 15, 161, 0, 3, 0, 0, 0, 77, 0, 0, 0, 1],
        &[32, 0, 0, 0, 2, b'k', 10, b'h', b'e', b'l', b'l', b'o', 2, 2, b'a', 2, b'b'],
    ]
    .concat();
    assert_eq!(region, expected);
    set_offset_and_epoch(&mut region, 500, 12);
    let batch = first_batch(region);
    assert_eq!((batch.magic, batch.base_offset, batch.last_offset, batch.leader_epoch), (2, 500, 500, 12));
    assert_eq!((batch.producer_id, batch.producer_epoch, batch.base_sequence), (4001, 3, 77));
    assert_eq!((batch.transactional, batch.control, batch.delete_horizon), (true, false, false));
    assert_eq!((batch.count, batch.size, batch.next_offset()), (Some(1), 78, 501));
}

#[test]
fn facts_of_a_batch() {
    let records =
        vec![Owned::new(50, None, Some(b"x")), Owned::new(90, None, None), Owned::new(20, None, None)];
    let builder = builder_of(&records);
    assert_eq!((builder.records(), builder.base_timestamp(), builder.max_timestamp()), (3, 50, 90));
    let closed = builder.close(Compression::None, 0, &mut Compressor::new());
    let batch = first_batch(closed.to_vec(ProducerState::NONE));
    assert_eq!((batch.base_timestamp, batch.max_timestamp), (50, 90));
    assert_eq!((batch.base_offset, batch.last_offset, batch.producer_id), (0, 2, -1));
    assert_eq!(batch.timestamp_type, TimestampType::CreateTime);
}

#[test]
fn a_retry_changes_the_header_only() {
    let records = numbered(&vec![Owned::new(1, None, Some(&[7; 300])); 50], 0);
    for codec in [Compression::None, Compression::Lz4] {
        let closed = builder_of(&records).close(codec, codec.default_level(), &mut Compressor::new());
        let next = ProducerState { producer_epoch: 4, base_sequence: 0, ..STATE };
        for state in [STATE, next] {
            let region = closed.to_vec(state);
            let batch = first_batch(region.clone());
            assert_eq!(
                (batch.producer_epoch, batch.base_sequence),
                (state.producer_epoch, state.base_sequence)
            );
            assert_eq!(batch.compression, codec);
            assert_eq!(read(&region).unwrap(), records);
        }
    }
}

#[test]
fn the_buffer_comes_back_whole_and_is_used_again() {
    let mut memory = bytes::BytesMut::zeroed(4096);
    memory[..4].copy_from_slice(b"left");
    for round in 0..3 {
        let place = memory.as_ptr();
        let mut builder = MemoryRecordsBuilder::new(memory);
        let records = vec![Owned::new(round, Some(b"key"), Some(&[round as u8; 100])); 30];
        for r in &records {
            r.with_ref(|r| builder.append_with_offset(r, 4096)).unwrap();
        }
        let codec = [Compression::None, Compression::Zstd, Compression::Gzip][round as usize];
        let closed = builder.close(codec, codec.default_level(), &mut Compressor::new());
        assert_eq!(closed.facts.compression, codec);
        assert_eq!(read(&closed.to_vec(STATE)).unwrap(), numbered(&records, 0));
        memory = closed.payload.into_inner();
        assert_eq!((memory.as_ptr(), memory.len()), (place, 4096), "same memory, all of it");
    }
    let mut builder = MemoryRecordsBuilder::new(memory);
    Owned::new(0, None, Some(b"given up")).with_ref(|r| builder.append_with_offset(r, 4096)).unwrap();
    assert_eq!(builder.into_inner().len(), 4096);
}

#[test]
fn one_large_record_grows_the_buffer() {
    let record = Owned::new(3, Some(&[1; 70_000]), Some(&[2; 3_000_000]));
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(16_384));
    record.with_ref(|r| builder.append_with_offset(r, 16_384)).unwrap();
    let small = Owned::new(3, None, None);
    assert_eq!(small.with_ref(|r| builder.append_with_offset(r, 16_384)), Err(AppendError::Full));
    let closed = builder.close(Compression::None, 0, &mut Compressor::new());
    assert_eq!(read(&closed.to_vec(STATE)).unwrap(), [record]);
}

#[test]
fn a_batch_fills_its_limit_to_the_byte() {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(16_384));
    let value = [5; 100];
    let mut count = 0;
    while builder
        .append_with_offset(&RecordRef { value: Some(&value), ..RecordRef::default() }, 16_384)
        .is_ok()
    {
        count += 1;
    }
    // The header, 64 records of 109 bytes (offset deltas of one byte), and 110 each after that.
    assert_eq!(count, 64 + (16_384 - 61 - 64 * 109) / 110);
    assert!(builder.size() <= 16_384 && builder.capacity() == 16_384);
}

/// Lengths around every width of a varint, in a buffer with room for all: with and without a key.
#[test]
fn lengths_of_all_widths() {
    let lengths =
        [0, 1, 31, 62, 63, 64, 65, 127, 128, 8_100, 8_150, 8_159, 8_160, 8_161, 8_191, 8_192, 8_193]
            .into_iter()
            .chain([(1 << 16) - 1, 1 << 16, (1 << 20) - 20, (1 << 20) - 1, 1 << 20, (1 << 20) + 1]);
    let mut records = vec![Owned::new(1_000, None, None)];
    for (i, len) in lengths.enumerate() {
        for (key, delta) in [(None, 0), (Some(0), 63), (Some(64), 64), (Some(8_192), 8_192), (None, -1)] {
            let key = key.map(|n| vec![i as u8; n]);
            records.push(Owned::new(1_000 + delta, key.as_deref(), Some(&vec![7; len])));
        }
    }
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(64 << 20));
    for record in &records {
        record.with_ref(|r| {
            let size = builder.size() + builder.record_size(r);
            if !builder.is_empty() {
                assert_eq!(builder.append_with_offset(r, size - 1), Err(AppendError::Full));
            }
            builder.append_with_offset(r, size).unwrap();
            assert_eq!(builder.size(), size);
        });
    }
    assert_eq!(builder.max_timestamp(), 1_000 + 8_192);
    let closed = builder.close(Compression::None, 0, &mut Compressor::new());
    assert!(read(&closed.to_vec(STATE)).unwrap() == numbered(&records, 0));
}

#[test]
fn what_does_not_shrink_stays_uncompressed() {
    let mut random = fastrand::Rng::with_seed(1);
    let noise: Vec<u8> = (0..1000).map(|_| random.u8(..)).collect();
    for codec in Compression::ALL {
        let records = [Owned::new(0, None, Some(&noise))];
        let region = write(&records, codec, STATE);
        assert_eq!(first_batch(region.clone()).compression, Compression::None);
        assert_eq!(read(&region).unwrap(), records);
    }
}

#[test]
fn a_closed_batch_can_be_taken_apart_and_copied_with_headers_unread() {
    let records: Vec<Owned> = (0..20)
        .map(|i| Owned::new(i, Some(b"k"), Some(&[1; 50])).header("h", None).header("h", Some(b"1")))
        .collect();
    for codec in Compression::ALL {
        let closed = builder_of(&records).close(codec, codec.default_level(), &mut Compressor::new());
        let payload = Bytes::copy_from_slice(closed.payload.as_ref());
        let mut all = closed.facts.records(payload, &mut Decompressor::new()).unwrap();
        let mut half = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(10_000));
        while let Some(record) = all.next() {
            let (record, block) = (record.unwrap(), all.block());
            let copy = RecordRef {
                timestamp_ms: record.timestamp_ms,
                key: record.key.get(block),
                value: record.value.get(block),
                headers: Headers::Encoded {
                    count: record.header_count,
                    bytes: record.headers.get(block).unwrap(),
                },
            };
            half.append_with_offset(&copy, 10_000).unwrap();
        }
        let half = half.close(Compression::None, 0, &mut Compressor::new());
        assert_eq!(read(&half.to_vec(STATE)).unwrap(), numbered(&records, 0));
    }
}

#[test]
fn log_append_time_is_every_records_time() {
    let records =
        vec![Owned::new(100, None, Some(b"a")), Owned::new(50, None, Some(&[0; 40])).header("h", None)];
    let mut region = write(&records, Compression::None, STATE);
    set_append_time(&mut region, 777);
    let back = read(&region).unwrap();
    assert_eq!(back.iter().map(|r| r.timestamp_ms).collect::<Vec<_>>(), [777, 777]);
    let batch = first_batch(region);
    assert_eq!((batch.timestamp_type, batch.timestamp_type.name()), (TimestampType::LogAppendTime, "append"));
    assert_eq!(
        batch.records(&mut Decompressor::new(), 0).unwrap().timestamp_type(),
        TimestampType::LogAppendTime
    );
}

#[test]
fn control_batches_say_so() {
    for (kind, key) in [(ControlType::Abort, [0, 0, 0, 0]), (ControlType::Commit, [0, 0, 0, 1])] {
        assert_eq!(kind.to_key(), key);
        let record = Owned::new(1, Some(&key), Some(&[0, 0, 0, 0, 0, 9]));
        let region = write(&[record], Compression::None, ProducerState { control: true, ..STATE });
        let batch = first_batch(region);
        assert!(batch.control && batch.transactional);
        let mut records = batch.records(&mut Decompressor::new(), 0).unwrap();
        let record = records.next().unwrap().unwrap();
        assert_eq!(ControlType::from_key(record.key.get(records.block()).unwrap()), Some(kind));
    }
    assert_eq!(ControlType::from_key(&[0, 1, 0, 7, 9]), Some(ControlType::Other(7)));
    assert_eq!(ControlType::from_key(&[0, 0, 0]), None);
    assert_eq!(ControlType::from_key(&[255, 255, 0, 0]), None);
}

/// A batch as compaction leaves it: records are missing, at its ends too, but the header's offsets stay.
fn compacted(keep: &[usize], last_offset_delta: i32) -> Vec<u8> {
    let records: Vec<Owned> = (0..10).map(|i| Owned::new(i, None, Some(&[i as u8; 30]))).collect();
    let whole = write(&records, Compression::None, STATE);
    let mut payload = Vec::new();
    let mut rest = &whole[BATCH_OVERHEAD..];
    for i in 0..10 {
        let mut body = rest;
        let length = varint::take_varint(&mut body).unwrap() as usize;
        let size = rest.len() - body.len() + length;
        if keep.contains(&i) {
            payload.extend_from_slice(&rest[..size]);
        }
        rest = &rest[size..];
    }
    let facts = BatchFacts {
        records: keep.len() as u32,
        base_timestamp: 0,
        max_timestamp: 9,
        compression: Compression::None,
        uncompressed_len: payload.len() as u32,
    };
    let mut region = [&facts.header(&payload, STATE)[..], &payload].concat();
    region[23..27].copy_from_slice(&last_offset_delta.to_be_bytes());
    let crc = crc32c::crc32c(&region[21..]);
    region[17..21].copy_from_slice(&crc.to_be_bytes());
    set_offset_and_epoch(&mut region, 1000, 1);
    region
}

#[test]
fn compaction_leaves_gaps() {
    let region = compacted(&[2, 3, 7], 9);
    let batch = first_batch(region.clone());
    assert_eq!(
        (batch.base_offset, batch.last_offset, batch.next_offset(), batch.count),
        (1000, 1009, 1010, Some(3))
    );
    let offsets: Vec<i64> = read(&region).unwrap().iter().map(|r| r.offset).collect();
    assert_eq!(offsets, [1002, 1003, 1007]);
    // All records gone: the empty batch keeps the producer's place.
    let region = compacted(&[], 9);
    assert_eq!(first_batch(region.clone()).next_offset(), 1010);
    assert_eq!(read(&region).unwrap(), []);
}

#[test]
fn reading_starts_inside_a_batch_and_can_pause() {
    let records: Vec<Owned> =
        (0..200).map(|i| Owned::new(i, None, Some(format!("value {i}").as_bytes()))).collect();
    for codec in [Compression::None, Compression::Zstd] {
        let mut region = write(&records, codec, STATE);
        set_offset_and_epoch(&mut region, 5000, 1);
        let mut left = first_batch(region).records(&mut Decompressor::new(), 1 << 20).unwrap().start_at(5123);
        let mut seen = Vec::new();
        for _ in 0..10 {
            // A poll that wants eight records.
            seen.extend(left.by_ref().take(8).map(|r| r.unwrap().offset));
        }
        assert_eq!(seen, (5123..5200).collect::<Vec<_>>());
    }
}

#[test]
fn uncompressed_records_are_views_into_the_region() {
    let region = Bytes::from(write(&[Owned::new(1, None, Some(b"in place"))], Compression::None, STATE));
    let batch = BatchReader::new(region.clone(), true).next().unwrap().unwrap();
    let mut records = batch.records(&mut Decompressor::new(), 0).unwrap();
    let record = records.next().unwrap().unwrap();
    let value = record.value.get(records.block()).unwrap();
    assert!(region.as_ptr_range().contains(&value.as_ptr()));
    assert_eq!(value, b"in place");
}

#[test]
fn delete_horizon_is_the_base_timestamp() {
    let mut region = write(&[Owned::new(100, None, None)], Compression::None, STATE);
    region[22] |= 0x40;
    let crc = crc32c::crc32c(&region[21..]);
    region[17..21].copy_from_slice(&crc.to_be_bytes());
    let batch = first_batch(region);
    assert!(batch.delete_horizon);
    assert_eq!(batch.base_timestamp, 100);
}
