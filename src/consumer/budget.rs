//! The byte budget of a consumer (`fetch.buffer.memory`): what was fetched, decompressed and handed out.
//!
//! Memory is counted by guards that travel with it, so it counts exactly as long as it lives, whoever holds it.

use crate::client::wire::Wake;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Shared with each batch that the application has.
    outstanding: Arc<()>,
    /// The fetcher can ask for nothing more until bytes come back.
    starved: AtomicBool,
    wake: Arc<dyn Wake>,
}

impl Budget {
    pub fn new(limit: usize, wake: Arc<dyn Wake>) -> Arc<Budget> {
        Arc::new(Budget {
            limit,
            used: AtomicUsize::new(0),
            outstanding: Arc::new(()),
            starved: AtomicBool::new(false),
            wake,
        })
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// Counts bytes that are there already: what a broker sends is not for us to choose, so this cannot fail.
    pub fn hold(self: &Arc<Budget>, bytes: usize) -> Hold {
        self.used.fetch_add(bytes, Ordering::SeqCst);
        Hold { budget: self.clone(), bytes }
    }

    /// Counts a batch that goes to the application.
    #[inline]
    pub fn hand_out(&self) -> Outstanding {
        Outstanding { _one_more: self.outstanding.clone() }
    }

    /// Whether the application has batches that it did not free yet.
    pub fn is_handed_out(&self) -> bool {
        Arc::strong_count(&self.outstanding) > 1
    }

    /// The fetcher says that it waits for bytes. Bytes that come back wake it and take this back.
    pub fn set_starved(&self) {
        self.starved.store(true, Ordering::SeqCst);
    }

    pub fn clear_starved(&self) {
        self.starved.store(false, Ordering::SeqCst);
    }

    pub fn is_starved(&self) -> bool {
        self.starved.load(Ordering::SeqCst)
    }

    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        if self.starved.swap(false, Ordering::SeqCst) {
            self.wake.wake();
        }
    }
}

/// Some counted bytes; gives them back when it is dropped.
pub struct Hold {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hold({} bytes)", self.bytes)
    }
}

/// One batch that the application has.
pub struct Outstanding {
    _one_more: Arc<()>,
}

impl std::fmt::Debug for Outstanding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outstanding")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::request::NoWake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn bytes_count_until_the_last_holder_is_gone() {
        let budget = Budget::new(100, NoWake::shared());
        let whole = Arc::new(budget.hold(60));
        let part = whole.clone();
        drop(whole);
        assert_eq!(budget.used(), 60);
        drop(part);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn batches_are_handed_out_until_they_are_dropped() {
        let budget = Budget::new(100, NoWake::shared());
        let (a, b) = (budget.hand_out(), budget.hand_out());
        drop(a);
        assert!(budget.is_handed_out());
        drop(b);
        assert!(!budget.is_handed_out());
    }

    #[test]
    fn only_who_is_starved_is_woken() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let budget = Budget::new(100, count.clone());
        drop(budget.hold(10));
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        let (a, b) = (budget.hold(10), budget.hold(90));
        budget.set_starved();
        drop(a);
        assert!(!budget.is_starved());
        drop(b);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }
}
