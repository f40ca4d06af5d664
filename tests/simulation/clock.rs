//! Virtual time, and the agenda of what happens when.

use milena::{Nanos, Now};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// 2026-01-01; records get this and later as their timestamps.
const WALL_START_MS: i64 = 1_767_225_600_000;

pub struct Clock {
    pub mono: Nanos,
}

impl Clock {
    pub fn now(&self) -> Now {
        Now { mono: self.mono, wall_ms: WALL_START_MS + (self.mono.0 / 1_000_000) as i64 }
    }
}

/// Events in the order of their time; those of one moment in the order in which they were entered.
pub struct Agenda<E> {
    heap: BinaryHeap<Reverse<(Nanos, u64)>>,
    events: std::collections::HashMap<u64, E>,
    next: u64,
}

impl<E> Agenda<E> {
    pub fn new() -> Agenda<E> {
        Agenda { heap: BinaryHeap::new(), events: Default::default(), next: 0 }
    }

    pub fn enter(&mut self, at: Nanos, event: E) {
        self.next += 1;
        self.events.insert(self.next, event);
        self.heap.push(Reverse((at, self.next)));
    }

    pub fn next_time(&self) -> Option<Nanos> {
        self.heap.peek().map(|e| e.0 .0)
    }

    pub fn pop_due(&mut self, now: Nanos) -> Option<E> {
        if self.next_time()? > now {
            return None;
        }
        let Reverse((_, id)) = self.heap.pop()?;
        self.events.remove(&id)
    }
}
