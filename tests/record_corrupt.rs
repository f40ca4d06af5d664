//! Corrupt batches: every one is an error that says what is wrong, none is a panic or a large allocation.

mod record_support;

use bytes::Bytes;
use milena::record::*;
use milena::Code;
use proptest::prelude::*;
use record_support::*;

const STATE: ProducerState = ProducerState::NONE;

fn some(count: usize) -> Vec<Owned> {
    (0..count as i64)
        .map(|i| {
            let r = Owned::new(1000 + i, Some(b"some key"), Some(&[i as u8; 60]));
            if i % 3 == 0 {
                r.header("name", Some(b"value")).header("name", None)
            } else {
                r
            }
        })
        .collect()
}

/// Makes the checksum right again after a change.
fn reseal(region: &mut [u8]) {
    let crc = crc32c::crc32c(&region[21..]);
    region[17..21].copy_from_slice(&crc.to_be_bytes());
}

fn problem(region: &[u8]) -> Problem {
    read(region).unwrap_err().problem
}

#[test]
fn a_region_cut_anywhere_gives_its_whole_batches() {
    let mut region = Vec::new();
    let mut ends = vec![0];
    for i in 0..3i64 {
        let mut batch = write(&some(4), Compression::ALL[i as usize * 2], STATE);
        set_offset_and_epoch(&mut batch, i * 4, 0);
        region.extend_from_slice(&batch);
        ends.push(region.len());
    }
    for cut in 0..=region.len() {
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        let mut reader = BatchReader::new(Bytes::copy_from_slice(&region[..cut]), true);
        let batches = reader.by_ref().map(|b| b.unwrap().base_offset).collect::<Vec<_>>();
        assert_eq!(batches, (0..whole as i64).map(|i| i * 4).collect::<Vec<_>>());
        assert_eq!(reader.position(), ends[whole]);
        let needed = match cut - ends[whole] {
            0 => None,
            1..=11 => Some(12),
            _ => Some(ends[whole + 1] - ends[whole]),
        };
        assert_eq!(reader.truncated(), needed, "cut at {cut}");
    }
}

#[test]
fn a_wrong_checksum_names_the_batch_and_the_way_past_it() {
    let mut region = write(&some(4), Compression::None, STATE);
    set_offset_and_epoch(&mut region, 900, 0);
    region[70] ^= 0x80;
    let mut good = write(&some(2), Compression::None, STATE);
    set_offset_and_epoch(&mut good, 904, 0);
    region.extend_from_slice(&good);
    let mut reader = BatchReader::new(Bytes::from(region.clone()), true);
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(error.problem, Problem::Crc { .. }));
    assert_eq!((error.base_offset, error.next_offset, error.code()), (900, 904, Code(2)));
    assert!(error.to_string().starts_with("batch at offset 900: checksum mismatch: 0x"), "{error}");
    assert_eq!(reader.next().unwrap().unwrap().base_offset, 904, "the next batch can be read");
    assert!(BatchReader::new(Bytes::from(region), false).next().unwrap().is_ok(), "check.crcs=false");
}

#[test]
fn what_a_header_must_not_say() {
    let good = write(&some(4), Compression::None, STATE);
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        reseal(&mut bad);
        problem(&bad)
    };
    assert_eq!(with(8, &48i32.to_be_bytes()), Problem::Length { length: 48, least: 49 });
    assert_eq!(with(8, &(-1i32).to_be_bytes()), Problem::Length { length: -1, least: 49 });
    assert_eq!(with(16, &[3]), Problem::Magic(3));
    assert_eq!(with(16, &[255]), Problem::Magic(255));
    assert_eq!(with(22, &[5]), Problem::Codec(5));
    assert_eq!(with(23, &(-1i32).to_be_bytes()), Problem::LastOffsetDelta(-1));
    let bytes = good.len() - 61;
    assert_eq!(with(57, &(-1i32).to_be_bytes()), Problem::Count { count: -1, bytes });
    assert_eq!(with(57, &i32::MAX.to_be_bytes()), Problem::Count { count: i32::MAX, bytes });
    assert!(matches!(with(57, &3i32.to_be_bytes()), Problem::Trailing(_)));
    let Problem::Record { index: 4, why: "no length", .. } = with(57, &5i32.to_be_bytes()) else {
        panic!("more records than there are")
    };
    let mut overflow = good.clone();
    set_offset_and_epoch(&mut overflow, i64::MAX - 2, 0);
    assert_eq!(problem(&overflow), Problem::LastOffsetDelta(3));
}

#[test]
fn a_count_is_checked_against_the_decompressed_bytes() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let mut bad = write(&vec![Owned::new(1, None, Some(&[0; 500])); 3], codec, STATE);
        bad[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
        reseal(&mut bad);
        assert!(matches!(problem(&bad), Problem::Count { count: i32::MAX, .. }), "{}", codec.name());
    }
}

/// One batch around a record's bytes.
fn batch_of(record: &[u8]) -> Vec<u8> {
    let facts = BatchFacts {
        records: 1,
        base_timestamp: 0,
        max_timestamp: 0,
        compression: Compression::None,
        uncompressed_len: record.len() as u32,
    };
    [&facts.header(record, STATE)[..], record].concat()
}

#[test]
fn what_a_record_must_not_be() {
    assert!(read(&batch_of(&[12, 0, 0, 0, 1, 1, 0])).is_ok());
    for (record, expected) in [
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0][..], "no length"),
        (&[1, 0, 0, 0, 1, 1, 0], "negative length"),
        (&[14, 0, 0, 0, 1, 1, 0], "longer than its batch"),
        (&[0, 0, 0, 0, 1, 1, 0], "no attributes"),
        (&[12, 0, 0x80, 0x80, 0x80, 0x80, 0x80], "bad timestamp delta"),
        (&[12, 0, 0, 0x80, 0x80, 0x80, 0x80], "bad offset delta"),
        (&[12, 0, 0, 1, 1, 1, 0], "negative offset delta"),
        (&[12, 0, 0, 2, 1, 1, 0], "offset behind the batch's last offset"),
        (&[12, 0, 0, 0, 3, 1, 0], "bad key length"),
        (&[12, 0, 0, 0, 6, 1, 0], "bad key length"),
        (&[12, 0, 0, 0, 1, 3, 0], "bad value length"),
        (&[12, 0, 0, 0, 1, 4, 0], "bad value length"),
        (&[12, 0, 0, 0, 1, 2, 0], "bad number of headers"),
        (&[12, 0, 0, 0, 1, 1, 1], "negative number of headers"),
        (&[12, 0, 0, 0, 1, 1, 2], "bad header"),
        (&[16, 0, 0, 0, 1, 1, 2, 1, 1], "bad header"),
        (&[16, 0, 0, 0, 1, 1, 4, 0, 1], "bad header"),
        (&[14, 0, 0, 0, 1, 1, 0, 0], "shorter than its length says"),
    ] {
        match problem(&batch_of(record)) {
            Problem::Record { index: 0, position: 0, why } => assert_eq!(why, expected, "{record:?}"),
            other => panic!("{record:?}: {other:?}"),
        }
    }
}

#[test]
fn decompression_stops_at_the_limit() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let region = write(&[Owned::new(1, None, Some(&vec![0; 30 << 20]))], codec, STATE);
        let error = read_with(&region, true, 1 << 20).unwrap_err();
        assert!(error.is_too_large(), "{error}");
        let expected = DecompressError::TooLarge { limit: 1 << 20 };
        assert_eq!(error.problem, Problem::Decompress { codec, why: expected });
        assert!(!read(&{
            let mut cut = region.clone();
            cut[61] ^= 0xff;
            reseal(&mut cut);
            cut
        })
        .unwrap_err()
        .is_too_large());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Changed bytes with the checksum made right again: the parser itself has to hold.
    #[test]
    fn changed_bytes_never_panic(
        records in records(12), codec in codec(), check in any::<bool>(), sealed in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut region = write(&records, codec, STATE);
        for (at, byte) in changes {
            let at = at.index(region.len());
            region[at] = byte;
        }
        if sealed {
            reseal(&mut region);
        }
        let _ = read_with(&region, check, 100_000);
    }

    #[test]
    fn any_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..300), magic in 0u8..4, length in any::<u8>()) {
        let _ = read_with(&data, false, 1000);
        // With a header that leads further.
        let mut region = data;
        if region.len() > 17 {
            region[16] = magic;
            region[8..12].copy_from_slice(&[0, 0, 0, length]);
        }
        let _ = read_with(&region, false, 1000);
    }
}
