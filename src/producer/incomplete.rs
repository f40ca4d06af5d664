//! What was accepted and is not reported yet, counted so that `flush` waits for exactly what came before it.

use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::time::Instant;

/// Counts batches (and records that wait for metadata) by the flush epoch they began in. A flush begins a new
/// epoch, and is over when none of an earlier one is left; what others send meanwhile does not hold it up.
#[derive(Default)]
pub struct Incomplete {
    state: Mutex<State>,
    completed: Condvar,
}

#[derive(Default)]
struct State {
    epoch: u64,
    /// By epoch: how many units are left.
    left: BTreeMap<u64, usize>,
    flushes: usize,
    /// A flush began that the sender has not seen: one that gives no time at all is to have what lingers sent, too.
    unseen: bool,
    /// Threads inside `wait_flushed`: flushes, and close.
    waiting: usize,
    fatal: bool,
}

impl Incomplete {
    /// Counts one more unit; returns its epoch.
    pub fn begin(&self) -> u64 {
        let mut state = self.state.lock();
        let epoch = state.epoch;
        *state.left.entry(epoch).or_default() += 1;
        epoch
    }

    /// Counts one more unit of an epoch that was begun before: what a unit was split into.
    pub fn begin_in(&self, epoch: u64) {
        *self.state.lock().left.entry(epoch).or_default() += 1;
    }

    /// A unit was reported.
    pub fn end(&self, epoch: u64) {
        let mut state = self.state.lock();
        if let Some(left) = state.left.get_mut(&epoch) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                state.left.remove(&epoch);
                if state.waiting > 0 {
                    self.completed.notify_all();
                }
            }
        }
    }

    /// Begins a flush: everything counted so far is to be sent without lingering. Returns its epoch.
    pub fn begin_flush(&self) -> u64 {
        let mut state = self.state.lock();
        state.flushes += 1;
        state.unseen = true;
        state.epoch += 1;
        state.epoch
    }

    pub fn end_flush(&self) {
        self.state.lock().flushes -= 1;
    }

    /// Whether a flush is going on, and what the last one began with: whatever is of an earlier epoch was asked for,
    /// also when the flush itself has given up waiting.
    pub fn flushing(&self) -> (bool, u64) {
        let state = self.state.lock();
        (state.flushes > 0 || state.unseen, state.epoch)
    }

    /// The sender has gone through everything that is urgent.
    pub fn flush_was_seen(&self, began: u64) {
        let mut state = self.state.lock();
        state.unseen &= state.epoch != began;
    }

    /// Names the last flush that began, for [`Incomplete::flush_was_seen`].
    pub fn last_flush(&self) -> u64 {
        self.state.lock().epoch
    }

    /// Whether everything from before the epoch `flush` is reported.
    pub fn is_flushed(&self, flush: u64) -> bool {
        let state = self.state.lock();
        state.fatal || state.left.range(..flush).next().is_none()
    }

    /// Waits for [`Incomplete::is_flushed`], at most until `deadline`.
    pub fn wait_flushed(&self, flush: u64, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        let flushed = |state: &State| state.fatal || state.left.range(..flush).next().is_none();
        state.waiting += 1;
        while !flushed(&state) && !self.completed.wait_until(&mut state, deadline).timed_out() {}
        state.waiting -= 1;
        flushed(&state)
    }

    /// Units that are not reported yet.
    pub fn left(&self) -> usize {
        self.state.lock().left.values().sum()
    }

    /// Nothing more will be reported: ends every wait.
    pub fn give_up(&self) {
        self.state.lock().fatal = true;
        self.completed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_waits_for_what_came_before_it_only() {
        let incomplete = Incomplete::default();
        let before = incomplete.begin();
        let flush = incomplete.begin_flush();
        let after = incomplete.begin();
        assert!(incomplete.flushing() == (true, flush) && !incomplete.is_flushed(flush));
        assert!(!incomplete.wait_flushed(flush, Instant::now()));
        incomplete.end(before);
        assert!(incomplete.is_flushed(flush));
        incomplete.end_flush();
        incomplete.end(after);
        assert!(incomplete.flushing().0, "the sender has not seen it");
        incomplete.flush_was_seen(flush - 1);
        assert!(incomplete.flushing().0, "it saw an earlier one");
        incomplete.flush_was_seen(incomplete.last_flush());
        assert_eq!(incomplete.flushing(), (false, flush));
    }

    #[test]
    fn a_wait_without_a_flush_ends_with_the_last_unit() {
        let incomplete = Incomplete::default();
        let unit = incomplete.begin();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                incomplete.wait_flushed(u64::MAX, Instant::now() + std::time::Duration::from_secs(20))
            });
            while incomplete.state.lock().waiting == 0 {
                std::thread::yield_now();
            }
            let ended = Instant::now();
            incomplete.end(unit);
            assert!(waiting.join().unwrap());
            assert!(ended.elapsed().as_secs() < 10);
        });
    }
}
