//! Helpers of the record tests: owned records, and writing and reading whole batches of them.
#![allow(dead_code)]

use bytes::Bytes;
use milena::record::{
    BatchReader, Compression, Compressor, Decompressor, Header, Headers, MemoryRecordsBuilder, ProducerState,
    RecordError, RecordRef,
};
use proptest::prelude::*;

pub type OwnedHeader = (Vec<u8>, Option<Vec<u8>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<OwnedHeader>,
}

impl Owned {
    pub fn new(timestamp_ms: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Owned {
        let own = |b: &[u8]| b.to_vec();
        Owned { offset: 0, timestamp_ms, key: key.map(own), value: value.map(own), headers: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: Option<&[u8]>) -> Owned {
        self.headers.push((name.as_bytes().to_vec(), value.map(<[u8]>::to_vec)));
        self
    }

    /// Calls `f` with the record as the writer takes it.
    pub fn with_ref<T>(&self, f: impl FnOnce(&RecordRef<'_>) -> T) -> T {
        let headers: Vec<Header<'_>> =
            self.headers.iter().map(|(n, v)| Header { name: n, value: v.as_deref() }).collect();
        f(&RecordRef {
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::Slice(&headers),
        })
    }
}

pub fn builder_of(records: &[Owned]) -> MemoryRecordsBuilder {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(512));
    for (i, record) in records.iter().enumerate() {
        let offset = record.with_ref(|r| builder.append_with_offset(r, usize::MAX)).unwrap();
        assert_eq!(offset as usize, i);
    }
    builder
}

/// One whole batch.
pub fn write(records: &[Owned], codec: Compression, state: ProducerState) -> Vec<u8> {
    builder_of(records).close(codec, codec.default_level(), &mut Compressor::new()).to_vec(state)
}

/// All records of all batches of a region.
pub fn read(region: &[u8]) -> Result<Vec<Owned>, RecordError> {
    read_with(region, true, 64 << 20)
}

pub fn read_with(region: &[u8], check_crcs: bool, limit: usize) -> Result<Vec<Owned>, RecordError> {
    let mut decompressor = Decompressor::new();
    let mut all = Vec::new();
    for batch in BatchReader::new(Bytes::copy_from_slice(region), check_crcs) {
        let mut records = batch?.records(&mut decompressor, limit)?;
        while let Some(record) = records.next() {
            let record = record?;
            let own = |b: &[u8]| b.to_vec();
            let block = records.block();
            assert!(block.len() <= limit.max(region.len()));
            let headers: Vec<OwnedHeader> =
                record.headers(block).map(|h| (h.name.to_vec(), h.value.map(own))).collect();
            assert_eq!(
                headers.len(),
                record.header_count as usize,
                "headers were checked when the record was"
            );
            assert_eq!(record.key.is_null(), record.key.get(block).is_none(), "spans are inside the block");
            assert_eq!(record.value.is_null(), record.value.get(block).is_none());
            all.push(Owned {
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                key: record.key.get(block).map(own),
                value: record.value.get(block).map(own),
                headers,
            });
        }
        assert!(records.next().is_none(), "the end stays the end");
    }
    Ok(all)
}

/// With offsets counted from `base`.
pub fn numbered(records: &[Owned], base: i64) -> Vec<Owned> {
    records.iter().zip(base..).map(|(r, offset)| Owned { offset, ..r.clone() }).collect()
}

fn bytes(most: usize) -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Vec::new())),
        6 => prop::collection::vec(any::<u8>(), 0..most).prop_map(Some),
    ]
}

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 1_700_000_000_000i64..1_700_000_100_000,
        1 => 0i64..5_000_000_000_000,
        1 => any::<i64>(),
    ]
}

pub fn record() -> impl Strategy<Value = Owned> {
    let name = prop_oneof![Just(b"same".to_vec()), prop::collection::vec(any::<u8>(), 0..20)];
    let headers = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((name, bytes(40)), 0..5)];
    (timestamp(), bytes(100), bytes(400), headers).prop_map(|(timestamp_ms, key, value, headers)| Owned {
        offset: 0,
        timestamp_ms,
        key,
        value,
        headers,
    })
}

pub fn records(most: usize) -> impl Strategy<Value = Vec<Owned>> {
    prop::collection::vec(record(), 1..most)
}

pub fn codec() -> impl Strategy<Value = Compression> {
    (0..Compression::ALL.len()).prop_map(|i| Compression::ALL[i])
}
