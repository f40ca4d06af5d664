//! Records as C hands them over: strides, lengths, and what is refused.

use super::*;
use proptest::prelude::*;
use std::ptr;

#[derive(Clone, Debug, PartialEq)]
struct Owned {
    token: u64,
    timestamp_ms: i64,
    partition: i32,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

fn pack(records: &[Owned]) -> Vec<u8> {
    let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(-1, |b| b.len() as i32).to_le_bytes();
    let mut out = Vec::new();
    for r in records {
        out.extend(r.token.to_le_bytes());
        out.extend(r.timestamp_ms.to_le_bytes());
        out.extend(r.partition.to_le_bytes());
        out.extend(len(&r.key));
        out.extend(len(&r.value));
        out.extend((r.headers.len() as u32).to_le_bytes());
        out.extend(r.key.iter().flatten().chain(r.value.iter().flatten()));
        for (name, value) in &r.headers {
            out.extend((name.len() as u32).to_le_bytes());
            out.extend(len(value));
            out.extend(name.iter().chain(value.iter().flatten()));
        }
    }
    out
}

fn owned(record: &ProducerRecord<'_>) -> Owned {
    let headers = match record.headers {
        Headers::Slice(headers) => headers,
        Headers::Encoded { .. } => &[],
    };
    Owned {
        token: record.token,
        timestamp_ms: record.timestamp_ms,
        partition: record.partition,
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: headers.iter().map(|h| (h.name.to_vec(), h.value.map(<[u8]>::to_vec))).collect(),
    }
}

/// All records up to the end or the first error. Looks at each record twice, as the producer may.
fn read(source: &mut impl RecordSource) -> (Vec<Owned>, Option<Error>) {
    let mut records = Vec::new();
    loop {
        let first = match source.peek() {
            None => return (records, None),
            Some(Err(error)) => return (records, Some(error)),
            Some(Ok(record)) => owned(&record),
        };
        assert_eq!(owned(&source.peek().unwrap().unwrap()), first);
        records.push(first);
        source.advance();
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..20)
}

fn record() -> impl Strategy<Value = Owned> {
    let headers = prop::collection::vec((bytes(), prop::option::of(bytes())), 0..3);
    (any::<u64>(), -1..=i64::MAX, -1..100i32, prop::option::of(bytes()), prop::option::of(bytes()), headers)
        .prop_map(|(token, timestamp_ms, partition, key, value, headers)| Owned {
            token,
            timestamp_ms,
            partition,
            key,
            value,
            headers,
        })
}

proptest! {
    #[test]
    fn packed_records_come_back(records in prop::collection::vec(record(), 0..6), more in bytes()) {
        let mut packed = pack(&records);
        packed.extend(more);
        let (read, error) = read(&mut PackedSource::new(&packed, records.len()));
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(read, records);
    }

    #[test]
    fn a_cut_block_gives_the_records_before_the_cut(
        records in prop::collection::vec(record(), 1..5), cut in any::<prop::sample::Index>(),
    ) {
        let packed = pack(&records);
        let cut = cut.index(packed.len());
        let whole = (0..=records.len()).rev().find(|n| pack(&records[..*n]).len() <= cut).unwrap();
        let (read, error) = read(&mut PackedSource::new(&packed[..cut], records.len()));
        prop_assert_eq!(&read[..], &records[..whole]);
        prop_assert_eq!(error.unwrap().code(), Code::INVALID_ARGUMENT);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), n in 0usize..5) {
        read(&mut PackedSource::new(&bytes, n));
    }
}

const RECORD: milena_record = milena_record {
    partition: -1,
    headers_len: 0,
    timestamp_ms: -1,
    key: milena_bytes::NULL,
    value: milena_bytes::NULL,
    headers: ptr::null(),
    token: 0,
};

/// A record of a later version of the header.
#[repr(C)]
struct Grown {
    record: milena_record,
    more: u64,
}

#[test]
fn an_array_is_read_by_its_stride() {
    let records =
        [1u64, 2, 3].map(|token| Grown { record: milena_record { token, ..RECORD }, more: u64::MAX });
    // SAFETY: three records are there, and they point to nothing.
    let mut source = unsafe { ArraySource::new(&records[0].record, size_of::<Grown>(), 3) }.unwrap();
    let (read, error) = read(&mut source);
    assert!(error.is_none());
    assert_eq!(read.iter().map(|r| r.token).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(records.iter().all(|r| r.more == u64::MAX));
}

#[test]
fn only_minus_one_stands_for_no_partition_and_for_now() {
    let minus = |partition, timestamp_ms| milena_record { partition, timestamp_ms, ..RECORD };
    for (record, fine) in [
        (minus(-1, -1), true),
        (minus(0, 0), true),
        (minus(i32::MAX, i64::MAX), true),
        (minus(-2, 0), false),
        (minus(i32::MIN, -1), false),
        (minus(-1, -2), false),
        (minus(5, i64::MIN), false),
    ] {
        // SAFETY: one record is there, and it points to nothing.
        let mut source = unsafe { ArraySource::new(&record, size_of::<milena_record>(), 1) }.unwrap();
        assert_eq!(source.peek().unwrap().is_ok(), fine, "{record:?}");
        let value = milena_record { value: b"value"[..].into(), ..record };
        // SAFETY: its value is there.
        assert_eq!(unsafe { plain(&value) }.is_some(), fine, "{record:?}");
        let (partition, timestamp_ms) = (record.partition, record.timestamp_ms);
        let owned = Owned { token: 1, timestamp_ms, partition, key: None, value: None, headers: Vec::new() };
        assert_eq!(PackedSource::new(&pack(&[owned]), 1).peek().unwrap().is_ok(), fine, "{record:?}");
    }
}

#[test]
fn the_error_names_the_record() {
    let bad = milena_record { partition: -2, ..RECORD };
    let records = [RECORD, bad];
    // SAFETY: two records are there, and they point to nothing.
    let mut source = unsafe { ArraySource::new(records.as_ptr(), size_of::<milena_record>(), 2) }.unwrap();
    let (read, error) = read(&mut source);
    assert_eq!(read.len(), 1);
    let error = error.unwrap();
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    assert!(error.message().contains("record 1") && error.message().contains("-2"), "{error}");
}
