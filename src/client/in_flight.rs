//! `InFlightRequests`: what was sent on a connection and not answered yet, oldest first.

use super::request::{Owner, RequestId};
use crate::protocol::ApiKey;
use crate::time::Nanos;
use std::collections::VecDeque;

/// A request that is on its way. The handshake's own has no owner.
#[derive(Debug)]
pub struct InFlight {
    pub correlation: i32,
    pub owner: Option<(Owner, RequestId)>,
    pub api: ApiKey,
    pub version: i16,
    pub sent: Nanos,
    pub deadline: Nanos,
    pub bytes: usize,
    /// Whether the broker answers it. Otherwise it is done when it was written.
    pub answered: bool,
}

/// Brokers answer in order, so this is a queue.
#[derive(Debug, Default)]
pub struct InFlightRequests {
    queue: VecDeque<InFlight>,
    next_correlation: i32,
}

impl InFlightRequests {
    /// The correlation id for the next request; they wrap round within the positive numbers.
    pub fn next_correlation(&mut self) -> i32 {
        let id = self.next_correlation;
        self.next_correlation = if id == i32::MAX { 0 } else { id + 1 };
        id
    }

    pub fn push(&mut self, request: InFlight) {
        self.queue.push_back(request);
    }

    /// Takes the request that the next answer is for.
    pub fn pop(&mut self) -> Option<InFlight> {
        self.take_first(true)
    }

    /// Takes the oldest request that is not answered: it was written.
    pub fn pop_unanswered(&mut self) -> Option<InFlight> {
        self.take_first(false)
    }

    fn take_first(&mut self, answered: bool) -> Option<InFlight> {
        let at = self.queue.iter().position(|r| r.answered == answered)?;
        self.queue.remove(at)
    }

    /// Puts back what [`InFlightRequests::pop`] took, because its answer was not one.
    pub fn push_front(&mut self, request: InFlight) {
        self.queue.push_front(request);
    }

    /// What is asked, the oldest first.
    pub fn apis(&self) -> impl Iterator<Item = ApiKey> + '_ {
        self.queue.iter().map(|r| r.api)
    }

    /// Whether all are of this kind, and to be answered.
    pub fn await_only(&self, api: ApiKey) -> bool {
        self.queue.iter().all(|r| r.answered && r.api == api)
    }

    /// Takes out the requests whose deadline has passed.
    pub fn take_late(&mut self, now: Nanos) -> Vec<InFlight> {
        let (late, rest): (VecDeque<_>, VecDeque<_>) =
            self.queue.drain(..).partition(|r: &InFlight| r.deadline <= now);
        self.queue = rest;
        late.into()
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The earliest deadline. Time-outs differ between requests, and a connection carries few of them.
    pub fn deadline(&self) -> Option<Nanos> {
        self.queue.iter().map(|r| r.deadline).min()
    }

    pub fn drain(&mut self) -> impl Iterator<Item = InFlight> + '_ {
        self.queue.drain(..)
    }
}
