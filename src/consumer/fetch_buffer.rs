//! `FetchBuffer`: completed fetches on their way from the I/O thread to poll.

use super::completed_fetch::CompletedFetch;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Its bytes are bounded by the budget, which the fetcher keeps to before it asks for more.
#[derive(Default)]
pub struct FetchBuffer {
    completed_fetches: Mutex<VecDeque<CompletedFetch>>,
    len: AtomicUsize,
}

impl FetchBuffer {
    pub fn add(&self, fetches: impl Iterator<Item = CompletedFetch>) {
        let mut completed_fetches = self.completed_fetches.lock();
        completed_fetches.extend(fetches);
        self.len.store(completed_fetches.len(), Ordering::SeqCst);
    }

    pub fn poll(&self) -> Option<CompletedFetch> {
        if self.is_empty() {
            return None;
        }
        let mut completed_fetches = self.completed_fetches.lock();
        let next = completed_fetches.pop_front();
        self.len.store(completed_fetches.len(), Ordering::SeqCst);
        next
    }

    pub fn is_empty(&self) -> bool {
        self.len.load(Ordering::SeqCst) == 0
    }
}
