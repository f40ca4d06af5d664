//! What the façade asks the I/O thread to do, and how the answers come back.

use super::types::{OffsetAndMetadata, OffsetAndTimestamp, Offsets};
use crate::error::{Code, Error, Result};
use crate::serialization::TopicPartition;
use crate::sys::signal::Signal;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

pub enum Command {
    Group(GroupCommand),
    Offsets(OffsetsCommand),
}

/// For the group and its offsets.
pub enum GroupCommand {
    /// Commit these offsets. Without a reply the end of it is an event; when it is the consumer's own commit, only
    /// a failure is.
    Commit { offsets: Offsets, timeout_ms: u64, reply: Option<Reply<()>>, own: bool },
    /// Ask for the committed offsets.
    Committed {
        partitions: Vec<TopicPartition>,
        timeout_ms: u64,
        reply: Reply<Vec<(TopicPartition, Option<OffsetAndMetadata>)>>,
    },
    /// The subscription changed, in this session.
    Subscribe { session: u64 },
    /// The subscription ended; these offsets are still to be committed before the group is left.
    Unsubscribe { offsets: Offsets },
    /// Commit, leave the group, and end.
    Close { offsets: Offsets, timeout_ms: u64, reply: Reply<()> },
}

/// For the offsets that partitions have.
pub struct OffsetsCommand {
    /// With the timestamp that is looked for; -1 is the end, -2 the beginning.
    pub targets: Vec<(TopicPartition, i64)>,
    pub timeout_ms: u64,
    pub reply: Reply<Vec<(TopicPartition, Option<OffsetAndTimestamp>)>>,
}

/// The commands that wait for the I/O thread.
#[derive(Default)]
pub struct Commands {
    group: VecDeque<GroupCommand>,
    offsets: VecDeque<OffsetsCommand>,
    closing: bool,
    abandoned: bool,
}

impl Commands {
    pub fn push(&mut self, command: Command) {
        match command {
            Command::Group(command) => {
                self.closing |= matches!(command, GroupCommand::Close { .. });
                self.group.push_back(command);
            }
            Command::Offsets(command) => self.offsets.push_back(command),
        }
    }

    pub fn next_group(&mut self) -> Option<GroupCommand> {
        self.group.pop_front()
    }

    pub fn next_offsets(&mut self) -> Option<OffsetsCommand> {
        self.offsets.pop_front()
    }

    /// Answers nothing any more, and has the machine end.
    pub fn abandon(&mut self) {
        self.closing = true;
        self.abandoned = true;
        self.group.clear();
        self.offsets.clear();
    }

    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    pub fn is_closing(&self) -> bool {
        self.closing
    }
}

struct Slot<T> {
    result: Option<Result<T>>,
    /// The last failure that is being retried: what a time-out names as its cause.
    trouble: Option<Error>,
}

/// The I/O thread's end of a question: it gives exactly one answer, at the latest when it is dropped.
pub struct Reply<T> {
    slot: Arc<Mutex<Slot<T>>>,
    answered: Arc<Signal>,
}

/// The façade's end of a question.
pub struct Pending<T>(Arc<Mutex<Slot<T>>>);

/// A question's two ends.
pub fn reply<T>(answered: &Arc<Signal>) -> (Reply<T>, Pending<T>) {
    let slot = Arc::new(Mutex::new(Slot { result: None, trouble: None }));
    (Reply { slot: slot.clone(), answered: answered.clone() }, Pending(slot))
}

impl<T> Reply<T> {
    pub fn complete(self, result: Result<T>) {
        self.slot.lock().result = Some(result);
    }

    /// Notes a failure that is being retried.
    pub fn trouble(&self, error: &Error) {
        self.slot.lock().trouble = Some(error.clone());
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.slot.lock().result.get_or_insert_with(|| {
            Err(Error::new(Code::CLOSED, "the consumer was closed before the answer came"))
        });
        self.answered.raise();
    }
}

impl<T> Pending<T> {
    /// The answer, once.
    pub fn try_take(&self) -> Option<Result<T>> {
        self.0.lock().result.take()
    }

    pub fn last_trouble(&self) -> Option<Error> {
        self.0.lock().trouble.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_and_a_raised_signal() {
        let answered = Arc::new(Signal::new());
        let (question, pending) = reply(&answered);
        question.trouble(&Error::new(Code::TRANSPORT, "not yet"));
        assert!(pending.try_take().is_none());
        assert!(!answered.is_raised());
        question.complete(Ok(7));
        assert!(answered.is_raised());
        assert_eq!(pending.try_take().unwrap().unwrap(), 7);
        assert!(pending.try_take().is_none());
        assert_eq!(pending.last_trouble().unwrap().message(), "not yet");
    }

    #[test]
    fn a_dropped_question_is_answered_too() {
        let answered = Arc::new(Signal::new());
        let (question, pending) = reply::<()>(&answered);
        drop(question);
        assert_eq!(pending.try_take().unwrap().unwrap_err().code(), Code::CLOSED);
    }
}
