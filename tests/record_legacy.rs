//! Message formats v0 and v1.

mod record_support;

use bytes::Bytes;
use milena::record::legacy_writer::{write_compressed, write_message, LegacyMessage, APPEND_TIME};
use milena::record::*;
use proptest::prelude::*;
use record_support::{read, read_with, Owned};

const CODECS: [Compression; 3] = [Compression::Gzip, Compression::Snappy, Compression::Lz4];

fn message(offset: i64, timestamp_ms: i64) -> LegacyMessage<'static> {
    LegacyMessage { offset, timestamp_ms, key: Some(b"key"), value: Some(b"value") }
}

fn owned(magic: u8, m: &LegacyMessage<'_>) -> Owned {
    let timestamp_ms = if magic == 0 { -1 } else { m.timestamp_ms };
    Owned { offset: m.offset, ..Owned::new(timestamp_ms, m.key, m.value) }
}

fn compressed(magic: u8, attributes: u8, codec: Compression, messages: &[LegacyMessage<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_compressed(&mut out, magic, attributes, codec, messages, &mut Compressor::new()).unwrap();
    out
}

fn batches(region: Vec<u8>) -> Vec<Batch> {
    BatchReader::new(Bytes::from(region), true).map(Result::unwrap).collect()
}

/// Put together by hand from the format's description; the checksums are zlib's.
#[test]
fn messages_written_by_hand() {
    let v0 = b"\0\0\0\0\0\0\0\x05\0\0\0\x11\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\x03abc";
    let v1 = b"\0\0\0\0\0\0\0\x06\0\0\0\x17\0\0\0\0\x01\0\0\0\0\0\0\0\x03\xe8\0\0\0\x01k\xff\xff\xff\xff";
    let mut region = v0.to_vec();
    let crc = crc32fast::hash(&v0[16..]);
    assert_eq!(crc, 0x43dc_3faf, "computed by Python's zlib.crc32");
    region[12..16].copy_from_slice(&crc.to_be_bytes());
    let mut second = v1.to_vec();
    let crc = crc32fast::hash(&second[16..]);
    assert_eq!(crc, 0x4b38_d7a9, "computed by Python's zlib.crc32");
    second[12..16].copy_from_slice(&crc.to_be_bytes());
    region.extend_from_slice(&second);
    let expected = [
        Owned { offset: 5, ..Owned::new(-1, None, Some(b"abc")) },
        Owned { offset: 6, ..Owned::new(1000, Some(b"k"), None) },
    ];
    assert_eq!(read(&region).unwrap(), expected);
    let mut written = Vec::new();
    write_message(
        &mut written,
        0,
        0,
        &LegacyMessage { offset: 5, timestamp_ms: 0, key: None, value: Some(b"abc") },
    );
    write_message(
        &mut written,
        1,
        0,
        &LegacyMessage { offset: 6, timestamp_ms: 1000, key: Some(b"k"), value: None },
    );
    assert_eq!(written, region);
}

#[test]
fn compressed_sets_have_absolute_offsets_in_v0_and_relative_ones_in_v1() {
    let messages: Vec<_> = (0..20).map(|i| message(1000 + i, 50 + i)).collect();
    for magic in [0, 1] {
        for codec in CODECS {
            let region = compressed(magic, 0, codec, &messages);
            let batch = &batches(region.clone())[0];
            assert_eq!((batch.magic, batch.compression, batch.count), (magic, codec, None));
            assert_eq!((batch.last_offset, batch.next_offset()), (1019, 1020));
            let expected: Vec<_> = messages.iter().map(|m| owned(magic, m)).collect();
            assert_eq!(read(&region).unwrap(), expected, "v{magic} {}", codec.name());
        }
    }
}

#[test]
fn relative_offsets_with_gaps() {
    let messages = [message(70, 1), message(75, 2), message(79, 3)];
    let offsets: Vec<_> =
        read(&compressed(1, 0, Compression::Gzip, &messages)).unwrap().iter().map(|r| r.offset).collect();
    assert_eq!(offsets, [70, 75, 79]);
}

#[test]
fn a_wrapper_offset_of_zero_leaves_inner_offsets() {
    let mut region = compressed(1, 0, Compression::Gzip, &[message(3, 1), message(4, 2), message(5, 3)]);
    region[..8].fill(0);
    let offsets: Vec<_> = read(&region).unwrap().iter().map(|r| r.offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
    // But one that is lower than the last inner offset is corrupt.
    region[7] = 1;
    assert!(read(&region).unwrap_err().to_string().contains("before that of its last message"));
}

#[test]
fn log_append_time_is_the_wrappers() {
    let region = compressed(1, APPEND_TIME, Compression::Gzip, &[message(1, 500), message(2, 900)]);
    assert_eq!(batches(region.clone())[0].timestamp_type, TimestampType::LogAppendTime);
    let times: Vec<_> = read(&region).unwrap().iter().map(|r| r.timestamp_ms).collect();
    assert_eq!(times, [900, 900]);
    let mut single = Vec::new();
    write_message(&mut single, 1, APPEND_TIME, &message(1, 500));
    assert_eq!(read(&single).unwrap()[0].timestamp_ms, 500);
    let mut v0 = Vec::new();
    write_message(&mut v0, 0, 0, &message(1, 500));
    assert_eq!(batches(v0)[0].timestamp_type.name(), "none");
}

#[test]
fn lz4_of_v0_may_have_the_old_header_checksum() {
    for (magic, readable) in [(0, true), (1, false)] {
        let mut inner = Vec::new();
        write_message(&mut inner, magic, 0, &message(0, 7));
        let mut value = Compressor::new().compress(Compression::Lz4, 9, &inner).unwrap().to_vec();
        value[6] = (twox_hash::XxHash32::oneshot(0, &value[..6]) >> 8) as u8;
        let mut region = Vec::new();
        let wrapper = LegacyMessage { offset: 0, timestamp_ms: 7, key: None, value: Some(&value) };
        write_message(&mut region, magic, Compression::Lz4.id(), &wrapper);
        assert_eq!(read(&region).is_ok(), readable, "v{magic}");
    }
}

#[test]
fn formats_may_be_mixed_in_a_region() {
    let mut region = Vec::new();
    write_message(&mut region, 0, 0, &message(10, 0));
    region.extend_from_slice(&compressed(0, 0, Compression::Snappy, &[message(11, 0), message(12, 0)]));
    write_message(&mut region, 1, 0, &message(13, 5));
    region.extend_from_slice(&compressed(1, 0, Compression::Lz4, &[message(14, 6), message(15, 7)]));
    let mut v2 =
        record_support::write(&[Owned::new(9, None, Some(b"x"))], Compression::None, ProducerState::NONE);
    set_offset_and_epoch(&mut v2, 16, 1);
    region.extend_from_slice(&v2);
    let offsets: Vec<_> = read(&region).unwrap().iter().map(|r| r.offset).collect();
    assert_eq!(offsets, (10..=16).collect::<Vec<_>>());
    // A region that ends in the middle of anything gives what came before.
    for end in 0..region.len() {
        let part = read(&region[..end]).unwrap();
        assert!(part.iter().map(|r| r.offset).eq((10..).take(part.len())));
    }
}

#[test]
fn what_a_set_must_not_be() {
    let wrap = |attributes: u8, value: Option<&[u8]>| {
        let mut region = Vec::new();
        let wrapper = LegacyMessage { offset: 9, timestamp_ms: 1, key: None, value };
        write_message(&mut region, 1, attributes, &wrapper);
        read(&region).unwrap_err()
    };
    let pack = |inner: &[u8]| Compressor::new().compress(Compression::Gzip, 6, inner).unwrap().to_vec();
    assert!(wrap(1, None).to_string().contains("null"));
    assert!(wrap(1, Some(&pack(b""))).to_string().contains("no message"));
    assert_eq!(wrap(4, Some(b"")).problem, Problem::Codec(4));
    assert_eq!(wrap(7, Some(b"")).problem, Problem::Codec(7));
    let nested = compressed(1, 0, Compression::Gzip, &[message(1, 1)]);
    assert!(wrap(1, Some(&pack(&nested))).to_string().contains("compressed message in a compressed"));
    let mut inner = Vec::new();
    write_message(&mut inner, 1, 0, &message(0, 1));
    assert!(wrap(1, Some(&pack(&inner[..inner.len() - 1])))
        .to_string()
        .contains("longer than its message set"));
    inner[16] = 2;
    assert!(wrap(1, Some(&pack(&inner))).to_string().contains("unknown format"));
}

#[test]
fn checksums_are_compared_inside_and_outside_unless_switched_off() {
    let mut outer = compressed(1, 0, Compression::Gzip, &[message(1, 500)]);
    outer[13] ^= 1;
    assert!(matches!(read(&outer).unwrap_err().problem, Problem::Crc { .. }));
    assert_eq!(read_with(&outer, false, 1000).unwrap().len(), 1);

    let mut inner = Vec::new();
    write_message(&mut inner, 1, 0, &message(0, 1));
    inner[13] ^= 1;
    let value = Compressor::new().compress(Compression::Gzip, 6, &inner).unwrap().to_vec();
    let mut region = Vec::new();
    let wrapper = LegacyMessage { offset: 9, timestamp_ms: 1, key: None, value: Some(&value) };
    write_message(&mut region, 1, 1, &wrapper);
    assert!(matches!(read(&region).unwrap_err().problem, Problem::Crc { .. }));
    assert_eq!(read_with(&region, false, 1000).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn round_trip(
        magic in 0u8..2, codec in 0usize..4, base in 0i64..1 << 40,
        fields in prop::collection::vec(
            (any::<i64>(), prop::option::of(prop::collection::vec(any::<u8>(), 0..50)),
             prop::option::of(prop::collection::vec(any::<u8>(), 0..200))), 1..20),
    ) {
        let messages: Vec<_> = fields.iter().zip(base..).map(|((timestamp_ms, key, value), offset)| LegacyMessage {
            offset, timestamp_ms: *timestamp_ms, key: key.as_deref(), value: value.as_deref(),
        }).collect();
        let region = match codec {
            3 => {
                let mut out = Vec::new();
                for m in &messages {
                    write_message(&mut out, magic, 0, m);
                }
                out
            }
            codec => compressed(magic, 0, CODECS[codec], &messages),
        };
        let expected: Vec<_> = messages.iter().map(|m| owned(magic, m)).collect();
        prop_assert_eq!(read(&region).unwrap(), expected);
    }

    #[test]
    fn changed_bytes_never_panic(
        magic in 0u8..2, codec in 0usize..3, check in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let messages: Vec<_> = (0..5).map(|i| message(10 + i, i)).collect();
        let mut region = compressed(magic, 0, CODECS[codec], &messages);
        write_message(&mut region, magic, 0, &message(15, 1));
        for (at, byte) in changes {
            let at = at.index(region.len());
            region[at] = byte;
        }
        let _ = read_with(&region, check, 10_000);
    }
}
