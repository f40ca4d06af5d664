//! The way of a record from `send` into the open batch of its partition, on the application's thread.
//!
//! Records as most are take a short way, [`RecordAccumulator::append_one`] one by one and [`fill_plain`] in a row.
//! All others, and whatever else has to be done (a batch begun, one sealed, the I/O thread told) go the long one.

use super::errors::{no_such_partition, too_large};
use super::RecordAccumulator;
use crate::error::Error;
use crate::producer::batch::OpenBatch;
use crate::producer::partitioner::partition_for_key;
use crate::producer::record::{PlainSend, ProducerRecord, RecordSource};
use crate::producer::topic::{Partition, Queue, Topic};
use crate::record::{record_size_upper_bound, AppendError, RecordRef};
use crate::time::Nanos;
use bytes::BytesMut;
use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a call of `send` ended: how many records were accepted, and why not more.
#[derive(Debug)]
pub struct Sent {
    pub accepted: usize,
    pub refused: Option<Error>,
}

/// What a call of `send` needs to know of its moment.
pub struct AppendContext<'a> {
    pub wall_ms: i64,
    /// Reads the monotonic clock, for the rare case that something needs it.
    pub mono: &'a dyn Fn() -> Nanos,
    /// How long to wait for memory.
    pub max_block: Duration,
    /// When that is over; known once something had to be waited for.
    deadline: Cell<Option<Instant>>,
}

impl<'a> AppendContext<'a> {
    #[inline]
    pub fn new(wall_ms: i64, mono: &'a dyn Fn() -> Nanos, max_block: Duration) -> AppendContext<'a> {
        AppendContext { wall_ms, mono, max_block, deadline: Cell::new(None) }
    }

    /// Until when to wait; `None` does not wait.
    pub(super) fn wait_until(&self) -> Option<Instant> {
        if self.max_block.is_zero() {
            return None;
        }
        let deadline = self.deadline.get().unwrap_or_else(|| crate::producer::after(self.max_block));
        self.deadline.set(Some(deadline));
        Some(deadline)
    }
}

/// Where a run of records goes: to a given partition, or wherever records without a key go now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Fixed(usize),
    Sticky,
}

/// Why a run of records ended at one partition.
enum RunEnd {
    NoMore,
    /// The next record belongs elsewhere.
    OtherRoute,
    /// A new batch is needed, for a record of this size. If there is an open one, it is full.
    NeedsBatch {
        size: usize,
    },
    Failed(Error),
}

impl RecordAccumulator {
    /// Takes records from `source` until it ends or one is refused.
    pub fn append(&self, topic: &[u8], source: &mut impl RecordSource, at: &AppendContext<'_>) -> Sent {
        let mut accepted = 0;
        let result = self.topic(topic).and_then(|topic| {
            let result = self.append_all(topic, source, at, &mut accepted);
            result.inspect_err(|error| self.on_refused(topic, error))
        });
        Sent { accepted, refused: result.err() }
    }

    /// Appends a plain record if that takes no more than a copy: its topic was sent to lately, and its batch is
    /// open and has room. Returns false, nothing done, in every other case.
    #[inline(always)]
    pub fn append_one(&self, topic: &[u8], send: &PlainSend<'_>, wall_ms: impl FnOnce() -> i64) -> bool {
        match self.recent_topic(topic) {
            Some(topic) => self.append_to_open(topic, send, wall_ms),
            None => false,
        }
    }

    #[inline(always)]
    fn append_to_open(&self, topic: &Topic, send: &PlainSend<'_>, wall_ms: impl FnOnce() -> i64) -> bool {
        let count = topic.partitions.count();
        let (index, sticky) = match self.route_of(send.partition, send.record.key(), count) {
            Route::Fixed(index) => (index, false),
            Route::Sticky => (topic.sticky.chosen(), true),
        };
        if index >= count {
            return false;
        }
        let Some(partition) = topic.partitions.get(index) else { return false };
        let record = send.record.stamped(wall_ms);
        let mut queue = partition.queue.lock();
        let Some(open) = &mut queue.open else { return false };
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        let Some(mut batch) = open.appender() else { return false };
        let before = batch.written();
        if !batch.append(&record, send.token) {
            return false;
        }
        if sticky {
            topic.sticky.produced(batch.written().wrapping_sub(before));
        }
        true
    }

    fn append_all(
        &self,
        topic: &Arc<Topic>,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<(), Error> {
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(self.refusal());
            }
            let count = topic.partitions.count();
            if count == 0 {
                self.append_pending(topic, source, at, accepted)?;
                if source.peek().is_none() {
                    return Ok(());
                }
                continue;
            }
            let route = match source.peek() {
                None => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(record)) => self.route(&topic.name, &record, count)?,
            };
            if self.append_run(topic, count, route, source, at, accepted)? {
                return Ok(());
            }
        }
    }

    #[inline]
    pub(super) fn route(
        &self,
        topic: &str,
        record: &ProducerRecord<'_>,
        partitions: usize,
    ) -> Result<Route, Error> {
        match self.route_of(record.partition, record.key, partitions) {
            Route::Fixed(index) if index >= partitions => Err(no_such_partition(topic, index)),
            route => Ok(route),
        }
    }

    /// The route of a record for this partition (-1: none given) with this key; a partition that is given may be none
    /// of the topic's.
    #[inline(always)]
    fn route_of(&self, partition: i32, key: Option<&[u8]>, partitions: usize) -> Route {
        match key {
            _ if partition >= 0 => Route::Fixed(partition as usize),
            Some(key) if !self.settings.ignore_keys => Route::Fixed(partition_for_key(key, partitions)),
            _ => Route::Sticky,
        }
    }

    /// Appends records as long as they take this route. Returns whether there are no more.
    fn append_run(
        &self,
        topic: &Topic,
        count: usize,
        route: Route,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<bool, Error> {
        let index = match route {
            Route::Fixed(index) => index,
            Route::Sticky => topic.sticky.current(count),
        };
        let Some(partition) = topic.partitions.get(index) else { return Ok(false) };
        let mut spare = None;
        loop {
            let (end, appended) = self.append_locked(
                partition,
                &mut spare,
                |queue| self.fill(queue, &topic.name, count, route, source, at, accepted),
                at,
            )?;
            if route == Route::Sticky {
                topic.sticky.produced(appended);
            }
            let size = match end {
                RunEnd::NoMore => return Ok(true),
                RunEnd::OtherRoute => return Ok(false),
                RunEnd::Failed(error) => return Err(error),
                RunEnd::NeedsBatch { size } => size,
            };
            let moves_on =
                route == Route::Sticky && topic.sticky.next(count, self.settings.batch_size) != index;
            if moves_on {
                return Ok(false);
            }
            spare = Some(self.allocate(size, at)?);
        }
    }

    /// Runs `fill` on the queue under its lock, `spare` made its open batch if it has none; afterwards, without
    /// the lock, seals what is full and tells the I/O thread what it must know.
    fn append_locked(
        &self,
        partition: &Arc<Partition>,
        spare: &mut Option<BytesMut>,
        fill: impl FnOnce(&mut Queue) -> RunEnd,
        at: &AppendContext<'_>,
    ) -> Result<(RunEnd, usize), Error> {
        let fresh = spare.take().map(|buffer| (buffer, self.incomplete.begin(), (at.mono)()));
        let mut queue = partition.queue.lock();
        if self.closed.load(Ordering::Acquire) {
            drop(queue);
            self.discard(fresh);
            return Err(self.refusal());
        }
        let mut unused = fresh;
        let mut news = false;
        if queue.open.is_none() {
            if let Some((buffer, epoch, created)) = unused.take() {
                let expected = queue.expected;
                queue.open = Some(OpenBatch::new(buffer, created, epoch, expected));
                news = true;
            }
        }
        let before = queue.open.as_ref().map_or(0, OpenBatch::size);
        let end = fill(&mut queue);
        let appended = queue.open.as_ref().map_or(0, OpenBatch::size) - before;
        let sealing = match end {
            RunEnd::NeedsBatch { .. } => queue.begin_seal(),
            RunEnd::NoMore | RunEnd::OtherRoute | RunEnd::Failed(_) => None,
        };
        let notice = (news || sealing.is_some()).then(|| self.notice(&mut queue));
        drop(queue);
        self.discard(unused);
        if let Some((open, ticket)) = sealing {
            self.finish_seal(partition, open, ticket);
        }
        if let Some(notice) = notice {
            self.announce(partition, notice);
        }
        Ok((end, appended))
    }

    /// Appends to the open batch until it is full, there is nothing more, or the next record takes another route.
    #[allow(clippy::too_many_arguments)]
    #[inline]
    fn fill(
        &self,
        queue: &mut Queue,
        topic: &str,
        partitions: usize,
        route: Route,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> RunEnd {
        let limit = self.batch_limit();
        loop {
            if let Some(open) = &mut queue.open {
                *accepted += self.fill_plain(open, partitions, route, source, at);
            }
            let record = match source.peek() {
                None => return RunEnd::NoMore,
                Some(Err(error)) => return RunEnd::Failed(error),
                Some(Ok(record)) => record,
            };
            match self.route(topic, &record, partitions) {
                Ok(next) if next == route => {}
                Ok(_) => return RunEnd::OtherRoute,
                Err(error) => return RunEnd::Failed(error),
            }
            let entry = record.stamped(at.wall_ms);
            let outcome = match &mut queue.open {
                Some(open) => open.try_append(&entry, record.token, limit),
                None => Err(AppendError::Full),
            };
            match outcome {
                Ok(()) => {}
                Err(AppendError::Full) => return self.needs_batch(&entry),
                Err(AppendError::TooLarge) => {
                    return RunEnd::Failed(too_large(record_size_upper_bound(&entry), i32::MAX as usize))
                }
            }
            source.advance();
            *accepted += 1;
        }
    }

    /// Appends plain records in a row, as long as they take this route and fit. Returns how many. Not inlined, so
    /// that the loop has the registers for itself.
    #[inline(never)]
    fn fill_plain(
        &self,
        open: &mut OpenBatch,
        partitions: usize,
        route: Route,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
    ) -> usize {
        let Some(mut batch) = open.appender() else { return 0 };
        let wall_ms = at.wall_ms;
        let mut appended = 0;
        while let Some(send) = source.plain() {
            let next = self.route_of(send.partition, send.record.key(), partitions);
            if next != route || !batch.append(&send.record.stamped(|| wall_ms), send.token) {
                break;
            }
            source.advance();
            appended += 1;
        }
        appended
    }

    #[cold]
    fn needs_batch(&self, entry: &RecordRef<'_>) -> RunEnd {
        match self.check_size(entry) {
            Ok(size) => RunEnd::NeedsBatch { size },
            Err(error) => RunEnd::Failed(error),
        }
    }

    /// The memory that a batch for this record needs at least, if a request may carry it.
    pub(super) fn check_size(&self, entry: &RecordRef<'_>) -> Result<usize, Error> {
        let size = record_size_upper_bound(entry);
        if size > self.settings.max_request_size {
            return Err(too_large(size, self.settings.max_request_size));
        }
        Ok(size)
    }
}
