//! `BufferPool`: `buffer.memory` in bytes, handed out fairly, with the buffers of closed batches used again.
//!
//! Everything that a record occupies between `send` and its taken delivery is charged here: the batch's buffer,
//! the records that wait for metadata, and the 8 bytes of its token.

use crate::sys::signal::Signal;
use bytes::BytesMut;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Who waits for memory is told when this part of it is free: a thread that wakes up for every buffer that comes
/// back costs more than what it sends.
const PLENTY: usize = 8;

/// Memory is taken from the system in pieces of about this size.
const SLAB: usize = 512 * 1024;

pub struct BufferPool {
    total: usize,
    /// The usual size of a buffer; only buffers of this size are kept.
    poolable: usize,
    state: Mutex<State>,
    freed: Condvar,
    /// Raised when somebody who was refused may try again.
    signal: Arc<Signal>,
}

struct State {
    /// Bytes charged. May pass `total` by what can't wait: tokens, and records that were accepted already.
    charged: usize,
    free: Vec<BytesMut>,
    /// Zeroed memory that buffers are cut from: the system gives large pieces zeroed, and small ones not.
    slab: BytesMut,
    /// Tickets of the threads that wait, first come first served.
    waiting: VecDeque<u64>,
    next_ticket: u64,
    /// Somebody was refused, and wants to know when there is room again.
    refused: bool,
    /// The sender is at work, and tells by [`BufferPool::tell`] what is held back.
    holding: bool,
    /// Memory came back, but not much, and nobody was told.
    held_back: bool,
    closed: bool,
}

impl State {
    fn is_wanted(&self) -> bool {
        self.refused || !self.waiting.is_empty()
    }
}

/// Why no memory was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It would never fit.
    TooLarge,
    /// There was no room in time.
    Exhausted,
    Closed,
}

impl BufferPool {
    pub fn new(total: usize, poolable: usize, signal: Arc<Signal>) -> BufferPool {
        BufferPool {
            total,
            poolable,
            state: Mutex::new(State {
                charged: 0,
                free: Vec::new(),
                slab: BytesMut::new(),
                waiting: VecDeque::new(),
                next_ticket: 0,
                refused: false,
                holding: false,
                held_back: false,
                closed: false,
            }),
            freed: Condvar::new(),
            signal,
        }
    }

    pub fn total(&self) -> usize {
        self.total
    }

    /// Bytes charged now.
    pub fn charged(&self) -> usize {
        self.state.lock().charged
    }

    /// Whether somebody waits for memory, so that what is there should be sent without lingering.
    pub fn is_exhausted(&self) -> bool {
        self.state.lock().is_wanted()
    }

    /// As [`BufferPool::allocate`] if there is room now; who is refused here asks again, and is not told.
    pub fn try_allocate(&self, size: usize) -> Result<BytesMut, Refused> {
        let mut state = self.state.lock();
        if size > self.poolable || !state.waiting.is_empty() || state.closed {
            return Err(Refused::Exhausted);
        }
        if state.charged + self.poolable > self.total {
            return Err(Refused::Exhausted);
        }
        state.charged += self.poolable;
        Ok(self.buffer(&mut state))
    }

    /// A buffer of at least `size` bytes, charged; waits for room until `deadline` (`None`: does not wait). When
    /// there is none at once, `exhausted` is called, after [`BufferPool::is_exhausted`] says so.
    pub fn allocate(
        &self,
        size: usize,
        deadline: Option<Instant>,
        exhausted: &dyn Fn(),
    ) -> Result<BytesMut, Refused> {
        let size = size.max(self.poolable);
        let take = |state: &mut State| match size == self.poolable {
            true => state.free.pop(),
            false => None,
        };
        let reused = self.charge_and(size, deadline, exhausted, take)?;
        Ok(reused.unwrap_or_else(|| BytesMut::zeroed(size)))
    }

    /// A buffer of the usual size: one that was used before, or a piece of the slab.
    fn buffer(&self, state: &mut State) -> BytesMut {
        if let Some(free) = state.free.pop() {
            return free;
        }
        if state.slab.len() < self.poolable {
            let buffers = (SLAB / self.poolable.max(1)).max(1);
            state.slab = BytesMut::zeroed(buffers * self.poolable);
        }
        state.slab.split_to(self.poolable)
    }

    fn charge_and<T>(
        &self,
        size: usize,
        deadline: Option<Instant>,
        exhausted: &dyn Fn(),
        take: impl FnOnce(&mut State) -> T,
    ) -> Result<T, Refused> {
        if size > self.total {
            return Err(Refused::TooLarge);
        }
        let mut state = self.state.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if !state.waiting.is_empty() || state.charged + size > self.total {
            let Some(deadline) = deadline else {
                state.refused = true;
                drop(state);
                exhausted();
                return Err(Refused::Exhausted);
            };
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.push_back(ticket);
            MutexGuard::unlocked(&mut state, exhausted);
            let mut late = false;
            let outcome = loop {
                if state.closed {
                    break Err(Refused::Closed);
                }
                // Looked at when it is late as well: there may be a little that nobody was told of.
                if state.waiting.front() == Some(&ticket) && state.charged + size <= self.total {
                    break Ok(());
                }
                if late {
                    state.refused = true;
                    break Err(Refused::Exhausted);
                }
                late = self.freed.wait_until(&mut state, deadline).timed_out();
            };
            state.waiting.retain(|t| *t != ticket);
            self.freed.notify_all();
            outcome?;
        }
        state.charged += size;
        let taken = take(&mut state);
        // What is kept for reuse counts as well: it makes room for what is used.
        while !state.free.is_empty() && state.charged + state.free.len() * self.poolable > self.total {
            state.free.pop();
        }
        Ok(taken)
    }

    /// Charges without asking: for records that were accepted already.
    pub fn force_charge(&self, size: usize) {
        self.state.lock().charged += size;
    }

    /// Gives back what was charged.
    pub fn release(&self, size: usize) {
        self.give_back(size, None);
    }

    /// Gives a buffer back with its charge.
    pub fn release_buffer(&self, charge: usize, buffer: BytesMut) {
        self.give_back(charge, Some(buffer));
    }

    fn give_back(&self, size: usize, buffer: Option<BytesMut>) {
        let mut state = self.state.lock();
        state.charged = state.charged.saturating_sub(size);
        if let Some(buffer) = buffer {
            let kept = (state.free.len() + 1) * self.poolable;
            if buffer.len() == self.poolable && state.charged + kept <= self.total {
                state.free.push(buffer);
            }
        }
        let plenty = self.poolable.max(self.total / PLENTY);
        if !state.is_wanted() {
            return;
        }
        if state.holding && state.charged + plenty > self.total {
            state.held_back = true;
            return;
        }
        self.tell_locked(state);
    }

    /// From here to [`BufferPool::stop_holding`], who waits is told only of plenty of memory.
    pub fn hold(&self) {
        self.state.lock().holding = true;
    }

    /// Returns whether something is held back, of which [`BufferPool::tell`] must tell before long.
    pub fn stop_holding(&self) -> bool {
        let mut state = self.state.lock();
        state.holding = false;
        state.held_back
    }

    /// Tells who waits of the memory that there is.
    pub fn tell(&self) {
        self.tell_locked(self.state.lock());
    }

    fn tell_locked(&self, mut state: MutexGuard<'_, State>) {
        state.held_back = false;
        if !state.waiting.is_empty() {
            self.freed.notify_all();
        }
        let room = state.charged + self.poolable <= self.total;
        let tell = room && std::mem::take(&mut state.refused);
        drop(state);
        if tell {
            self.signal.raise();
        }
    }

    /// Ends all waiting; nothing more is given out.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(5))
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let signal = Arc::new(Signal::new());
        let pool = BufferPool::new(100, 40, signal.clone());
        let a = pool.allocate(10, None, &|| ()).unwrap();
        let b = pool.allocate(40, None, &|| ()).unwrap();
        assert_eq!((a.len(), b.len(), pool.charged()), (40, 40, 80));
        assert_eq!(pool.allocate(1, None, &|| ()), Err(Refused::Exhausted));
        assert_eq!(pool.allocate(1, soon(), &|| ()), Err(Refused::Exhausted));
        assert_eq!(pool.allocate(101, soon(), &|| ()), Err(Refused::TooLarge));
        assert!(!signal.is_raised());
        pool.release_buffer(40, a);
        assert!(signal.is_raised(), "who was refused is told");
        signal.lower();
        pool.release_buffer(40, b);
        assert!(!signal.is_raised(), "once");
        assert_eq!(pool.charged(), 0);
    }

    #[test]
    fn a_waiter_gets_what_is_given_back_and_close_ends_waiting() {
        let pool = Arc::new(BufferPool::new(40, 40, Arc::default()));
        let first = pool.allocate(40, None, &|| ()).unwrap();
        let other = pool.clone();
        let waiter = std::thread::spawn(move || {
            other.allocate(40, Some(Instant::now() + Duration::from_secs(30)), &|| ())
        });
        while !pool.is_exhausted() {
            std::thread::yield_now();
        }
        pool.release_buffer(40, first);
        assert_eq!(waiter.join().unwrap().map(|b| b.len()), Ok(40));
        let other = pool.clone();
        let waiter = std::thread::spawn(move || {
            other.allocate(1, Some(Instant::now() + Duration::from_secs(30)), &|| ())
        });
        while !pool.is_exhausted() {
            std::thread::yield_now();
        }
        pool.close();
        assert_eq!(waiter.join().unwrap(), Err(Refused::Closed));
    }

    #[test]
    fn a_little_memory_is_held_back_until_there_is_plenty_or_it_is_told() {
        let signal = Arc::new(Signal::new());
        let pool = BufferPool::new(1600, 40, signal.clone());
        let mut buffers: Vec<BytesMut> = (0..40).map(|_| pool.allocate(40, None, &|| ()).unwrap()).collect();
        let refuse = |pool: &BufferPool| assert_eq!(pool.allocate(40, None, &|| ()), Err(Refused::Exhausted));
        refuse(&pool);
        pool.hold();
        for _ in 0..4 {
            pool.release_buffer(40, buffers.pop().unwrap());
        }
        assert!(!signal.is_raised(), "160 of 1600 bytes");
        assert!(pool.stop_holding());
        pool.tell();
        assert!(signal.is_raised());
        signal.lower();
        assert!(!pool.stop_holding(), "it was told");
        buffers.extend((0..4).map(|_| pool.allocate(40, None, &|| ()).unwrap()));
        refuse(&pool);
        pool.hold();
        for _ in 0..5 {
            assert!(!signal.is_raised());
            pool.release_buffer(40, buffers.pop().unwrap());
        }
        assert!(signal.is_raised(), "200 of 1600 bytes");
        assert!(!pool.stop_holding());
        signal.lower();
        buffers.extend((0..5).map(|_| pool.allocate(40, None, &|| ()).unwrap()));
        refuse(&pool);
        pool.release_buffer(40, buffers.pop().unwrap());
        assert!(signal.is_raised(), "nobody holds it back");
    }

    #[test]
    fn whoever_finds_no_room_says_so_before_it_waits() {
        let pool = BufferPool::new(40, 40, Arc::default());
        let first = pool.allocate(40, None, &|| panic!("there is room")).unwrap();
        for deadline in [None, soon()] {
            let told = std::cell::Cell::new(false);
            let tell = || told.set(pool.is_exhausted());
            assert_eq!(pool.allocate(40, deadline, &tell), Err(Refused::Exhausted));
            assert!(told.get());
        }
        assert!(!pool.signal.is_raised());
        pool.release_buffer(40, first);
        assert!(pool.signal.is_raised());
    }
}
