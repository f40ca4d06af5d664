//! A batch that the broker finds too large goes again in two halves.

use super::{Outcome, Sender};
use crate::error::{Code, Error};
use crate::producer::batch::{CompressionSetting, OpenBatch, SealedBatch, Sequence};
use crate::producer::buffer_pool::BufferPool;
use crate::record::{Decompressor, Headers, RecordRef, Records};
use bytes::BytesMut;
use std::sync::Arc;

/// More than any batch that was built here can have.
const MAX_UNCOMPRESSED: usize = i32::MAX as usize;

impl Sender {
    /// Puts two halves of a batch in its place. They keep its numbers, which the broker has not used.
    pub(super) fn split_and_put_back(&mut self, slot: usize, mut batch: Box<SealedBatch>, error: Error) {
        let compression = self.accumulator.settings.compression;
        match halves(&batch, compression, &self.accumulator.pool) {
            Ok(halves) => {
                self.accumulator.incomplete.begin_in(batch.epoch);
                self.accumulator.pool.release(batch.token_charge);
                for half in halves {
                    if let Some(state) = self.state(slot) {
                        state.put_back(Box::new(half));
                    }
                }
            }
            Err(problem) => {
                let error = error.cause(format!("it could not be split: {problem}"));
                self.leave_gap(slot, &batch);
                self.report(slot, &mut batch, Outcome::Failed(error));
            }
        }
    }
}

/// Charges the pool for the halves, and for nothing when there are none.
fn halves(
    batch: &SealedBatch,
    compression: CompressionSetting,
    pool: &Arc<BufferPool>,
) -> Result<[SealedBatch; 2], Error> {
    let (front, back) = batch.tokens.split_at(batch.tokens.len() / 2);
    if front.is_empty() {
        return Err(unreadable("it has one record"));
    }
    let records = batch.facts.records(batch.payload.clone(), &mut Decompressor::new());
    let mut records = records.map_err(|e| unreadable(&e.to_string()))?;
    let open = [half(batch, front, &mut records)?, half(batch, back, &mut records)?];
    let [mut first, mut second] = open.map(|open| {
        pool.force_charge(open.charge());
        open.seal(compression, pool)
    });
    number_halves(batch, &mut first, &mut second);
    Ok([first, second])
}

fn unreadable(why: &str) -> Error {
    Error::new(Code::CORRUPT_MESSAGE, why.to_owned())
}

/// The next records of a batch, one for each token, in a batch of their own. Nothing is charged for it yet.
fn half(batch: &SealedBatch, tokens: &[u64], records: &mut Records) -> Result<OpenBatch, Error> {
    let size = batch.facts.uncompressed_len as usize / 2 + 1024;
    let mut open = OpenBatch::new(BytesMut::zeroed(size), batch.created, batch.epoch, tokens.len());
    for token in tokens {
        let Some(Ok(record)) = records.next() else {
            return Err(unreadable("its records cannot be read back"));
        };
        let block = records.block();
        let entry = RecordRef {
            timestamp_ms: record.timestamp_ms,
            key: record.key.get(block),
            value: record.value.get(block),
            headers: Headers::Encoded {
                count: record.header_count,
                bytes: record.headers.get(block).unwrap_or(&[]),
            },
        };
        if open.try_append(&entry, *token, MAX_UNCOMPRESSED).is_err() {
            return Err(unreadable("a record did not fit"));
        }
    }
    Ok(open)
}

fn number_halves(batch: &SealedBatch, first: &mut SealedBatch, second: &mut SealedBatch) {
    // Half the distance to the next place: a batch of n records is split at most log2(n) times.
    first.order = (batch.order.0, batch.order.1);
    second.order = (batch.order.0, batch.order.1 + first.tokens.len() as u32);
    for half in [&mut *first, &mut *second] {
        half.attempts = batch.attempts;
        half.sequence = batch.sequence;
    }
    if let Some(sequence) = batch.sequence {
        let base = SealedBatch::next_sequence(sequence.base, first.records());
        second.sequence = Some(Sequence { base, ..sequence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Compression;
    use crate::sys::signal::Signal;
    use crate::time::Nanos;

    const SNAPPY: CompressionSetting = CompressionSetting { codec: Compression::Snappy, level: 0 };

    /// A pool, and a batch of `records` charged to it.
    fn sealed(records: u64, setting: CompressionSetting) -> (Arc<BufferPool>, SealedBatch) {
        let pool = Arc::new(BufferPool::new(1 << 20, 4096, Arc::new(Signal::new())));
        let mut open = OpenBatch::new(pool.allocate(4096, None, &|| ()).unwrap(), Nanos(5), 3, 8);
        for token in 0..records {
            let value = format!("value {token}");
            let record = RecordRef {
                timestamp_ms: 1000 + token as i64,
                value: Some(value.as_bytes()),
                ..RecordRef::default()
            };
            open.try_append(&record, token, usize::MAX).unwrap();
        }
        (pool.clone(), open.seal(setting, &pool))
    }

    fn values(batch: &SealedBatch) -> Vec<(i64, String)> {
        let mut records = batch.facts.records(batch.payload.clone(), &mut Decompressor::new()).unwrap();
        let mut all = Vec::new();
        while let Some(record) = records.next() {
            let record = record.unwrap();
            let value = record.value.get(records.block()).unwrap();
            all.push((record.timestamp_ms, String::from_utf8(value.to_vec()).unwrap()));
        }
        all
    }

    fn gone(pool: &BufferPool, batch: SealedBatch) {
        pool.release(batch.token_charge);
        drop(batch);
    }

    #[test]
    fn halves_hold_all_records_in_order_and_charge_what_they_take() {
        for codec in [Compression::None, Compression::Snappy] {
            let setting = CompressionSetting { codec, level: 0 };
            let (pool, mut batch) = sealed(7, setting);
            batch.sequence = Some(Sequence { producer_id: 9, epoch: 1, base: i32::MAX - 1 });
            let [first, second] = halves(&batch, setting, &pool).unwrap();
            assert_eq!([values(&first), values(&second)].concat(), values(&batch));
            assert_eq!((&first.tokens[..], &second.tokens[..]), (&[0, 1, 2][..], &[3, 4, 5, 6][..]));
            let bases = [&first, &second].map(|half| half.sequence.unwrap().base);
            assert_eq!(bases, [i32::MAX - 1, 1], "numbers wrap round");
            assert!(first.order < second.order);
            for batch in [batch, first, second] {
                gone(&pool, batch);
            }
            assert_eq!(pool.charged(), 0);
        }
    }

    #[test]
    fn a_batch_that_cannot_be_split_keeps_its_tokens_and_costs_nothing_more() {
        let (pool, mut batch) = sealed(6, SNAPPY);
        let before = pool.charged();
        // As many tokens as records there are not: the second half ends too early, after the first was made.
        batch.tokens.extend([6, 7]);
        assert!(halves(&batch, SNAPPY, &pool).is_err());
        assert_eq!((pool.charged(), batch.tokens.len()), (before, 8));
        batch.payload.truncate(batch.payload.len() / 2);
        assert!(halves(&batch, SNAPPY, &pool).is_err(), "its block cannot be unpacked");
        assert_eq!(pool.charged(), before);

        let (pool, batch) = sealed(1, SNAPPY);
        let before = pool.charged();
        assert!(halves(&batch, SNAPPY, &pool).is_err());
        assert_eq!((pool.charged(), batch.tokens.len()), (before, 1));
    }
}
