//! A batch that the broker finds too large goes again in two halves.

use super::{Outcome, Sender};
use crate::error::{Code, Error};
use crate::producer::batch::{CompressionSetting, OpenBatch, SealedBatch, Sequence};
use crate::record::{
    record_size_upper_bound, Batch, BatchReader, Decompressor, Headers, ProducerState, RecordRef,
};
use bytes::{Bytes, BytesMut};

/// More than any batch that was built here can have.
const MAX_UNCOMPRESSED: usize = i32::MAX as usize;

impl Sender {
    /// Puts two halves of a batch in its place. They keep its numbers, which the broker has not used.
    pub(super) fn split_and_put_back(&mut self, slot: usize, mut batch: Box<SealedBatch>, error: Error) {
        let compression = self.accumulator.settings.compression;
        match halves(&mut batch, compression, &self.accumulator.pool) {
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
                if self.settings.idempotence {
                    self.restart_numbering(slot);
                }
                self.report(slot, &mut batch, Outcome::Failed(error));
            }
        }
    }
}

fn halves(
    batch: &mut SealedBatch,
    compression: CompressionSetting,
    pool: &std::sync::Arc<crate::producer::buffer_pool::BufferPool>,
) -> Result<[SealedBatch; 2], Error> {
    let mut whole = batch.facts.header(&batch.payload, ProducerState::NONE).to_vec();
    whole.extend_from_slice(&batch.payload);
    let unreadable = |e: &dyn std::fmt::Display| Error::new(Code::CORRUPT_MESSAGE, e.to_string());
    let mut reader = BatchReader::new(Bytes::from(whole), false);
    let parsed: Batch = match reader.next() {
        Some(Ok(parsed)) => parsed,
        Some(Err(e)) => return Err(unreadable(&e)),
        None => return Err(unreadable(&"it has no records")),
    };
    let mut decompressor = Decompressor::new();
    let mut records = parsed.records(&mut decompressor, MAX_UNCOMPRESSED).map_err(|e| unreadable(&e))?;
    let middle = batch.tokens.len() / 2;
    let tokens = std::mem::take(&mut batch.tokens);
    let mut halves = Vec::with_capacity(2);
    let mut open: Option<OpenBatch> = None;
    let size_guess = batch.facts.uncompressed_len as usize / 2 + 1024;
    for (i, token) in tokens.iter().enumerate() {
        if i == middle {
            halves.extend(open.take());
        }
        let record = match records.next() {
            Some(Ok(record)) => record,
            _ => {
                batch.tokens = tokens;
                return Err(unreadable(&"its records cannot be read back"));
            }
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
        let open = open.get_or_insert_with(|| {
            let buffer = BytesMut::zeroed(size_guess.max(record_size_upper_bound(&entry)));
            pool.force_charge(buffer.len());
            OpenBatch::new(buffer, batch.created, batch.epoch, tokens.len() - middle)
        });
        if open.try_append(&entry, *token, MAX_UNCOMPRESSED).is_err() {
            batch.tokens = tokens;
            return Err(unreadable(&"a record did not fit"));
        }
    }
    halves.extend(open);
    let mut sealed = halves.into_iter().map(|half| half.seal(compression, pool));
    let (Some(mut first), Some(mut second)) = (sealed.next(), sealed.next()) else {
        return Err(unreadable(&"it has one record"));
    };
    number_halves(batch, &mut first, &mut second);
    Ok([first, second])
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
