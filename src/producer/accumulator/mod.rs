//! `RecordAccumulator`: where the application's threads put records and the I/O thread takes batches.
//!
//! [`append`] is the hot path: one copy of the record into the open batch of its partition under that partition's
//! lock. [`waiting`] keeps records whose topic's partitions are not known yet. The I/O thread learns of a partition
//! by a list, once per need and not per record.

use super::batch::{CompressionSetting, OpenBatch};
use super::buffer_pool::{BufferPool, Refused};
use super::grow_only::GrowOnly;
use super::incomplete::Incomplete;
use super::topic::{Partition, Queue, SealTicket, Topic};
use crate::client::wire::Wake;
use crate::error::{Code, Error};
use crate::time::Nanos;
use bytes::BytesMut;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

mod append;
mod errors;
mod failing;
#[cfg(test)]
mod tests;
mod waiting;

pub use self::append::{AppendContext, Sent};
use self::errors::{check_topic_name, closed};
use self::failing::Fatal;

/// Places for topics that were sent to lately.
const RECENT: usize = 16;

/// The value of `sleeps_until` while the I/O thread is at work on this client.
const AWAKE: u64 = 0;

type Topics = HashMap<Arc<str>, Arc<Topic>, foldhash::fast::FixedState>;

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
    pub settings: Settings,
    pub pool: Arc<BufferPool>,
    pub incomplete: Incomplete,
    topics: RwLock<Topics>,
    /// The same topics in the order in which they came.
    numbered: GrowOnly<Arc<Topic>>,
    /// Numbers of topics that were sent to lately, by what their names have in common: most sends go where the
    /// one before went, and find it here without a lock.
    recent: [AtomicUsize; RECENT],
    /// Partitions with something new for the sender.
    listed: Mutex<Vec<Arc<Partition>>>,
    /// Topics with records that wait for metadata.
    listed_topics: Mutex<Vec<Arc<Topic>>>,
    /// Topics of which someone wanted a partition that is not known.
    missed: Mutex<Vec<Arc<Topic>>>,
    slots: AtomicUsize,
    /// Until when the I/O thread sleeps at most: a later deadline need not wake it. 0 while it is at work, because
    /// it looks at the lists once more before it sleeps.
    sleeps_until: AtomicU64,
    closed: AtomicBool,
    fatal: OnceLock<Fatal>,
    waker: Arc<dyn Wake>,
}

/// Whether a partition must be put on the sender's list, and when the sender must look at it.
struct Notice {
    newly: bool,
    due: Nanos,
    /// Of the open batch: a flush that began later wants it at once.
    epoch: u64,
}

impl RecordAccumulator {
    pub fn new(settings: Settings, pool: Arc<BufferPool>, waker: Arc<dyn Wake>) -> RecordAccumulator {
        RecordAccumulator {
            settings,
            pool,
            incomplete: Incomplete::default(),
            topics: RwLock::new(Topics::default()),
            numbered: GrowOnly::default(),
            recent: [const { AtomicUsize::new(0) }; RECENT],
            listed: Mutex::new(Vec::new()),
            listed_topics: Mutex::new(Vec::new()),
            missed: Mutex::new(Vec::new()),
            slots: AtomicUsize::new(0),
            sleeps_until: AtomicU64::new(AWAKE),
            closed: AtomicBool::new(false),
            fatal: OnceLock::new(),
            waker,
        }
    }

    // ---- application threads

    /// The topic of this name, if something was sent to it.
    pub fn find(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().get(name).cloned()
    }

    /// The topic of this name; it is made when it is sent to for the first time.
    fn topic(&self, name: &[u8]) -> Result<&Arc<Topic>, Error> {
        if let Some(topic) = self.recent_topic(name) {
            return Ok(topic);
        }
        let text = std::str::from_utf8(name)
            .map_err(|_| Error::new(Code::INVALID_TOPIC_EXCEPTION, "the name of the topic is not UTF-8"))?;
        let known = self.topics.read().get(text).map(|topic| topic.number);
        let number = match known {
            Some(number) => number,
            None => self.new_topic(text)?,
        };
        if let Some(recent) = self.recent.get(place_of(name)) {
            recent.store(number, Ordering::Relaxed);
        }
        self.numbered.get(number).ok_or_else(|| {
            let text = format!("there are {number} topics already");
            Error::new(Code::INVALID_STATE, text).hint("use more than one producer")
        })
    }

    #[inline(always)]
    fn recent_topic(&self, name: &[u8]) -> Option<&Arc<Topic>> {
        let number = self.recent.get(place_of(name))?.load(Ordering::Relaxed);
        match self.numbered.get(number) {
            Some(topic) if same(topic.name.as_bytes(), name) => Some(topic),
            _ => None,
        }
    }

    fn new_topic(&self, name: &str) -> Result<usize, Error> {
        check_topic_name(name)?;
        let mut topics = self.topics.write();
        if let Some(topic) = topics.get(name) {
            return Ok(topic.number);
        }
        let number = topics.len();
        let seed = self.settings.seed.wrapping_add(number as u64);
        let topic = Arc::new(Topic::new(name.into(), number, seed));
        self.numbered.get_or_init(number, || topic.clone());
        topics.insert(topic.name.clone(), topic);
        Ok(number)
    }

    #[inline(always)]
    fn batch_limit(&self) -> usize {
        self.settings.batch_size.min(self.settings.max_request_size)
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
            Refused::Closed => self.refusal(),
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
        if let Some(fatal) = self.fatal.get() {
            self.fail_queue(partition, fatal);
        } else if let Some(notice) = notice {
            self.announce(partition, notice);
        }
    }

    /// What the I/O thread must know of this queue, noted under its lock.
    fn notice(&self, queue: &mut Queue) -> Notice {
        let newly = !std::mem::replace(&mut queue.listed, true);
        let (due, epoch) = match &queue.open {
            Some(open) if queue.sealed() == 0 => (open.created.plus_ms(self.settings.linger_ms), open.epoch),
            _ => (Nanos(0), 0),
        };
        Notice { newly, due, epoch }
    }

    /// Puts the partition on the sender's list, and wakes the I/O thread if it would sleep too long.
    fn announce(&self, partition: &Arc<Partition>, notice: Notice) {
        if notice.newly {
            self.listed.lock().push(partition.clone());
        }
        let sleeps_until = self.sleeps_until.load(Ordering::SeqCst);
        // A flush or close that began between the record and this did not find the partition on the list.
        if sleeps_until != AWAKE
            && (notice.due.0 < sleeps_until
                || self.is_closed()
                || notice.epoch < self.incomplete.last_flush())
        {
            self.waker.wake();
        }
    }

    /// Why nothing is accepted any more.
    #[cold]
    fn refusal(&self) -> Error {
        self.fatal.get().map_or_else(closed, |fatal| fatal.error.clone())
    }

    /// The topic may have got the partition since it was asked about: who tries again is to find it then.
    #[cold]
    fn on_refused(&self, topic: &Arc<Topic>, error: &Error) {
        if error.code() != Code::UNKNOWN_TOPIC_OR_PARTITION {
            return;
        }
        let mut missed = self.missed.lock();
        if missed.iter().any(|t| Arc::ptr_eq(t, topic)) {
            return;
        }
        missed.push(topic.clone());
        drop(missed);
        self.waker.wake();
    }
}

impl RecordAccumulator {
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

    pub fn take_missed(&self) -> Vec<Arc<Topic>> {
        std::mem::take(&mut *self.missed.lock())
    }

    /// The topic with this number.
    pub fn topic_number(&self, number: usize) -> Option<&Arc<Topic>> {
        self.numbered.get(number)
    }

    /// Makes the queues of a topic's first `count` partitions, those that are there kept.
    pub fn make_partitions(&self, topic: &Topic, count: usize) {
        for index in 0..count {
            topic.partitions.get_or_init(index, || {
                Arc::new(Partition {
                    topic: topic.name.clone(),
                    topic_number: topic.number,
                    index: index as i32,
                    slot: self.slots.fetch_add(1, Ordering::Relaxed),
                    queue: Mutex::default(),
                })
            });
        }
    }
}

/// Whether two names are equal; most are short enough for less than the call of a function.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ends = |n: &[u8]| Some((u64::from_le_bytes(*n.first_chunk()?), u64::from_le_bytes(*n.last_chunk()?)));
    let short =
        |n: &[u8]| Some((u32::from_le_bytes(*n.first_chunk()?), u32::from_le_bytes(*n.last_chunk()?)));
    match a.len() {
        8..=16 => ends(a) == ends(b),
        4..=7 => short(a) == short(b),
        _ => a == b,
    }
}

/// Where the topic of this name is looked for first.
#[inline(always)]
fn place_of(name: &[u8]) -> usize {
    (name.len() ^ usize::from(name.last().copied().unwrap_or(0))) % RECENT
}
