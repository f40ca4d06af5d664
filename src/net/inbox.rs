//! What other threads leave for the I/O thread, and how they wake it.
//!
//! A wake-up must not be lost. Whoever wakes has changed something first, under a lock that the machine's poll
//! takes as well (or by a SeqCst operation), and then looks at `notified`. The I/O thread clears `notified`
//! first and polls the machine then. If the waker still reads true, its read came before the clearing, so its
//! change came before the poll that follows: with a lock between, the poll can't have taken the lock before the
//! change, or the clearing would have been seen through it; with SeqCst, there is one order of all four steps.

use crate::client::wire::{JobId, Machine, Wake};
use crate::error::Error;
use crate::net::selector::ClientId;
use crate::sys::fork_generation;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// One thing for the I/O thread to do.
pub enum Command {
    Register { machine: Box<dyn Machine>, waker: Arc<ClientWaker> },
    Remove(ClientId),
    Resolved { client: ClientId, job: JobId, result: Result<Vec<IpAddr>, Error> },
    Stop,
}

/// What came since the I/O thread looked last.
#[derive(Default)]
pub struct Mail {
    pub commands: Vec<Command>,
    pub woken: Vec<ClientId>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.woken.is_empty()
    }
}

#[derive(Default)]
struct State {
    mail: Mail,
    /// The I/O thread waits, or is about to: it has to be told.
    asleep: bool,
    /// The I/O thread is gone: nobody reads any more.
    closed: bool,
}

/// Shared between the I/O thread, the clients' handles and the resolver.
pub struct Inbox {
    state: Mutex<State>,
    waker: mio::Waker,
    /// The process it was made in: a forked child shares the waker's descriptor with its parent.
    generation: u64,
    turns: AtomicU64,
}

impl Inbox {
    pub fn new(waker: mio::Waker) -> Inbox {
        Inbox {
            state: Mutex::new(State::default()),
            waker,
            generation: fork_generation(),
            turns: AtomicU64::new(0),
        }
    }

    /// False in a child that was forked after this was made: then nothing of it may be touched.
    pub fn is_of_this_process(&self) -> bool {
        self.generation == fork_generation()
    }

    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Leaves a command; gives it back when the I/O thread is gone.
    pub fn post(&self, command: Command) -> Result<(), Command> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(command);
        }
        state.mail.commands.push(command);
        self.rouse(state);
        Ok(())
    }

    fn post_wake(&self, client: ClientId) {
        let mut state = self.state.lock();
        if !state.closed {
            state.mail.woken.push(client);
            self.rouse(state);
        }
    }

    fn rouse(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        if std::mem::take(&mut state.asleep) {
            drop(state);
            // Writing to an eventfd that is open and far from overflowing does not fail.
            let woken = self.waker.wake();
            debug_assert!(woken.is_ok(), "{woken:?}");
        }
    }

    /// The I/O thread is about to wait; false when something is here already, so that it must not.
    pub fn fall_asleep(&self) -> bool {
        let mut state = self.state.lock();
        state.asleep = state.mail.is_empty();
        state.asleep
    }

    /// The I/O thread is awake: from here on nobody needs to tell it. Swaps what has come into `mail`, which is
    /// empty, so that both keep their room.
    pub fn awake(&self, mail: &mut Mail) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.asleep = false;
        std::mem::swap(&mut state.mail, mail);
    }

    /// The I/O thread ends; what nobody took any more.
    pub fn close(&self) -> Mail {
        let mut state = self.state.lock();
        state.closed = true;
        std::mem::take(&mut state.mail)
    }

    /// How often the I/O thread has been awake.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }
}

/// Wakes the I/O thread for one client.
pub struct ClientWaker {
    pub client: ClientId,
    notified: AtomicBool,
    inbox: Arc<Inbox>,
}

impl ClientWaker {
    pub fn new(client: ClientId, inbox: Arc<Inbox>) -> ClientWaker {
        ClientWaker { client, notified: AtomicBool::new(false), inbox }
    }

    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// To be called before the machine is polled: what is changed from now on wakes again.
    pub fn rearm(&self) {
        // Not a plain store: it must come before the poll's reads.
        self.notified.swap(false, Ordering::SeqCst);
    }

    /// Apart from `wake`, which is called often and mostly in vain.
    #[cold]
    fn notify(&self) {
        if !self.notified.swap(true, Ordering::SeqCst) && self.inbox.is_of_this_process() {
            self.inbox.post_wake(self.client);
        }
    }
}

impl Wake for ClientWaker {
    fn wake(&self) {
        if !self.notified.load(Ordering::SeqCst) {
            self.notify();
        }
    }
}
