//! Faults by script: what goes wrong, for which requests, and how often.
//!
//! A script is a list. Each request takes from it the first error that fits and the first other fault that fits;
//! a fault that was taken as often as it should be is gone. So pushing NOT_LEADER_OR_FOLLOWER once and then
//! REQUEST_TIMED_OUT once makes two requests fail, one after the other.

use crate::protocol::ApiKey;
use std::cell::Cell;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request is not carried out and answered with this error code: for every partition, topic or group in
    /// it (that the fault is about) where the answer has a code for each, else for the whole. Produce with
    /// REQUEST_TIMED_OUT (7) or NOT_ENOUGH_REPLICAS_AFTER_APPEND (20) appends all the same, as in Kafka.
    Error(i16),
    /// The answer, whatever it is, comes this many milliseconds later; later requests of the connection wait.
    Delay(u64),
    /// The connection is closed; the request is not carried out.
    DisconnectBefore,
    /// The request is carried out, and the connection closed instead of an answer: a lost acknowledgement.
    DisconnectAfter,
    /// The request is carried out and never answered, nor is any later one on the connection.
    DropAnswer,
    /// Random bytes instead of the answer.
    Garbage,
    /// Instead of the answer, the start of a frame that says to be 2 GiB long.
    HugeLength,
    /// The first half of the answer; then the connection is closed.
    CutOff,
    /// An answer in a sound frame that ends in the middle of the message.
    Truncated,
    /// An answer to a request that was not sent.
    WrongCorrelation,
}

/// One fault: `kind` happens `times` times to the requests that fit. A field that is `None` fits all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub api: Option<ApiKey>,
    /// Requests that this broker gets.
    pub broker: Option<i32>,
    /// Errors only: the topic (for DescribeGroups and the like: the group) that fails.
    pub topic: Option<String>,
    /// Errors only: the partition that fails.
    pub partition: Option<i32>,
    /// How many fitting requests pass unharmed first.
    pub skip: u32,
    /// How many requests it happens to; [`Fault::FOREVER`] until the script is cleared.
    pub times: u32,
}

impl Fault {
    /// For [`Fault::times`]: without end.
    pub const FOREVER: u32 = u32::MAX;

    /// A fault of every request, once; narrow it with the other methods.
    pub fn new(kind: FaultKind) -> Fault {
        Fault { kind, api: None, broker: None, topic: None, partition: None, skip: 0, times: 1 }
    }
    /// An error code as the answer to an API.
    pub fn error(api: ApiKey, code: i16) -> Fault {
        Fault::new(FaultKind::Error(code)).api(api)
    }
    /// Only requests of this API.
    pub fn api(mut self, api: ApiKey) -> Fault {
        self.api = Some(api);
        self
    }
    /// Only requests to this broker.
    pub fn broker(mut self, broker: i32) -> Fault {
        self.broker = Some(broker);
        self
    }
    /// Only this topic.
    pub fn topic(mut self, topic: &str) -> Fault {
        self.topic = Some(topic.to_owned());
        self
    }
    /// Only this partition.
    pub fn partition(mut self, partition: i32) -> Fault {
        self.partition = Some(partition);
        self
    }
    /// How many fitting requests pass unharmed first.
    pub fn skip(mut self, skip: u32) -> Fault {
        self.skip = skip;
        self
    }
    /// How many requests it happens to.
    pub fn times(mut self, times: u32) -> Fault {
        self.times = times;
        self
    }
}

#[derive(Debug)]
struct Entry {
    fault: Fault,
    /// The request that is being handled met it.
    met: Cell<bool>,
}

/// What is still to go wrong.
#[derive(Debug, Default)]
pub(super) struct FaultScript {
    entries: Vec<Entry>,
}

impl FaultScript {
    pub fn push(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.entries.push(Entry { fault, met: Cell::new(false) });
        }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many faults are left.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The error that something in a request gets. `topic` and `partition` are `None` where the question is about
    /// the whole request.
    pub fn error(
        &self,
        broker: i32,
        api: ApiKey,
        topic: Option<&str>,
        partition: Option<i32>,
    ) -> Option<i16> {
        for entry in self.entries.iter().filter(|e| fits(&e.fault, broker, api)) {
            let FaultKind::Error(code) = entry.fault.kind else { continue };
            let about = |wanted: Option<&str>| wanted.is_none() || wanted == topic;
            let place = entry.fault.partition.is_none() || entry.fault.partition == partition;
            if about(entry.fault.topic.as_deref()) && place {
                entry.met.set(true);
                if entry.fault.skip == 0 {
                    return Some(code);
                }
            }
        }
        None
    }

    /// The request was answered (or refused): what it met is used up by one.
    pub fn settle(&mut self) {
        self.entries.retain_mut(|entry| !entry.met.take() || entry.use_up());
    }

    /// Nothing was decided: the request that waits will ask again.
    pub fn unsettle(&mut self) {
        for entry in &self.entries {
            entry.met.set(false);
        }
    }

    /// Takes the first fault that fits among those that `wanted` picks.
    pub fn take(
        &mut self,
        broker: i32,
        api: ApiKey,
        wanted: impl Fn(FaultKind) -> bool,
    ) -> Option<FaultKind> {
        let mut found = None;
        self.entries.retain_mut(|entry| {
            if found.is_some() || !wanted(entry.fault.kind) || !fits(&entry.fault, broker, api) {
                return true;
            }
            if entry.fault.skip == 0 {
                found = Some(entry.fault.kind);
            }
            entry.use_up()
        });
        found
    }
}

fn fits(fault: &Fault, broker: i32, api: ApiKey) -> bool {
    fault.api.is_none_or(|a| a == api) && fault.broker.is_none_or(|b| b == broker)
}

impl Entry {
    /// Counts one request; says whether the fault is still of use.
    fn use_up(&mut self) -> bool {
        if self.fault.skip > 0 {
            self.fault.skip = self.fault.skip.saturating_sub(1);
            return true;
        }
        if self.fault.times != Fault::FOREVER {
            self.fault.times = self.fault.times.saturating_sub(1);
        }
        self.fault.times > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_happen_in_order_and_as_often_as_asked() {
        let mut script = FaultScript::default();
        script.push(Fault::error(ApiKey::Produce, 6).times(2));
        script.push(Fault::error(ApiKey::Produce, 7).broker(1));
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(script.error(1, ApiKey::Produce, Some("t"), Some(0)));
            assert_eq!(script.error(1, ApiKey::Fetch, Some("t"), Some(0)), None);
            script.settle();
        }
        assert_eq!(seen, [Some(6), Some(6), Some(7), None]);
    }

    #[test]
    fn an_error_of_one_partition_is_used_up_by_requests_with_that_partition() {
        let mut script = FaultScript::default();
        script.push(Fault::error(ApiKey::Fetch, 6).topic("t").partition(1));
        assert_eq!(script.error(1, ApiKey::Fetch, Some("t"), Some(0)), None);
        assert_eq!(script.error(1, ApiKey::Fetch, Some("u"), Some(1)), None);
        script.settle();
        assert_eq!(script.error(2, ApiKey::Fetch, Some("t"), Some(1)), Some(6));
        script.unsettle();
        assert_eq!(script.error(2, ApiKey::Fetch, Some("t"), Some(1)), Some(6));
        script.settle();
        assert_eq!(script.len(), 0);
    }

    #[test]
    fn others_can_skip_some_and_last_for_ever() {
        let mut script = FaultScript::default();
        script.push(Fault::new(FaultKind::Delay(5)).skip(1).times(Fault::FOREVER));
        let taken: Vec<_> =
            (0..3).map(|_| script.take(1, ApiKey::Fetch, |k| matches!(k, FaultKind::Delay(_)))).collect();
        assert_eq!(taken, [None, Some(FaultKind::Delay(5)), Some(FaultKind::Delay(5))]);
        assert_eq!(script.take(1, ApiKey::Fetch, |k| k == FaultKind::Garbage), None);
    }
}
