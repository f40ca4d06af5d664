//! `RecordAccumulator`: where the application's threads put records and the I/O thread takes batches.
//!
//! `append` is the hot path: one copy of the record into the open batch of its partition under that partition's
//! lock. The I/O thread learns of a partition by a list, once per need and not per record.

use super::batch::{CompressionSetting, OpenBatch};
use super::buffer_pool::{BufferPool, Refused};
use super::incomplete::Incomplete;
use super::last_topic::{self, LastTopic};
use super::partitioner::partition_for_key;
use super::pending::{Pending, PendingChunk};
use super::record::{ProducerRecord, RecordSource};
use super::topic::{Partition, Queue, SealTicket, Topic, TopicView};
use super::view_cell::SeenView;
use crate::client::wire::Wake;
use crate::error::{Code, Error};
use crate::record::{record_size_upper_bound, AppendError, RecordRef};
use crate::time::{Nanos, Now};
use bytes::BytesMut;
use parking_lot::{Mutex, RwLock};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a chunk of records that wait for metadata takes more of them.
const PENDING_CHUNK_MS: u64 = 100;

/// The value of `sleeps_until` while the I/O thread is at work on this client.
const AWAKE: u64 = 0;

type Topics = HashMap<Arc<str>, Arc<Topic>, foldhash::fast::RandomState>;

/// What the accumulator is configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub batch_size: usize,
    pub linger_ms: u64,
    pub buffer_memory: usize,
    pub max_request_size: usize,
    /// How long a record may wait for its topic's partitions.
    pub max_block_ms: u64,
    pub compression: CompressionSetting,
    pub ignore_keys: bool,
    pub seed: u64,
}

pub struct RecordAccumulator {
    /// Unlike that of any other accumulator of the process.
    id: u64,
    pub settings: Settings,
    pub pool: Arc<BufferPool>,
    pub incomplete: Incomplete,
    topics: RwLock<Topics>,
    /// Partitions with something new for the sender.
    listed: Mutex<Vec<Arc<Partition>>>,
    /// Topics with records that wait for metadata.
    listed_topics: Mutex<Vec<Arc<Topic>>>,
    slots: AtomicUsize,
    /// Until when the I/O thread sleeps at most: a later deadline need not wake it. 0 while it is at work, because
    /// it looks at the lists once more before it sleeps.
    sleeps_until: AtomicU64,
    closed: AtomicBool,
    waker: Arc<dyn Wake>,
}

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
    fn wait_until(&self) -> Option<Instant> {
        if self.max_block.is_zero() {
            return None;
        }
        let deadline = self.deadline.get().unwrap_or_else(|| super::after(self.max_block));
        self.deadline.set(Some(deadline));
        Some(deadline)
    }
}

/// Where a run of records goes: to a given partition, or wherever records without a key go now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Fixed(usize),
    Sticky,
}

/// Whether a partition must be put on the sender's list, and when the sender must look at it.
struct Notice {
    newly: bool,
    due: Nanos,
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
    pub fn new(settings: Settings, pool: Arc<BufferPool>, waker: Arc<dyn Wake>) -> RecordAccumulator {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        RecordAccumulator {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            settings,
            pool,
            incomplete: Incomplete::default(),
            topics: RwLock::new(Topics::default()),
            listed: Mutex::new(Vec::new()),
            listed_topics: Mutex::new(Vec::new()),
            slots: AtomicUsize::new(0),
            sleeps_until: AtomicU64::new(AWAKE),
            closed: AtomicBool::new(false),
            waker,
        }
    }

    // ---- application threads

    /// Takes records from `source` until it ends or one is refused.
    pub fn append(&self, topic: &[u8], source: &mut impl RecordSource, at: &AppendContext<'_>) -> Sent {
        let mut accepted = 0;
        let last = match last_topic::take(self.id, topic) {
            Some(last) => Ok(last),
            None => self
                .topic(topic)
                .map(|topic| Box::new(LastTopic { accumulator: self.id, topic, seen: SeenView::default() })),
        };
        let result = last.and_then(|mut last| {
            let result = self.append_all(&mut last, source, at, &mut accepted);
            last_topic::keep(last);
            result
        });
        Sent { accepted, refused: result.err() }
    }

    /// The usual case of one record a call: its topic is the last one, its batch is open and has room. Returns
    /// false, nothing done, in every other case.
    #[inline(always)]
    pub fn try_append_one(&self, topic: &[u8], record: &ProducerRecord<'_>, wall_ms: i64) -> bool {
        let Some(mut last) = last_topic::take(self.id, topic) else { return false };
        let appended = self.append_to_open(&mut last, record, wall_ms);
        last_topic::keep(last);
        appended
    }

    #[inline(always)]
    fn append_to_open(&self, last: &mut LastTopic, record: &ProducerRecord<'_>, wall_ms: i64) -> bool {
        let LastTopic { topic, seen, .. } = last;
        topic.view.refresh(seen);
        let Some(view) = &seen.view else { return false };
        let count = view.partitions.len();
        let (index, sticky) = match self.route(&topic.name, record, count) {
            Ok(Route::Fixed(index)) => (index, false),
            Ok(Route::Sticky) => (topic.sticky.current(&view.available, count), true),
            Err(_) => return false,
        };
        let Some(partition) = view.partitions.get(index) else { return false };
        let timestamp_ms = if record.timestamp_ms < 0 { wall_ms } else { record.timestamp_ms };
        let entry = RecordRef { timestamp_ms, key: record.key, value: record.value, headers: record.headers };
        let mut queue = partition.queue.lock();
        let Some(open) = &mut queue.open else { return false };
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        let before = open.size();
        if open.try_append(&entry, record.token, self.batch_limit()).is_err() {
            return false;
        }
        let bytes = open.size() - before;
        drop(queue);
        if sticky {
            topic.sticky.produced(index, bytes);
        }
        true
    }

    fn append_all(
        &self,
        last: &mut LastTopic,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<(), Error> {
        let LastTopic { topic, seen, .. } = last;
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(closed());
            }
            topic.view.refresh(seen);
            let Some(view) = &seen.view else {
                if source.peek().is_none() {
                    return Ok(());
                }
                self.append_pending(topic, source, at, accepted)?;
                continue;
            };
            let route = match source.peek() {
                None => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(record)) => self.route(&topic.name, &record, view.partitions.len())?,
            };
            if self.append_run(topic, view, route, source, at, accepted)? {
                return Ok(());
            }
        }
    }

    /// The topic of this name, if something was sent to it.
    pub fn find(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().get(name).cloned()
    }

    /// The topic of this name; it is made when it is sent to for the first time.
    fn topic(&self, name: &[u8]) -> Result<Arc<Topic>, Error> {
        let name = std::str::from_utf8(name)
            .map_err(|_| Error::new(Code::INVALID_TOPIC_EXCEPTION, "the name of the topic is not UTF-8"))?;
        if let Some(topic) = self.find(name) {
            return Ok(topic);
        }
        check_topic_name(name)?;
        let name: Arc<str> = name.into();
        let mut topics = self.topics.write();
        let seed = self.settings.seed.wrapping_add(topics.len() as u64);
        Ok(topics.entry(name.clone()).or_insert_with(|| Arc::new(Topic::new(name, seed))).clone())
    }

    #[inline]
    fn route(&self, topic: &str, record: &ProducerRecord<'_>, partitions: usize) -> Result<Route, Error> {
        if record.partition >= 0 {
            let index = record.partition as usize;
            return if index < partitions {
                Ok(Route::Fixed(index))
            } else {
                Err(no_such_partition(topic, index))
            };
        }
        match record.key {
            Some(key) if !self.settings.ignore_keys => Ok(Route::Fixed(partition_for_key(key, partitions))),
            _ => Ok(Route::Sticky),
        }
    }

    /// Appends records as long as they take this route. Returns whether there are no more.
    fn append_run(
        &self,
        topic: &Topic,
        view: &TopicView,
        route: Route,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<bool, Error> {
        let count = view.partitions.len();
        let index = match route {
            Route::Fixed(index) => index,
            Route::Sticky => topic.sticky.current(&view.available, count),
        };
        let Some(partition) = view.partitions.get(index) else { return Ok(false) };
        let mut spare = None;
        loop {
            let (end, appended) = self.append_locked(
                partition,
                &mut spare,
                |queue| self.fill(queue, &topic.name, count, route, source, at, accepted),
                at,
            )?;
            if route == Route::Sticky {
                topic.sticky.produced(index, appended);
            }
            let size = match end {
                RunEnd::NoMore => return Ok(true),
                RunEnd::OtherRoute => return Ok(false),
                RunEnd::Failed(error) => return Err(error),
                RunEnd::NeedsBatch { size } => size,
            };
            let moves_on = route == Route::Sticky
                && topic.sticky.next(&view.available, count, self.settings.batch_size) != index;
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
            return Err(closed());
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
            let timestamp_ms = if record.timestamp_ms < 0 { at.wall_ms } else { record.timestamp_ms };
            let entry =
                RecordRef { timestamp_ms, key: record.key, value: record.value, headers: record.headers };
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

    fn batch_limit(&self) -> usize {
        self.settings.batch_size.min(self.settings.max_request_size)
    }

    #[cold]
    fn needs_batch(&self, entry: &RecordRef<'_>) -> RunEnd {
        match self.check_size(entry) {
            Ok(size) => RunEnd::NeedsBatch { size },
            Err(error) => RunEnd::Failed(error),
        }
    }

    /// The memory that a batch for this record needs at least, if a request may carry it.
    fn check_size(&self, entry: &RecordRef<'_>) -> Result<usize, Error> {
        let size = record_size_upper_bound(entry);
        if size > self.settings.max_request_size {
            return Err(too_large(size, self.settings.max_request_size));
        }
        Ok(size)
    }

    fn allocate(&self, size: usize, at: &AppendContext<'_>) -> Result<BytesMut, Error> {
        if let Ok(buffer) = self.pool.try_allocate(size) {
            return Ok(buffer);
        }
        // Open batches that linger hold memory: the I/O thread is to send them now.
        let exhausted = || self.waker.wake();
        self.pool.allocate(size, at.wait_until(), &exhausted).map_err(|refused| self.refused(size, refused))
    }

    fn refused(&self, size: usize, refused: Refused) -> Error {
        match refused {
            Refused::Closed => closed(),
            Refused::TooLarge => {
                let text = format!("a record needs {size} bytes, buffer.memory is {}", self.pool.total());
                Error::new(Code::MESSAGE_TOO_LARGE, text).hint("raise buffer.memory").retriable(false)
            }
            Refused::Exhausted => {
                let text = format!("buffer.memory ({} bytes) is full of records not delivered yet, or whose deliveries were not polled", self.pool.total());
                Error::new(Code::BUFFER_EXHAUSTED, text)
            }
        }
    }

    /// Gives back what was got ready for a batch that another thread began first.
    fn discard(&self, unused: Option<(BytesMut, u64, Nanos)>) {
        if let Some((buffer, epoch, _)) = unused {
            self.pool.release_buffer(buffer.len(), buffer);
            self.incomplete.end(epoch);
            if self.closed.load(Ordering::SeqCst) {
                // It may have been what the sender waited for to be at its end.
                self.waker.wake();
            }
        }
    }

    /// Seals a batch outside the lock and puts it in the place that was kept for it.
    pub fn finish_seal(&self, partition: &Arc<Partition>, open: OpenBatch, ticket: SealTicket) {
        let sealed = open.seal(self.settings.compression, &self.pool);
        let mut queue = partition.queue.lock();
        let notice = queue.end_seal(ticket, sealed).then(|| self.notice(&mut queue));
        drop(queue);
        if let Some(notice) = notice {
            self.announce(partition, notice);
        }
    }

    /// What the I/O thread must know of this queue, noted under its lock.
    fn notice(&self, queue: &mut Queue) -> Notice {
        let newly = !std::mem::replace(&mut queue.listed, true);
        let due = match &queue.open {
            Some(open) if queue.sealed() == 0 => open.created.plus_ms(self.settings.linger_ms),
            _ => Nanos(0),
        };
        Notice { newly, due }
    }

    /// Puts the partition on the sender's list, and wakes the I/O thread if it would sleep too long.
    fn announce(&self, partition: &Arc<Partition>, notice: Notice) {
        if notice.newly {
            self.listed.lock().push(partition.clone());
        }
        let sleeps_until = self.sleeps_until.load(Ordering::SeqCst);
        if sleeps_until != AWAKE && notice.due.0 < sleeps_until {
            self.waker.wake();
        }
    }
}

impl RecordAccumulator {
    /// Keeps records until their topic's partitions are known; returns when they are, or the records are at an end.
    fn append_pending(
        &self,
        topic: &Arc<Topic>,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<(), Error> {
        let mut spare: Option<(BytesMut, u64, Nanos)> = None;
        loop {
            let mut pending = topic.pending.lock();
            if topic.view.is_some() || self.closed.load(Ordering::Acquire) {
                drop(pending);
                self.discard(spare);
                return Ok(());
            }
            if let Some((buffer, epoch, now)) = spare.take() {
                let closes = now.plus_ms(PENDING_CHUNK_MS);
                let deadline = closes.plus_ms(self.settings.max_block_ms);
                pending.chunks.push_back(PendingChunk::new(buffer, closes, deadline, epoch));
            }
            let needed = self.fill_pending(&mut pending, source, at, accepted);
            let newly = !pending.chunks.is_empty() && !std::mem::replace(&mut pending.listed, true);
            drop(pending);
            if newly {
                self.listed_topics.lock().push(topic.clone());
                self.waker.wake();
            }
            match needed? {
                None => return Ok(()),
                Some(size) => {
                    let buffer = self.allocate(size, at)?;
                    spare = Some((buffer, self.incomplete.begin(), (at.mono)()));
                }
            }
        }
    }

    /// Adds records to the last chunk. Returns the size of the one that needs a new chunk.
    fn fill_pending(
        &self,
        pending: &mut Pending,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<Option<usize>, Error> {
        let now = (at.mono)();
        loop {
            let Some(record) = source.peek() else { return Ok(None) };
            let record = record?;
            let timestamp_ms = if record.timestamp_ms < 0 { at.wall_ms } else { record.timestamp_ms };
            let entry =
                RecordRef { timestamp_ms, key: record.key, value: record.value, headers: record.headers };
            self.check_size(&entry)?;
            let pushed = match pending.chunks.back_mut() {
                Some(chunk) if chunk.tokens.is_empty() || now < chunk.closes => {
                    chunk.push(&record, timestamp_ms)
                }
                _ => false,
            };
            if !pushed {
                return Ok(Some(PendingChunk::size_of(&record)));
            }
            source.advance();
            *accepted += 1;
        }
    }

    /// Ends it for the application: nothing more is accepted, and whoever waits for memory is let go.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.pool.close();
        self.waker.wake();
    }

    pub fn is_closed(&self) -> bool {
        // With the store in `close`, SeqCst: a wake-up must not be lost between the two.
        self.closed.load(Ordering::SeqCst)
    }

    // ---- the I/O thread

    /// The I/O thread is at work: nobody need wake it, it takes the lists again before it sleeps.
    pub fn awake(&self) {
        self.sleeps_until.store(AWAKE, Ordering::SeqCst);
    }

    /// The I/O thread is going to sleep until `deadline`. Returns false if something was listed meanwhile.
    pub fn go_to_sleep(&self, deadline: Option<Nanos>) -> bool {
        let until = deadline.unwrap_or(Nanos::NEVER).0.max(AWAKE + 1);
        self.sleeps_until.store(until, Ordering::SeqCst);
        // Whoever listed something before this store saw a thread at work and did not wake it.
        self.listed.lock().is_empty() && self.listed_topics.lock().is_empty()
    }

    pub fn take_listed(&self) -> Vec<Arc<Partition>> {
        std::mem::take(&mut *self.listed.lock())
    }

    pub fn take_listed_topics(&self) -> Vec<Arc<Topic>> {
        std::mem::take(&mut *self.listed_topics.lock())
    }

    /// The partitions of a topic as metadata has them, those that were known kept.
    pub fn view_of(&self, topic: &Topic, count: usize, available: Vec<u32>) -> TopicView {
        let old = topic.view.load();
        let mut partitions: Vec<Arc<Partition>> = old.map_or_else(Vec::new, |v| v.partitions.clone());
        // A topic never loses partitions; one that was deleted and made again smaller keeps the queues it has.
        while partitions.len() < count {
            partitions.push(Arc::new(Partition {
                topic: topic.name.clone(),
                index: partitions.len() as i32,
                slot: self.slots.fetch_add(1, Ordering::Relaxed),
                queue: Mutex::default(),
            }));
        }
        partitions.truncate(count.max(1));
        TopicView { partitions, available }
    }

    /// Moves records that waited for their topic into the queues of its partitions, in order. `failed` gets the
    /// tokens of those that have no place there.
    pub fn place(
        &self,
        topic: &Topic,
        view: &TopicView,
        chunk: PendingChunk,
        now: Now,
        mut failed: impl FnMut(u64, i32, Error),
    ) {
        let count = view.partitions.len();
        for record in chunk.records() {
            let placed = self.route(&topic.name, &record, count).and_then(|route| {
                let index = match route {
                    Route::Fixed(index) => index,
                    Route::Sticky => topic.sticky.next(&view.available, count, self.settings.batch_size),
                };
                let bytes = self.place_one(view, index, &record, chunk.epoch, now)?;
                if route == Route::Sticky {
                    topic.sticky.produced(index, bytes);
                }
                Ok(())
            });
            if let Err(error) = placed {
                failed(record.token, record.partition, error);
            }
        }
        self.incomplete.end(chunk.epoch);
        self.pool.release_buffer(chunk.charge(), chunk.into_buffer());
    }

    /// Puts one record that was accepted already into its batch, whatever the pool says.
    fn place_one(
        &self,
        view: &TopicView,
        index: usize,
        record: &ProducerRecord<'_>,
        epoch: u64,
        now: Now,
    ) -> Result<usize, Error> {
        let entry = RecordRef {
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            value: record.value,
            headers: record.headers,
        };
        let size = record_size_upper_bound(&entry);
        let Some(partition) = view.partitions.get(index) else { return Ok(0) };
        let limit = self.batch_limit();
        let mut queue = partition.queue.lock();
        if let Some(open) = &mut queue.open {
            if open.try_append(&entry, record.token, limit).is_ok() {
                return Ok(size);
            }
        }
        let sealing = queue.begin_seal();
        drop(queue);
        if let Some((open, ticket)) = sealing {
            self.finish_seal(partition, open, ticket);
        }
        let buffer = BytesMut::zeroed(size.max(self.settings.batch_size.min(SMALL_BATCH)));
        self.pool.force_charge(buffer.len());
        let mut open = OpenBatch::new(buffer, now.mono, epoch, 0);
        open.try_append(&entry, record.token, limit).map_err(|_| too_large(size, limit))?;
        self.incomplete.begin_in(epoch);
        // The topic's view is not public yet, so nobody else began a batch here meanwhile.
        let mut queue = partition.queue.lock();
        queue.open = Some(open);
        let notice = self.notice(&mut queue);
        drop(queue);
        self.announce(partition, notice);
        Ok(size)
    }
}

/// What a batch of records that waited for metadata begins with; there may be very many partitions.
const SMALL_BATCH: usize = 2048;

#[cold]
fn closed() -> Error {
    Error::new(Code::CLOSED, "the producer is closed")
}

#[cold]
fn no_such_partition(topic: &str, index: usize) -> Error {
    Error::new(Code::UNKNOWN_TOPIC_OR_PARTITION, format!("topic {topic} has no partition {index}"))
        .hint("send to an existing partition, or leave the choice to the partitioner (-1)")
}

#[cold]
fn too_large(size: usize, limit: usize) -> Error {
    let text = format!("a record of about {size} bytes is larger than max.request.size ({limit})");
    Error::new(Code::MESSAGE_TOO_LARGE, text)
        .hint("raise max.request.size, and the topic's max.message.bytes with it")
        .retriable(false)
}

/// Kafka's rules for the names of topics, so that a wrong one fails at once and not at every broker.
fn check_topic_name(name: &str) -> Result<(), Error> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let why = match name {
        "" => "it is empty".to_owned(),
        "." | ".." => "it may not be . or ..".to_owned(),
        _ if name.len() > 249 => format!("it has {} characters, 249 are allowed", name.len()),
        _ => match name.bytes().position(|b| !legal(b)) {
            None => return Ok(()),
            Some(at) => format!("the character at position {at} is not one of a-z A-Z 0-9 . _ -"),
        },
    };
    Err(Error::new(Code::INVALID_TOPIC_EXCEPTION, format!("{name:?} is not a topic's name: {why}")))
}
