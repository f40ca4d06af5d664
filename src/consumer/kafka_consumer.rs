//! `KafkaConsumer`: subscribe, assign, poll, seek, pause. What waits for an answer of the brokers is in [`super::calls`].
//!
//! A call is one step that does not block, and one wait: the steps are there for themselves, so that a simulation or
//! an event loop can drive them.

use super::commands::{Command, GroupCommand};
use super::coordinator::{CoordinatorManager, GroupSettings};
use super::fetch_collector::{batches_held, FetchCollector};
use super::fetch_request::FetchLimits;
use super::fetcher::{FetchSettings, Fetcher};
use super::notices::Notice;
use super::offsets::{OffsetsManager, OffsetsSettings};
use super::partition_state::{End, Position};
use super::shared::Shared;
use super::subscription_state::{Mode, SubscriptionState};
use super::topic_interest::TopicInterest;
use super::types::{Event, OffsetAndMetadata, Offsets, Polled};
use crate::client::request::RequestManager;
use crate::client::wire::{Machine, Wake};
use crate::client::{settings, ClientCore, Troubles};
use crate::config::{wire_ms, ConsumerConfig, OffsetReset};
use crate::error::{Code, Error, Result};
use crate::log::Logger;
use crate::net::{ClientHandle, Driver};
use crate::serialization::TopicPartition;
use crate::sys::clock;
use crate::time::{Nanos, Now};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A consumer. It is for one thread at a time; only [`ConsumerWaker::wakeup`] may be called from others.
///
/// Joining the group, heartbeats, fetching ahead and the consumer's own commits are done by the I/O thread, whether
/// the application polls or not; without a poll for `max.poll.interval.ms` the consumer leaves its group.
pub struct KafkaConsumer {
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
    pub(super) closed: bool,
    collector: FetchCollector,
    /// The revocation that the next poll acknowledges.
    unacknowledged: Option<u64>,
    log: Logger,
    pub(super) handle: Option<ClientHandle>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub has_group: bool,
    pub auto_commit: bool,
    pub api_timeout_ms: u64,
    pub max_poll_records: usize,
}

/// Ends a consumer's blocking call, from any thread.
#[derive(Clone)]
pub struct ConsumerWaker(Arc<Shared>);

impl ConsumerWaker {
    /// The call that blocks now, or else the next one that could, ends with [`Code::WAKEUP`].
    pub fn wakeup(&self) {
        self.0.wakeup();
    }

    /// The call that blocks now ends, a [`KafkaConsumer::close`] too, and nothing more is done for the consumer.
    pub fn abandon(&self) {
        self.0.abandon();
        self.0.wakeup();
    }

    /// As [`KafkaConsumer::fd`], while another thread is inside the consumer.
    pub fn fd(&self) -> Result<i32> {
        self.0.ready.fd()
    }
}

impl KafkaConsumer {
    /// A consumer on the process's I/O thread. Connects to nobody before there is something to ask for.
    ///
    /// # Errors
    /// TRANSPORT when the system has no more threads or descriptors.
    pub fn new(config: &ConsumerConfig) -> Result<KafkaConsumer> {
        let seed = fastrand::u64(..);
        let mut consumer = None;
        let handle = Driver::register_with(|wake| {
            let (made, machine) = KafkaConsumer::parts(config, seed, wake);
            consumer = Some(made);
            machine
        })?;
        let mut consumer =
            consumer.ok_or_else(|| Error::new(Code::TRANSPORT, "the I/O thread made no client"))?;
        consumer.handle = Some(handle);
        Ok(consumer)
    }

    /// The two halves of a consumer: the façade, and the machine that a driver or a simulation runs. `seed` decides
    /// all that is left to chance; `wake` gets the machine polled.
    pub fn parts(
        config: &ConsumerConfig,
        seed: u64,
        wake: Arc<dyn Wake>,
    ) -> (KafkaConsumer, Box<dyn Machine>) {
        let default_reset = match config.offset_reset {
            OffsetReset::Earliest => Some(End::Beginning),
            OffsetReset::Latest => Some(End::End),
            OffsetReset::None => None,
        };
        let subscription = SubscriptionState::new(config.group_id.is_some(), default_reset);
        let troubles = Arc::<Troubles>::default();
        let shared = Shared::new(subscription, config.fetch_buffer_memory, troubles.clone(), wake);
        let weak = Arc::downgrade(&shared);
        let log = Logger::with_waker(config.client.log, &config.client.client_id, move || {
            if let Some(shared) = weak.upgrade() {
                shared.ready.raise();
            }
        });
        let client = &config.client;
        let core = ClientCore::new(
            settings::network(client, MAX_IN_FLIGHT, log.clone(), troubles),
            settings::metadata(client, config.allow_auto_create_topics),
            managers(config, &shared, &log, seed),
            seed.wrapping_add(100),
        );
        let collector = FetchCollector::new(
            shared.clone(),
            config.fetch_buffer_memory.max(client.receive_message_max_bytes),
            [config.key_deserializer, config.value_deserializer],
            settings::retry_backoff(client),
            seed.wrapping_add(101),
        );
        let options = Options {
            has_group: config.group_id.is_some(),
            auto_commit: config.auto_commit && config.group_id.is_some(),
            api_timeout_ms: client.default_api_timeout_ms,
            max_poll_records: config.max_poll_records,
        };
        let consumer = KafkaConsumer {
            shared,
            options,
            closed: false,
            collector,
            unacknowledged: None,
            log,
            handle: None,
        };
        (consumer, Box::new(core))
    }

    // ---- what to read

    /// Subscribes to exactly these topics; the group shares their partitions out. No topics at all are the same as
    /// [`KafkaConsumer::unsubscribe`]. Does not block: assigned events come from poll.
    ///
    /// # Errors
    /// INVALID_STATE when partitions are assigned, or without a `group.id`; INVALID_ARGUMENT for names that can't be.
    pub fn subscribe(&mut self, topics: &[&str]) -> Result<()> {
        self.check_open()?;
        self.check_group("subscribe")?;
        topics.iter().try_for_each(|t| check_topic(t))?;
        if topics.is_empty() {
            return self.unsubscribe();
        }
        let topics: BTreeSet<Arc<str>> = topics.iter().map(|t| Arc::from(*t)).collect();
        let mut subscription = self.shared.subscription.lock();
        subscription.subscribe(topics)?;
        let session = subscription.session();
        drop(subscription);
        self.shared.command(Command::Group(GroupCommand::Subscribe { session }));
        Ok(())
    }

    /// The topics subscribed to.
    pub fn subscription(&self) -> Vec<Arc<str>> {
        self.shared.subscription.lock().subscription().iter().cloned().collect()
    }

    /// Reads exactly these partitions, without the help of a group. Those that were assigned before keep their
    /// positions; others begin at the group's committed offset if there is a `group.id`, or where
    /// `auto.offset.reset` says.
    ///
    /// # Errors
    /// INVALID_STATE when topics are subscribed to; INVALID_ARGUMENT for partitions that can't be.
    pub fn assign(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.check_open()?;
        check_partitions(partitions)?;
        let own = self.take_own_commits();
        let assigned = self.shared.subscription.lock().assign(partitions);
        self.commit_own(own);
        self.shared.wake();
        assigned
    }

    /// The partitions that this consumer reads at the moment.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.shared.subscription.lock().assignment()
    }

    /// Ends subscription and assignment; leaves the group. With `enable.auto.commit` the positions are committed
    /// before. Does not block, and no events follow.
    pub fn unsubscribe(&mut self) -> Result<()> {
        self.check_open()?;
        let offsets = self.take_own_commits();
        self.shared.subscription.lock().unsubscribe();
        self.unacknowledged = None;
        self.shared.clear_group_notices();
        self.shared.command(Command::Group(GroupCommand::Unsubscribe { offsets }));
        Ok(())
    }

    /// What the consumer would commit by itself now, because the application is done with what it polled.
    pub(super) fn take_own_commits(&self) -> Offsets {
        if !self.options.auto_commit {
            return Offsets::new();
        }
        let mut subscription = self.shared.subscription.lock();
        subscription.acknowledge();
        subscription.take_uncommitted(false)
    }

    fn commit_own(&self, offsets: Offsets) {
        if !offsets.is_empty() {
            let timeout_ms = self.options.api_timeout_ms;
            self.shared.command(Command::Group(GroupCommand::Commit {
                offsets,
                timeout_ms,
                reply: None,
                own: true,
            }));
        }
    }

    // ---- positions

    /// The next poll goes on at this offset. What was fetched is dropped.
    ///
    /// # Errors
    /// INVALID_STATE when the partition is not assigned; INVALID_ARGUMENT for a negative offset.
    pub fn seek(&mut self, partition: &TopicPartition, to: &OffsetAndMetadata) -> Result<()> {
        self.check_open()?;
        if to.offset < 0 {
            return Err(Error::new(Code::INVALID_ARGUMENT, format!("{} is not an offset", to.offset)));
        }
        let position = Position { offset: to.offset, leader_epoch: to.leader_epoch };
        self.shared.subscription.lock().seek(partition, position)?;
        self.shared.wake();
        Ok(())
    }

    /// Goes to the beginning of these partitions, of all that are assigned if none are named. The offsets are found
    /// when they are needed.
    pub fn seek_to_beginning(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.seek_to(partitions, End::Beginning)
    }

    /// Goes to the end of these partitions, of all that are assigned if none are named.
    pub fn seek_to_end(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.seek_to(partitions, End::End)
    }

    fn seek_to(&mut self, partitions: &[TopicPartition], end: End) -> Result<()> {
        self.check_open()?;
        let mut subscription = self.shared.subscription.lock();
        let all = if partitions.is_empty() { subscription.assignment() } else { partitions.to_vec() };
        subscription.check_assigned(&all, "seek")?;
        all.iter().try_for_each(|p| subscription.seek_to(p, end))?;
        drop(subscription);
        self.shared.wake();
        Ok(())
    }

    /// Gives no records of these partitions until they are resumed. A rebalance that takes a partition away ends it.
    ///
    /// # Errors
    /// INVALID_STATE when one is not assigned; then none is paused.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, true)
    }

    /// Undoes [`KafkaConsumer::pause`].
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, false)
    }

    fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) -> Result<()> {
        self.check_open()?;
        let mut subscription = self.shared.subscription.lock();
        subscription.check_assigned(partitions, if paused { "pause" } else { "resume" })?;
        partitions.iter().try_for_each(|p| subscription.set_paused(p, paused))?;
        drop(subscription);
        self.shared.wake();
        self.shared.ready.raise();
        Ok(())
    }

    pub fn paused(&self) -> Vec<TopicPartition> {
        self.shared.subscription.lock().paused()
    }

    // ---- poll

    /// Waits for records or an event, at most `timeout`. Gives at most `max_records` records (0:
    /// `max.poll.records`). With it the application says that it is done with what former polls gave: their offsets
    /// may be committed by the consumer itself, and partitions of a revoked event are given up.
    ///
    /// # Errors
    /// INVALID_STATE with nothing subscribed or assigned, at once; WAKEUP; BATCHES_HELD when the batches that the application holds leave no memory; CORRUPT_MESSAGE with the
    /// partition and the offset of a batch that can't be read; NO_OFFSET for a partition without a position; what
    /// brokers refuse. None of them is final unless it [is fatal](Error::is_fatal): poll can be called again.
    pub fn poll(&mut self, timeout: Duration, max_records: usize) -> Result<Polled> {
        self.begin_poll();
        let mut now = clock::mono();
        let result = self.poll_until(&mut now, timeout, max_records);
        self.end_poll(now);
        result
    }

    /// Leaves in `now` when it looked last: reading the clock once more costs as much as a record.
    fn poll_until(&mut self, now: &mut Nanos, timeout: Duration, max_records: usize) -> Result<Polled> {
        let began = *now;
        loop {
            let polled = self.poll_once(*now, max_records);
            if !is_nothing(&polled) {
                return polled;
            }
            let left = (began + timeout).since(*now);
            if left.is_zero() {
                return polled;
            }
            self.shared.ready.wait(left);
            *now = clock::mono();
        }
    }

    /// [`KafkaConsumer::poll`] without the wait. `None`: nothing now; the descriptor tells when to try again.
    pub fn poll_step(&mut self, now: Now, max_records: usize) -> Result<Option<Polled>> {
        self.begin_poll();
        let result = self.poll_once(now.mono, max_records);
        self.end_poll(now.mono);
        match result? {
            Polled::Nothing => Ok(None),
            polled => Ok(Some(polled)),
        }
    }

    fn begin_poll(&self) {
        self.shared.liveness.poll_began();
        if self.shared.liveness.is_evicted() {
            self.shared.wake();
        }
    }

    fn end_poll(&self, now: Nanos) {
        self.shared.liveness.poll_ended(now);
        if self.log.has_lines() {
            self.shared.ready.raise();
        }
    }

    /// What there is; if nothing, the signal is low.
    #[inline(always)]
    fn poll_once(&mut self, now: Nanos, max_records: usize) -> Result<Polled> {
        let first = self.try_poll(now, max_records);
        if is_nothing(&first) {
            return self.look_again(now, max_records);
        }
        first
    }

    /// Nothing is there, so the signal goes low. First that, then a second look: what comes in between raises it again.
    #[inline(never)]
    fn look_again(&mut self, now: Nanos, max_records: usize) -> Result<Polled> {
        self.shared.ready.lower();
        let second = self.try_poll(now, max_records);
        if !is_nothing(&second) {
            self.shared.ready.raise();
            return second;
        }
        // With the signal low: whoever waits for it is not called again for nothing.
        self.check_reads()?;
        second
    }

    #[inline(always)]
    fn try_poll(&mut self, now: Nanos, max_records: usize) -> Result<Polled> {
        self.check_open()?;
        if self.shared.take_wakeup() {
            return Err(woken_up());
        }
        // Only the consumer's own commits ask what was acknowledged.
        if self.options.auto_commit && self.shared.subscription.lock().acknowledge() {
            self.shared.wake();
        }
        if let Some(revocation) = self.unacknowledged.take() {
            self.shared.liveness.acknowledge(revocation);
            self.shared.wake();
        }
        if self.shared.has_notices() {
            if let Some(event) = self.next_event()? {
                return Ok(Polled::Event(event));
            }
        }
        let most = if max_records == 0 { self.options.max_poll_records } else { max_records };
        let polled = self.collector.fetched_records(now, most);
        if is_nothing(&polled) {
            self.check_starved()?;
        }
        polled
    }

    #[cold]
    fn next_event(&mut self) -> Result<Option<Event>> {
        let (event, revocation) = match self.next_notice() {
            Some(Notice::Event(event, revocation)) => (event, revocation),
            Some(Notice::Error(error, _)) => return Err(error),
            None => return Ok(None),
        };
        match &event {
            Event::Revoked(_) => {
                self.shared.subscription.lock().tell_revoked();
                self.unacknowledged = Some(revocation);
            }
            Event::Lost { .. } => self.shared.subscription.lock().tell_lost(),
            Event::Assigned(_) | Event::Committed { .. } => {}
        }
        Ok(Some(event))
    }

    /// What there is to be told, without errors of partitions that are somewhere else by now, or gone.
    fn next_notice(&self) -> Option<Notice> {
        loop {
            let next = self.shared.next_notice()?;
            let Notice::Error(_, Some((id, epoch))) = &next else { return Some(next) };
            if self.shared.subscription.lock().current(*id, *epoch).is_some() {
                return Some(next);
            }
        }
    }

    /// Without anything to read, no poll will ever have something.
    fn check_reads(&self) -> Result<()> {
        let subscription = self.shared.subscription.lock();
        let nothing = match subscription.mode() {
            Mode::None => true,
            Mode::Assigned => subscription.partitions().next().is_none(),
            Mode::Subscribed => false,
        };
        if !nothing {
            return Ok(());
        }
        Err(Error::new(
            Code::INVALID_STATE,
            "cannot poll: the consumer is subscribed to no topic, and no partition is assigned",
        )
        .hint("subscribe or assign first"))
    }

    /// Nothing is buffered: if nothing can be fetched either, someone has to give memory back.
    fn check_starved(&mut self) -> Result<()> {
        let budget = &self.shared.budget;
        if !budget.is_starved() || !self.collector.is_empty() || self.collector.drop_parked() {
            return Ok(());
        }
        if budget.is_handed_out() && budget.is_starved() {
            return Err(batches_held());
        }
        Ok(())
    }

    // ---- around

    /// What ends this consumer's blocking calls from other threads.
    pub fn waker(&self) -> ConsumerWaker {
        ConsumerWaker(self.shared.clone())
    }

    /// A descriptor that is readable while [`KafkaConsumer::poll`] has something, or wants to be called; valid as long
    /// as the consumer. For poll, epoll and the like: nobody reads from it.
    pub fn fd(&self) -> Result<i32> {
        self.shared.ready.fd()
    }

    /// The consumer's log; with `log.sink=poll` its lines wait there.
    pub fn logger(&self) -> &Logger {
        &self.log
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(Code::CLOSED, "the consumer is closed"));
        }
        match self.shared.fatal() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn check_group(&self, what: &str) -> Result<()> {
        if self.options.has_group {
            return Ok(());
        }
        Err(Error::new(Code::INVALID_STATE, format!("cannot {what} without a group")).hint("set group.id"))
    }
}

impl Drop for KafkaConsumer {
    /// Without a close before: nothing is committed, and the group finds out when the session ends.
    fn drop(&mut self) {
        if !self.closed {
            self.shared.abandon();
        }
    }
}

/// Requests under way on one connection; the consumer keeps few, and they must not wait for each other.
const MAX_IN_FLIGHT: usize = 100;

fn managers(
    config: &ConsumerConfig,
    shared: &Arc<Shared>,
    log: &Logger,
    seed: u64,
) -> Vec<Box<dyn RequestManager>> {
    let client = &config.client;
    let retry = settings::retry_backoff(client);
    let group = GroupSettings {
        group_id: config.group_id.as_deref().unwrap_or("").into(),
        instance_id: config.group_instance_id.as_deref().map(Arc::from),
        session_timeout_ms: config.session_timeout_ms,
        heartbeat_interval_ms: config.heartbeat_interval_ms,
        max_poll_interval_ms: config.max_poll_interval_ms,
        assignors: config.assignors.clone(),
        auto_commit_ms: config.auto_commit.then_some(config.auto_commit_interval_ms),
        request_timeout_ms: client.request_timeout_ms,
        api_timeout_ms: client.default_api_timeout_ms,
        retry,
    };
    let offsets = OffsetsSettings {
        has_group: config.group_id.is_some(),
        request_timeout_ms: client.request_timeout_ms,
        retry,
    };
    let limits = FetchLimits {
        min_bytes: config.fetch_min_bytes,
        max_bytes: config.fetch_max_bytes,
        max_partition_bytes: config.max_partition_fetch_bytes,
        max_wait_ms: wire_ms(config.fetch_max_wait_ms),
        timeout_ms: client.request_timeout_ms.saturating_add(config.fetch_max_wait_ms),
    };
    let fetch = FetchSettings { limits, check_crcs: config.check_crcs, retry };
    let (shared, log) = (|| shared.clone(), || log.clone());
    // Interest in topics comes last: the others change it, and nobody else wakes the machine for that.
    vec![
        Box::new(CoordinatorManager::new(shared(), Arc::new(group), log(), seed.wrapping_add(10))),
        Box::new(OffsetsManager::new(shared(), offsets, log(), seed.wrapping_add(20))),
        Box::new(Fetcher::new(shared(), fetch, log(), seed.wrapping_add(30))),
        // Last: what the others want to know of topics is asked for at once.
        Box::new(TopicInterest::new(shared(), log())),
    ]
}

fn is_nothing(result: &Result<Polled>) -> bool {
    matches!(result, Ok(Polled::Nothing))
}

pub(super) fn woken_up() -> Error {
    Error::new(Code::WAKEUP, "the call was ended by wakeup")
}

/// The longest name a topic can have.
const MAX_TOPIC_NAME: usize = 249;

fn check_topic(name: &str) -> Result<()> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let why = match name {
        "" => "it is empty",
        "." | ".." => "it is reserved",
        _ if name.len() > MAX_TOPIC_NAME => "it has more than 249 characters",
        _ if !name.bytes().all(legal) => "topics have letters, digits, '.', '_' and '-' only",
        _ => return Ok(()),
    };
    Err(Error::new(Code::INVALID_ARGUMENT, format!("{name:?} can't be the name of a topic: {why}")))
}

pub(super) fn check_partitions(partitions: &[TopicPartition]) -> Result<()> {
    partitions.iter().try_for_each(|p| {
        check_topic(&p.topic)?;
        if p.partition < 0 {
            let text = format!("{} is not a partition of topic {}", p.partition, p.topic);
            return Err(Error::new(Code::INVALID_ARGUMENT, text));
        }
        Ok(())
    })
}
