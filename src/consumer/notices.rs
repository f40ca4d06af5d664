//! Events and errors that wait for the application's next poll.

use super::partition_state::PartitionId;
use super::types::Event;
use crate::error::Error;
use std::collections::VecDeque;

/// What a poll that is not for records gives.
#[derive(Debug)]
pub enum Notice {
    /// An event; a revocation has a number, others have 0.
    Event(Event, u64),
    /// An error; of a partition in this epoch, if it is one of a partition.
    Error(Error, Option<(PartitionId, u64)>),
}

#[derive(Debug, Default)]
pub struct Notices {
    queue: VecDeque<Notice>,
    errors: usize,
    commits: usize,
}

/// Errors come again as long as what causes them lasts, so nothing is lost by keeping few of them.
const MAX_ERRORS: usize = 32;
/// Ended commits of an application that does not poll: the oldest are forgotten.
const MAX_COMMITS: usize = 10_000;

impl Notices {
    pub fn push(&mut self, event: Event, revocation: u64) {
        if matches!(event, Event::Committed { .. }) {
            self.commits += 1;
            if self.commits > MAX_COMMITS {
                let oldest = |n: &Notice| matches!(n, Notice::Event(Event::Committed { .. }, _));
                if let Some(at) = self.queue.iter().position(oldest) {
                    self.queue.remove(at);
                    self.commits -= 1;
                }
            }
        }
        self.queue.push_back(Notice::Event(event, revocation));
    }

    pub fn push_error(&mut self, error: Error, of: Option<(PartitionId, u64)>) {
        if self.errors < MAX_ERRORS {
            self.errors += 1;
            self.queue.push_back(Notice::Error(error, of));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn next(&mut self) -> Option<Notice> {
        let next = self.queue.pop_front();
        match &next {
            Some(Notice::Error(..)) => self.errors -= 1,
            Some(Notice::Event(Event::Committed { .. }, _)) => self.commits -= 1,
            _ => {}
        }
        next
    }

    /// Forgets assignments and revocations.
    pub fn clear_group(&mut self) {
        self.queue.retain(|n| match n {
            Notice::Event(event, _) => matches!(event, Event::Committed { .. }),
            Notice::Error(..) => true,
        });
    }

    /// Takes out a revocation that was not delivered. There is at most one.
    pub fn withdraw_revoked(&mut self) -> bool {
        let at = self.queue.iter().position(|n| matches!(n, Notice::Event(Event::Revoked(_), _)));
        at.is_some_and(|at| self.queue.remove(at).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn in_order_and_bounded() {
        let mut notices = Notices::default();
        notices.push(Event::Assigned(Vec::new()), 0);
        for _ in 0..100 {
            notices.push_error(Error::new(Code::TIMED_OUT, "again"), None);
        }
        for _ in 0..MAX_COMMITS + 5 {
            notices.push(Event::Committed { offsets: Vec::new(), error: None }, 0);
        }
        assert!(matches!(notices.next(), Some(Notice::Event(Event::Assigned(_), 0))));
        assert_eq!(notices.queue.len(), MAX_ERRORS + MAX_COMMITS);
        while notices.next().is_some() {}
        assert_eq!((notices.errors, notices.commits), (0, 0));
    }

    #[test]
    fn an_unseen_revocation_can_be_taken_back() {
        let mut notices = Notices::default();
        notices.push(Event::Revoked(Vec::new()), 7);
        assert!(notices.withdraw_revoked());
        assert!(!notices.withdraw_revoked());
        assert!(notices.next().is_none());
    }
}
