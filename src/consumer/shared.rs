//! Where the consumer's two sides meet: the application's thread (façade) and the I/O thread (request managers).
//!
//! Each part has a short lock of its own, and nobody holds two of them at once.

use super::budget::Budget;
use super::commands::{Command, Commands};
use super::fetch_buffer::FetchBuffer;
use super::notices::Notices;
use super::partition_state::PartitionId;
use super::subscription_state::SubscriptionState;
use super::types::Event;
use crate::client::wire::Wake;
use crate::client::Troubles;
use crate::error::Error;
use crate::serialization::TopicPartition;
use crate::sys::signal::Signal;
use crate::time::Nanos;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

pub struct Shared {
    pub subscription: Mutex<SubscriptionState>,
    pub fetch_buffer: FetchBuffer,
    pub budget: Arc<Budget>,
    /// Raised while poll has something, or wants to be called.
    pub ready: Signal,
    /// Raised when something that a call waits for may have come: an answer, a position.
    pub answered: Arc<Signal>,
    pub liveness: Liveness,
    commands: Mutex<Commands>,
    notices: Mutex<Notices>,
    /// Whether there are notices: every poll asks.
    noticed: AtomicBool,
    /// What last went wrong with which broker.
    pub troubles: Arc<Troubles>,
    wakeup: AtomicBool,
    fatal: OnceLock<Error>,
    wake: Arc<dyn Wake>,
}

/// Signs of life from the application, for `max.poll.interval.ms` and for what waits for its next poll.
#[derive(Debug)]
pub struct Liveness {
    /// When the last poll ended; `NEVER` while one is under way.
    last_poll: AtomicU64,
    /// Counts the polls that began.
    polls: AtomicU64,
    /// The number of the last revocation that the application has done.
    acknowledged: AtomicU64,
    /// The member left because nobody polled: the next poll brings it back.
    evicted: AtomicBool,
}

impl Liveness {
    fn new() -> Liveness {
        Liveness {
            last_poll: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            evicted: AtomicBool::new(false),
        }
    }

    pub fn poll_began(&self) {
        self.last_poll.store(Nanos::NEVER.0, Ordering::SeqCst);
        self.polls.fetch_add(1, Ordering::SeqCst);
    }

    pub fn poll_ended(&self, now: Nanos) {
        self.last_poll.store(now.0, Ordering::SeqCst);
    }

    pub fn last_poll(&self) -> Nanos {
        Nanos(self.last_poll.load(Ordering::SeqCst))
    }

    pub fn polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }

    pub fn acknowledge(&self, revocation: u64) {
        self.acknowledged.fetch_max(revocation, Ordering::SeqCst);
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    pub fn set_evicted(&self, evicted: bool) {
        self.evicted.store(evicted, Ordering::SeqCst);
    }

    pub fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::SeqCst)
    }
}

impl Shared {
    pub fn new(
        subscription: SubscriptionState,
        budget: usize,
        troubles: Arc<Troubles>,
        wake: Arc<dyn Wake>,
    ) -> Arc<Shared> {
        Arc::new(Shared {
            subscription: Mutex::new(subscription),
            fetch_buffer: FetchBuffer::default(),
            budget: Budget::new(budget, wake.clone()),
            ready: Signal::new(),
            answered: Arc::new(Signal::new()),
            liveness: Liveness::new(),
            commands: Mutex::new(Commands::default()),
            notices: Mutex::new(Notices::default()),
            noticed: AtomicBool::new(false),
            troubles,
            wakeup: AtomicBool::new(false),
            fatal: OnceLock::new(),
            wake,
        })
    }

    /// Wakes the I/O thread.
    pub fn wake(&self) {
        self.wake.wake();
    }

    // ---- commands, to the I/O thread

    pub fn command(&self, command: Command) {
        self.commands.lock().push(command);
        self.wake();
    }

    pub fn next_group_command(&self) -> Option<super::commands::GroupCommand> {
        self.commands.lock().next_group()
    }

    pub fn next_offsets_command(&self) -> Option<super::commands::OffsetsCommand> {
        self.commands.lock().next_offsets()
    }

    /// No further commands will come, and the machine should come to its end.
    pub fn is_closing(&self) -> bool {
        self.commands.lock().is_closing()
    }

    /// The façade is gone: the machine should end at once.
    pub fn abandon(&self) {
        self.commands.lock().abandon();
        self.wake();
    }

    pub fn is_abandoned(&self) -> bool {
        self.commands.lock().is_abandoned()
    }

    // ---- notices, to the application

    pub fn notify(&self, event: Event) {
        self.with_notices(|notices| notices.push(event, 0));
        self.ready.raise();
    }

    /// As [`Shared::notify`], for a revocation that the application's next poll but one acknowledges.
    pub fn notify_revoked(&self, partitions: Vec<TopicPartition>, revocation: u64) {
        self.with_notices(|notices| notices.push(Event::Revoked(partitions), revocation));
        self.ready.raise();
    }

    /// Takes back a revocation that the application has not seen yet.
    pub fn withdraw_revoked(&self) {
        self.with_notices(|notices| notices.withdraw_revoked());
    }

    /// Forgets what the group gave and took, because the application unsubscribed.
    pub fn clear_group_notices(&self) {
        self.with_notices(|notices| notices.clear_group());
    }

    /// Makes the next poll return this error.
    pub fn report(&self, error: Error) {
        self.with_notices(|notices| notices.push_error(error, None));
        self.ready.raise();
    }

    /// As [`Shared::report`], for a partition: forgotten should the partition go elsewhere before.
    pub fn report_of(&self, id: PartitionId, epoch: u64, error: Error) {
        self.with_notices(|notices| notices.push_error(error, Some((id, epoch))));
        self.ready.raise();
    }

    /// Whether [`Shared::next_notice`] has something.
    pub fn has_notices(&self) -> bool {
        self.noticed.load(Ordering::SeqCst)
    }

    pub fn next_notice(&self) -> Option<super::notices::Notice> {
        self.with_notices(|notices| notices.next())
    }

    fn with_notices<T>(&self, change: impl FnOnce(&mut Notices) -> T) -> T {
        let mut notices = self.notices.lock();
        let result = change(&mut notices);
        self.noticed.store(!notices.is_empty(), Ordering::SeqCst);
        result
    }

    // ---- wake-up and end

    /// Ends the present blocking call, or the next one. From any thread.
    pub fn wakeup(&self) {
        self.wakeup.store(true, Ordering::SeqCst);
        self.ready.raise();
        self.answered.raise();
    }

    pub fn take_wakeup(&self) -> bool {
        self.wakeup.load(Ordering::SeqCst) && self.wakeup.swap(false, Ordering::SeqCst)
    }

    pub fn set_fatal(&self, error: &Error) {
        let _ = self.fatal.set(error.clone().fatal(true));
        self.ready.raise();
        self.answered.raise();
    }

    pub fn fatal(&self) -> Option<&Error> {
        self.fatal.get()
    }
}
