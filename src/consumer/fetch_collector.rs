//! `FetchCollector`: takes completed fetches out of the buffer, checks that they are still wanted, and makes them
//! into what poll hands out. Works on the application's thread.

use super::completed_fetch::{CompletedFetch, Reading, Stop};
use super::record_view::{Chunk, Chunks, FetchedBatch, RecordView};
use super::shared::Shared;
use super::types::Polled;
use crate::client::connection_states::Backoff;
use crate::config::Serde;
use crate::error::{Code, Error, Place, Result};
use crate::record::{Decompressor, RecordError};
use crate::serialization::{deserializer, TopicPartition};
use crate::time::Nanos;
use std::collections::VecDeque;
use std::sync::Arc;

pub struct FetchCollector {
    shared: Arc<Shared>,
    decompressor: Decompressor,
    /// A batch may decompress to so many bytes.
    block_limit: usize,
    serdes: [Serde; 2],
    retry: Backoff,
    rng: fastrand::Rng,
    /// In a box, as everything of its kind here: it is large, and passed around at every poll.
    next_in_line: Option<Box<CompletedFetch>>,
    /// Fetches of paused partitions, kept for when they are resumed.
    parked: VecDeque<Box<CompletedFetch>>,
    parked_at: u64,
    /// Found behind records that were handed out first.
    failed: Option<Error>,
}

/// What the subscription says about a fetch.
enum Verdict {
    Wanted,
    Paused,
    Stale,
}

impl FetchCollector {
    pub fn new(
        shared: Arc<Shared>,
        block_limit: usize,
        serdes: [Serde; 2],
        retry: Backoff,
        seed: u64,
    ) -> FetchCollector {
        FetchCollector {
            shared,
            decompressor: Decompressor::new(),
            block_limit,
            serdes,
            retry,
            rng: fastrand::Rng::with_seed(seed),
            next_in_line: None,
            parked: VecDeque::new(),
            parked_at: 0,
            failed: None,
        }
    }

    /// Up to `max_records` records of what has been fetched; nothing when nothing is there.
    ///
    /// # Errors
    /// A batch that cannot be read: CORRUPT_MESSAGE, with the position unchanged. BATCHES_HELD when reading on takes
    /// memory that the application holds.
    #[inline(always)]
    pub fn fetched_records(&mut self, now: Nanos, max_records: usize) -> Result<Polled> {
        match self.parsed_before(max_records) {
            Some(chunk) => Ok(self.hand_out(Chunks::from_buf([chunk]))),
            None => self.read_fetches(now, max_records),
        }
    }

    /// What former polls have parsed, if it is all that this one wants. For polls of few records: there is one lock to
    /// take, and nothing to begin or to end.
    #[inline(always)]
    fn parsed_before(&mut self, max_records: usize) -> Option<Chunk> {
        if self.failed.is_some() || !self.is_any_accepted() {
            return None;
        }
        let fetch = self.next_in_line.as_mut()?;
        let to = fetch.parsed_behind(max_records)?;
        let from = fetch.position.offset;
        if !self.shared.subscription.lock().advance(fetch.id, fetch.epoch, from, to) {
            // It is not wanted any more, or not now: that is found out where fetches are taken.
            return None;
        }
        fetch.take_parsed(max_records, to)
    }

    #[inline(never)]
    fn read_fetches(&mut self, now: Nanos, max_records: usize) -> Result<Polled> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut chunks = Chunks::new();
        let mut left = max_records.max(1);
        while left > 0 {
            let Some(fetch) = self.next_fetch() else { break };
            match self.read(now, fetch, left, &mut chunks) {
                Ok(Some(read)) => left = left.saturating_sub(read),
                Ok(None) => break,
                Err(error) if chunks.is_empty() => return Err(error),
                // The records come first; whatever is wrong is still wrong at the next poll.
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        if chunks.is_empty() {
            return Ok(Polled::Nothing);
        }
        Ok(self.hand_out(chunks))
    }

    #[inline(always)]
    fn hand_out(&self, chunks: Chunks) -> Polled {
        Polled::Records(FetchedBatch { chunks, _outstanding: self.shared.budget.hand_out() })
    }

    /// Whether poll could have something without the broker sending more.
    pub fn is_empty(&self) -> bool {
        self.failed.is_none() && self.next_in_line.is_none() && self.shared.fetch_buffer.is_empty()
    }

    /// Gives the memory of paused partitions back, because others need it. Returns whether there was any.
    pub fn drop_parked(&mut self) -> bool {
        let mut subscription = self.shared.subscription.lock();
        for fetch in &self.parked {
            subscription.refetch(fetch.id, fetch.epoch, Nanos(0), None);
        }
        drop(subscription);
        let any = !self.parked.is_empty();
        self.parked.clear();
        any
    }

    fn next_fetch(&mut self) -> Option<Box<CompletedFetch>> {
        self.unpark();
        loop {
            let fetch = self.next_in_line.take().or_else(|| self.shared.fetch_buffer.poll().map(Box::new))?;
            match self.verdict(&fetch) {
                Verdict::Wanted => return Some(fetch),
                Verdict::Paused => self.parked.push_back(fetch),
                Verdict::Stale => drop(fetch),
            }
        }
    }

    fn verdict(&self, fetch: &CompletedFetch) -> Verdict {
        let mut subscription = self.shared.subscription.lock();
        let Some(state) = subscription.current(fetch.id, fetch.epoch) else { return Verdict::Stale };
        if state.position().is_none_or(|p| p.offset != fetch.position.offset) {
            // What was fetched ahead does not join what was read: begin again at the position.
            subscription.refetch(fetch.id, fetch.epoch, Nanos(0), None);
            return Verdict::Stale;
        }
        match state.is_readable() {
            true => Verdict::Wanted,
            false => Verdict::Paused,
        }
    }

    /// Brings fetches back whose partitions were resumed.
    fn unpark(&mut self) {
        if self.parked.is_empty() || self.next_in_line.is_some() {
            return;
        }
        let subscription = self.shared.subscription.lock();
        if subscription.changes() == self.parked_at {
            return;
        }
        self.parked_at = subscription.changes();
        self.parked.retain(|f| subscription.current(f.id, f.epoch).is_some());
        let ready = |f: &CompletedFetch| subscription.current(f.id, f.epoch).is_some_and(|s| s.is_readable());
        if let Some(at) = self.parked.iter().position(|f| ready(f)) {
            self.next_in_line = self.parked.remove(at);
            // There may be more: look again next time.
            self.parked_at = u64::MAX;
        }
    }

    /// Reads of one fetch; returns how many records were added, or nothing when no more can be read for now.
    fn read(
        &mut self,
        now: Nanos,
        mut fetch: Box<CompletedFetch>,
        max: usize,
        chunks: &mut Chunks,
    ) -> Result<Option<usize>> {
        let (id, epoch, from, first) = (fetch.id, fetch.epoch, fetch.position.offset, chunks.len());
        let mut reading = Reading {
            decompressor: &mut self.decompressor,
            block_limit: self.block_limit,
            budget: &self.shared.budget,
        };
        let stop = fetch.fetch_records(max, chunks, &mut reading);
        let refused = self.check(chunks, first);
        let mut to = fetch.position;
        if let Some(refused) = &refused {
            to.offset = refused.offset;
        }
        let drained = stop == Stop::Drained && refused.is_none();
        let (mut current, mut unblocked) = (true, false);
        {
            let mut subscription = self.shared.subscription.lock();
            if to.offset != from {
                current = subscription.advance(id, epoch, from, to);
            }
            if drained && current {
                unblocked = subscription.drained(id, epoch);
            }
        }
        if !current {
            // It was revoked or moved by the other side while it was read.
            chunks.truncate(first);
            return Ok(Some(0));
        }
        if unblocked {
            self.shared.wake();
        }
        let read = chunks.iter().skip(first).map(|c| c.records().len()).sum();
        if let Some(refused) = refused {
            return self.again(now, &fetch, read, refused.error);
        }
        match stop {
            Stop::Drained => {}
            Stop::Corrupt(error) if read == 0 => {
                let error = corrupt(&fetch, &error);
                return self.again(now, &fetch, read, error);
            }
            Stop::Held if chunks.is_empty() => {
                self.next_in_line = Some(fetch);
                return Err(batches_held());
            }
            Stop::Held => {
                self.next_in_line = Some(fetch);
                return Ok(None);
            }
            // What is wrong with it comes up again, when what is in front of it was handed out.
            Stop::Full | Stop::Corrupt(_) => self.next_in_line = Some(fetch),
        }
        Ok(Some(read))
    }

    /// Drops a fetch that cannot be read on. It is fetched once more: not before a pause, if it failed right where
    /// the position is.
    fn again(
        &mut self,
        now: Nanos,
        fetch: &CompletedFetch,
        read: usize,
        error: Error,
    ) -> Result<Option<usize>> {
        let mut subscription = self.shared.subscription.lock();
        if read > 0 {
            subscription.refetch(fetch.id, fetch.epoch, now, None);
            drop(subscription);
            self.shared.wake();
            return Ok(Some(read));
        }
        let failures = subscription.current(fetch.id, fetch.epoch).map_or(0, |s| s.failures);
        let pause = self.retry.after(failures.saturating_add(1), self.rng.f64());
        subscription.refetch(fetch.id, fetch.epoch, now.plus_ms(pause), Some(error.clone()));
        drop(subscription);
        self.shared.wake();
        Err(error)
    }

    /// Whether the deserializers refuse no record.
    fn is_any_accepted(&self) -> bool {
        self.serdes == [Serde::Bytes; 2]
    }

    /// Has the deserializers look at new records. From the first one that they refuse on, records are cut off.
    fn check(&self, chunks: &mut Chunks, first: usize) -> Option<Refused> {
        if self.is_any_accepted() {
            return None;
        }
        let [key_serde, value_serde] = self.serdes;
        let refuses = |chunk: &Chunk, view: &RecordView| -> Option<Error> {
            let key = deserializer(key_serde).deserialize(chunk.topic(), chunk.key(view)).err();
            key.or_else(|| deserializer(value_serde).deserialize(chunk.topic(), chunk.value(view)).err())
        };
        for number in first..chunks.len() {
            let Some(chunk) = chunks.get_mut(number) else { break };
            let bad =
                chunk.records().iter().enumerate().find_map(|(i, r)| Some((i, r.offset, refuses(chunk, r)?)));
            let Some((at, offset, error)) = bad else { continue };
            let partition = TopicPartition::new(chunk.topic().clone(), chunk.partition);
            let text = format!("the record at offset {offset} of {partition} cannot be deserialized");
            let error = Error::new(error.code(), text)
                .at(place(&partition, offset, offset.saturating_add(1)))
                .cause(error.message())
                .hint(format!("seek to offset {} to read on behind it", offset.saturating_add(1)));
            chunk.cut(at, offset);
            chunks.truncate(number + usize::from(at > 0));
            return Some(Refused { offset, error });
        }
        None
    }
}

/// A record that a deserializer refused.
struct Refused {
    offset: i64,
    error: Error,
}

fn corrupt(fetch: &CompletedFetch, error: &RecordError) -> Error {
    let partition = TopicPartition::new(fetch.topic.clone(), fetch.id.index);
    let text = format!("{partition} cannot be read at offset {}", fetch.position.offset);
    let hint = match error.is_too_large() {
        true => "raise fetch.buffer.memory or receive.message.max.bytes, or seek to offset",
        false => "it is fetched again; if that does not help, seek to offset",
    };
    let next = error.next_offset.max(fetch.position.offset.saturating_add(1));
    Error::new(error.code(), text)
        .at(place(&partition, fetch.position.offset, next))
        .cause(error.to_string())
        .hint(format!("{hint} {next} to read on behind it"))
        .retriable(false)
}

fn place(partition: &TopicPartition, offset: i64, next_offset: i64) -> Place {
    Place { topic: partition.topic.clone(), partition: partition.partition, offset, next_offset }
}

pub fn batches_held() -> Error {
    Error::new(Code::BATCHES_HELD, "the batches that the application holds fill fetch.buffer.memory")
}
