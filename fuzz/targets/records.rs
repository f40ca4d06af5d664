//! The record reader: every format and codec, with the checksums made right again if so chosen.

use bytes::Bytes;
use milena::record::{Batch, BatchReader, Decompressor, Record, RecordError, RecordView};

/// What a batch may become when it is decompressed.
const LIMITS: [usize; 4] = [64, 4096, 65_536, 1 << 20];

const CHECK: u8 = 1;
const SEAL: u8 = 2;

/// The first byte has flags and the limit of decompression; the rest is a region of batches.
pub fn run(data: &[u8]) {
    let Some((&flags, region)) = data.split_first() else { return };
    let mut region = region.to_vec();
    if flags & SEAL != 0 {
        seal(&mut region);
    }
    let limit = limit(flags);
    let mut decompressor = Decompressor::new();
    let mut reader = BatchReader::new(Bytes::from(region.clone()), flags & CHECK != 0);
    let mut before = 0;
    while let Some(batch) = reader.next() {
        let position = reader.position();
        let Ok(batch) = batch else {
            assert!(position >= before && position <= region.len());
            before = position;
            continue;
        };
        assert_eq!(position, before + batch.size, "a batch is where it says");
        assert!(position <= region.len());
        assert!(batch.next_offset() > batch.last_offset || batch.last_offset == i64::MAX);
        before = position;
        read(&batch, &mut decompressor, limit);
    }
}

fn limit(flags: u8) -> usize {
    LIMITS[usize::from(flags >> 2) % LIMITS.len()]
}

/// Reads the records one by one and in runs: both ways give the same.
fn read(batch: &Batch, decompressor: &mut Decompressor, limit: usize) {
    let Ok(mut records) = batch.records(decompressor, limit) else { return };
    let mut runs = records.clone();
    assert!(records.block().len() <= limit.max(batch.size), "{} bytes", records.block().len());
    let mut one_by_one = Vec::new();
    let end = loop {
        match records.next() {
            None => break None,
            Some(Err(error)) => break Some(error),
            Some(Ok(record)) => {
                check(&record, records.block());
                // The messages in a compressed set of the old formats have offsets of their own.
                assert!(batch.magic < 2 || record.offset <= batch.last_offset, "behind its batch");
                one_by_one.push((record.offset, record.timestamp_ms, record.header_count));
            }
        }
    };
    assert!(one_by_one.len() <= records.block().len(), "a record has at least a byte");
    assert!(records.next().is_none(), "the end stays the end");
    let mut in_runs = Vec::new();
    let run_end = read_runs(&mut runs, &mut in_runs);
    assert_eq!(one_by_one, in_runs);
    assert_eq!(end.is_some(), run_end.is_some(), "{end:?}, {run_end:?}");
}

fn read_runs(runs: &mut milena::record::Records, found: &mut Vec<(i64, i64, u32)>) -> Option<RecordError> {
    loop {
        let sink = |r: RecordView<'_>| found.push((r.offset, r.timestamp_ms, r.header_count));
        match runs.read(7, sink) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(error),
        }
    }
}

/// All that a record names is there.
fn check(record: &Record, block: &[u8]) {
    assert_eq!(record.key.is_null(), record.key.get(block).is_none());
    assert_eq!(record.value.is_null(), record.value.get(block).is_none());
    assert_eq!(record.headers(block).count(), record.header_count as usize);
}

/// Makes the checksums of all batches right.
fn seal(region: &mut [u8]) {
    let mut rest = region;
    while let Some(length) = rest.get(8..12).and_then(|l| l.first_chunk::<4>()) {
        let end = 12usize.saturating_add(u32::from_be_bytes(*length) as usize);
        let Some((batch, behind)) = rest.split_at_mut_checked(end) else { return };
        match batch.get(16) {
            Some(2) if batch.len() > 21 => {
                let crc = crc32c::crc32c(&batch[21..]);
                batch[17..21].copy_from_slice(&crc.to_be_bytes());
            }
            Some(0 | 1) => {
                let crc = crc32fast::hash(&batch[16..]);
                batch[12..16].copy_from_slice(&crc.to_be_bytes());
            }
            _ => return,
        }
        rest = behind;
    }
}

/// Bytes that reading may hold: copies of the region, what comes out of decompression, and the codecs' contexts.
pub fn allowed(data: &[u8]) -> usize {
    let limit = data.first().map_or(0, |flags| limit(*flags));
    CONTEXTS + 64 * data.len() + 8 * limit
}

/// zstd and gzip keep windows of their own, whatever their input.
const CONTEXTS: usize = 1 << 20;
