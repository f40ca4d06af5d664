//! `Troubles`: what last went wrong with which broker, as long as it lasts.
//!
//! An error of a deadline knows no more than that the time is over. Whoever makes one, on the I/O thread or on the
//! application's, has it [explained](Troubles::explain) here, so that it names broker, phase and cause.

use super::request::{Lane, NodeId, NodeKey};
use crate::error::Error;
use crate::protocol::ApiKey;
use crate::time::Nanos;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Noted by the I/O thread, read by every thread of the client.
#[derive(Debug, Default)]
pub struct Troubles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of: BTreeMap<NodeKey, Trouble>,
    /// The last of any broker, if no success with any followed.
    last: Option<Trouble>,
    /// What a connection that is being made waits for: not wrong yet, but the reason of what ends meanwhile.
    awaited: BTreeMap<NodeKey, Error>,
}

#[derive(Clone, Debug)]
struct Trouble {
    error: Error,
    /// What was asked in vain; nothing if there was no connection to ask on.
    api: Option<ApiKey>,
    at: Nanos,
}

/// What went wrong with one API is the reason of nothing any more, when others have worked for so long.
const PASSED_MS: u64 = 60_000;

impl Trouble {
    /// Whether an answer to this API shows that it is over.
    fn is_over(&self, received: Nanos, api: ApiKey) -> bool {
        let works = self.api.is_none_or(|failed| failed == api);
        self.at < received && (works || received.ms_since(self.at) >= PASSED_MS)
    }
}

impl Troubles {
    /// Something failed with this broker: connecting, or the request of an API.
    pub fn note(&self, now: Nanos, key: NodeKey, api: Option<ApiKey>, error: &Error) {
        let trouble = Trouble { error: error.clone(), api, at: now };
        let mut known = self.0.lock();
        known.awaited.remove(&key);
        known.of.insert(key, trouble.clone());
        known.last = Some(trouble);
    }

    /// Making a connection takes its next step, which this error describes as not done yet.
    pub fn awaits(&self, key: NodeKey, error: Error) {
        self.0.lock().awaited.insert(key, error);
    }

    /// A connection was made, so the broker can be reached, on other lanes too: one that is not needed any more would
    /// never find out. What went wrong with a request may do so again on the new connection.
    pub fn connected(&self, key: NodeKey) {
        let of_connecting = |trouble: &mut Trouble| trouble.api.is_none();
        let mut known = self.0.lock();
        known.awaited.remove(&key);
        known.of.retain(|other, trouble| other.id != key.id || !of_connecting(trouble));
        known.last.take_if(of_connecting);
    }

    /// The broker answered a request at this time. What was noted since, that the answer is of no use for example,
    /// stays.
    pub fn answered(&self, received: Nanos, key: NodeKey, api: ApiKey) {
        let mut known = self.0.lock();
        if known.of.get(&key).is_some_and(|t| t.is_over(received, api)) {
            known.of.remove(&key);
        }
        known.last.take_if(|t| t.is_over(received, api));
    }

    /// The broker is not there any more.
    pub fn forget(&self, key: NodeKey) {
        let mut known = self.0.lock();
        known.of.remove(&key);
        known.awaited.remove(&key);
    }

    /// What went wrong with this broker, on whichever of its connections, if no success followed there.
    pub fn of(&self, id: NodeId) -> Option<Error> {
        let known = self.0.lock();
        let lanes = [Lane::Data, Lane::Coordinator, Lane::Lookup];
        let found = lanes.into_iter().find_map(|lane| known.of.get(&NodeKey { id, lane }));
        found.map(|t| t.error.clone())
    }

    /// As [`Troubles::of`], of one connection.
    pub fn of_connection(&self, key: NodeKey) -> Option<Error> {
        self.0.lock().of.get(&key).map(|t| t.error.clone())
    }

    /// What last went wrong with any broker, if no success with any followed.
    pub fn last(&self) -> Option<Error> {
        self.0.lock().last.as_ref().map(|t| t.error.clone())
    }

    /// What a connection to this broker, or to any, waits for while it is being made.
    fn awaited(&self, broker: Option<NodeId>) -> Option<Error> {
        let known = self.0.lock();
        let found = known.awaited.iter().find(|(key, _)| broker.is_none_or(|id| key.id == id));
        found.map(|(_, error)| error.clone())
    }

    /// Tells an error of a deadline why: by what the thing itself last failed of (`own`), else by what is wrong with
    /// the broker that it is for, or if there is none, with any; else by what a connection still waits for.
    pub fn explain(&self, error: Error, own: Option<&Error>, broker: Option<NodeId>) -> Error {
        let of_brokers = || broker.map_or_else(|| self.last(), |id| self.of(id));
        match own.cloned().or_else(of_brokers).or_else(|| self.awaited(broker)) {
            Some(cause) => error.caused_by(&cause),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Phase};

    fn error(text: &str, phase: Phase) -> Error {
        Error::new(Code::TRANSPORT, text).phase(phase)
    }

    fn at(ms: u64) -> Nanos {
        Nanos(0).plus_ms(ms)
    }

    #[test]
    fn the_nearest_reason_is_the_one_that_is_told() {
        let troubles = Troubles::default();
        let late = || Error::new(Code::TIMED_OUT, "late");
        let cause = |own: Option<&Error>, broker| {
            troubles.explain(late(), own, broker).cause_text().map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(cause(None, Some(1)), "");
        troubles.note(at(0), NodeKey::coordinator(1), None, &error("one", Phase::Tcp).broker(1));
        troubles.note(at(0), NodeKey::data(2), None, &error("two", Phase::Tcp).broker(2));
        assert!(cause(None, Some(1)).contains("one") && cause(None, None).contains("two"));
        assert_eq!(cause(None, Some(3)), "", "others have nothing to do with it");
        assert!(cause(Some(&error("own", Phase::Request)), Some(1)).contains("own"));
        let explained = troubles.explain(late(), None, Some(1));
        assert_eq!((explained.broker_id(), explained.failed_phase()), (Some(1), Some(Phase::Tcp)));
    }

    #[test]
    fn a_broker_that_was_reached_on_one_lane_is_reached() {
        let troubles = Troubles::default();
        let refused = error("refused", Phase::Tcp);
        troubles.note(at(0), NodeKey::lookup(1), None, &refused);
        troubles.note(at(0), NodeKey::coordinator(1), Some(ApiKey::Heartbeat), &refused);
        troubles.note(at(0), NodeKey::lookup(2), None, &refused);
        troubles.connected(NodeKey::data(1));
        let is_told = |key| troubles.of_connection(key).is_some();
        assert!(!is_told(NodeKey::lookup(1)), "it can be reached");
        assert!(is_told(NodeKey::coordinator(1)), "a request is no connection");
        assert!(is_told(NodeKey::lookup(2)), "another broker");
    }

    #[test]
    fn a_connection_mends_connecting_and_an_answer_what_was_asked() {
        let (troubles, key) = (Troubles::default(), NodeKey::data(1));
        let is_told = || (troubles.of(1).is_some(), troubles.last().is_some());
        troubles.note(at(0), key, None, &error("a", Phase::Tcp));
        troubles.connected(key);
        assert_eq!(is_told(), (false, false));
        troubles.note(at(0), key, Some(ApiKey::Metadata), &error("b", Phase::Request));
        troubles.connected(key);
        troubles.answered(at(1), key, ApiKey::FindCoordinator);
        assert_eq!(is_told(), (true, true));
        troubles.answered(at(1), NodeKey::data(2), ApiKey::Metadata);
        assert_eq!(is_told(), (true, false), "another broker could tell");
        troubles.answered(at(1), key, ApiKey::Metadata);
        assert_eq!(is_told(), (false, false));
        troubles.note(at(0), key, Some(ApiKey::Metadata), &error("c", Phase::Request));
        troubles.answered(at(PASSED_MS), key, ApiKey::Fetch);
        assert_eq!(is_told(), (false, false), "long ago");
    }
}
