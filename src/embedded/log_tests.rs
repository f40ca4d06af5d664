//! What a partition's log takes, gives back and forgets.

use super::*;
use crate::embedded::testing::{batch_with, plain_batch};
use crate::record::ProducerState;
use proptest::prelude::*;

fn append(log: &mut PartitionLog, bytes: &Bytes, append_time: Option<i64>) -> i64 {
    let batch = BatchReader::new(bytes.clone(), true).next().unwrap().unwrap();
    log.append(&batch, bytes, 3, append_time)
}

fn offsets(read: &ReadResult) -> Vec<(i64, i64)> {
    let reader = BatchReader::new(Bytes::from(read.segments.concat()), true);
    reader.map(|b| b.unwrap()).map(|b| (b.base_offset, b.last_offset)).collect()
}

#[test]
fn offsets_are_assigned_and_checksums_still_hold() {
    let mut log = PartitionLog::default();
    assert_eq!(append(&mut log, &plain_batch(3), None), 0);
    assert_eq!(append(&mut log, &plain_batch(2), None), 3);
    assert_eq!((log.start(), log.end()), (0, 5));
    assert_eq!(offsets(&log.read(0, 1 << 20, false)), [(0, 2), (3, 4)]);
    // The batch that holds the offset comes whole.
    assert_eq!(offsets(&log.read(1, 1 << 20, false)), [(0, 2), (3, 4)]);
    assert_eq!(offsets(&log.read(3, 1 << 20, false)), [(3, 4)]);
    assert!(log.read(5, 1 << 20, true).segments.is_empty());
}

#[test]
fn limits_cut_the_last_batch_but_never_the_first() {
    let mut log = PartitionLog::default();
    let batch = plain_batch(1);
    append(&mut log, &batch, None);
    append(&mut log, &batch, None);
    let size = batch.len();
    assert_eq!(log.read(0, 10, false).bytes, 0);
    assert_eq!(log.read(0, 10, true).bytes, size);
    assert_eq!(log.read(0, size + 20, false).bytes, size + 20);
    let cut = log.read(0, size + 20, false);
    let mut reader = BatchReader::new(Bytes::from(cut.segments.concat()), true);
    assert_eq!(reader.by_ref().count(), 1);
    assert!(reader.truncated().is_some());
}

#[test]
fn large_batches_are_shared_and_small_ones_copied_together() {
    let mut log = PartitionLog::default();
    for records in [1, 1, 200, 1, 200] {
        append(&mut log, &plain_batch(records), None);
    }
    let read = log.read(0, usize::MAX, true);
    assert_eq!(read.segments.len(), 4);
    let stored: Vec<&Bytes> = log.batches().collect();
    assert!(std::ptr::eq(&read.segments[1][..], &stored[2][..]));
    assert_eq!(offsets(&read), [(0, 0), (1, 1), (2, 201), (202, 202), (203, 402)]);
}

#[test]
fn append_time_is_that_of_the_whole_batch() {
    let mut log = PartitionLog::default();
    append(&mut log, &plain_batch(2), Some(99_000));
    let batch = BatchReader::new(log.batches().next().unwrap().clone(), true).next().unwrap().unwrap();
    assert_eq!(batch.timestamp_type.name(), "append");
    assert_eq!(batch.max_timestamp, 99_000);
    assert_eq!(log.at_timestamp(5_000), Some(TimestampOffset { timestamp: 99_000, offset: 0 }));
}

#[test]
fn deleting_moves_the_start_and_drops_whole_batches() {
    let mut log = PartitionLog::default();
    for _ in 0..3 {
        append(&mut log, &plain_batch(10), None);
    }
    log.delete_before(15);
    assert_eq!((log.start(), log.batches().count()), (15, 2));
    assert_eq!(offsets(&log.read(15, 1 << 20, true))[0], (10, 19));
    log.delete_before(3);
    assert_eq!(log.start(), 15, "the start never goes back");
    log.delete_before(i64::MAX);
    assert_eq!((log.start(), log.end(), log.batches().count()), (30, 30, 0));
    assert_eq!(append(&mut log, &plain_batch(1), None), 30);
}

#[test]
fn retention_by_size_keeps_the_newest_batch() {
    let mut log = PartitionLog::default();
    let batch = plain_batch(10);
    for _ in 0..5 {
        append(&mut log, &batch, None);
        log.retain_bytes(batch.len() as u64 * 2);
    }
    assert_eq!((log.start(), log.end(), log.batches().count()), (30, 50, 2));
    log.retain_bytes(0);
    assert_eq!((log.start(), log.batches().count()), (40, 1));
}

#[test]
fn records_are_found_by_timestamp_also_in_compressed_batches() {
    let mut log = PartitionLog::default();
    for (codec, timestamp) in
        [(Compression::Gzip, 1_000), (Compression::Zstd, 3_000), (Compression::None, 2_000)]
    {
        append(&mut log, &batch_with(5, codec, ProducerState::NONE, timestamp), None);
    }
    let at = |t| log.at_timestamp(t).map(|f| (f.timestamp, f.offset));
    assert_eq!(at(0), Some((1_000, 0)));
    assert_eq!(at(1_003), Some((1_003, 3)));
    assert_eq!(at(1_500), Some((3_000, 5)));
    assert_eq!(at(3_005), None);
    assert_eq!(log.at_max_timestamp(), Some(TimestampOffset { timestamp: 3_004, offset: 9 }));
    assert!(log.read(0, 1 << 20, true).zstd);
}

#[test]
fn epochs_end_where_the_next_one_began() {
    let mut log = PartitionLog::default();
    log.begin_epoch(0);
    append(&mut log, &plain_batch(5), None);
    log.begin_epoch(2);
    append(&mut log, &plain_batch(5), None);
    log.begin_epoch(5);
    assert_eq!(log.end_of_epoch(0), (0, 5));
    assert_eq!(log.end_of_epoch(1), (0, 5));
    assert_eq!(log.end_of_epoch(2), (2, 10));
    assert_eq!(log.end_of_epoch(5), (5, 10));
    assert_eq!(log.end_of_epoch(6), (-1, -1));
    assert_eq!([log.epoch_at(4), log.epoch_at(5), log.epoch_at(10)], [0, 2, 5]);
    assert_eq!(PartitionLog::default().end_of_epoch(0), (-1, -1));
}

#[test]
fn a_corrupted_batch_fails_its_checksum() {
    let mut log = PartitionLog::default();
    append(&mut log, &plain_batch(5), None);
    assert!(!log.corrupt(1));
    assert!(log.corrupt(0));
    assert!(BatchReader::new(log.batches().next().unwrap().clone(), true).next().unwrap().is_err());
}

proptest! {
    /// Reading on from where the last read ended gives every batch once, in order, whatever the limit.
    #[test]
    fn reading_on_gives_everything(
        sizes in prop::collection::vec(1u32..40, 1..30),
        limit in 1usize..20_000,
        delete in 0i64..50,
    ) {
        let mut log = PartitionLog::default();
        for records in &sizes {
            append(&mut log, &plain_batch(*records), None);
        }
        log.delete_before(delete);
        let mut position = log.start();
        while position < log.end() {
            let read = log.read(position, limit, true);
            let got = offsets(&read);
            prop_assert!(got[0].0 <= position && position <= got[0].1);
            for (base, last) in got {
                prop_assert!(base <= position);
                position = last + 1;
            }
        }
        prop_assert_eq!(position, i64::from(sizes.iter().sum::<u32>()));
    }
}
