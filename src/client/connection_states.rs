//! `ClusterConnectionStates`: what each broker's connection is doing, and when it may be tried again.

use super::request::NodeKey;
use super::wire::{ConnId, JobId};
use crate::error::{Error, Phase};
use crate::protocol::versions::BrokerVersions;
use crate::time::Nanos;
use std::net::IpAddr;
use std::sync::Arc;

/// Back-off of reconnects: doubled with each failure in a row, with a fifth of jitter either way, up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub base_ms: u64,
    pub max_ms: u64,
}

impl Backoff {
    /// The pause after `failures` failures in a row (1 or more). `chance` is uniform in 0..1.
    pub fn after(self, failures: u32, chance: f64) -> u64 {
        let doublings = failures.saturating_sub(1).min(20);
        let plain = self.base_ms.saturating_mul(1u64 << doublings).min(self.max_ms.max(self.base_ms));
        let jittered = plain as f64 * (0.8 + 0.4 * chance);
        jittered as u64
    }
}

/// What a connection is doing.
#[derive(Debug)]
pub enum State {
    /// No connection; a new one may be tried from the node's `retry_at`.
    Idle,
    Resolving {
        job: JobId,
        deadline: Nanos,
    },
    Connecting {
        conn: ConnId,
        deadline: Nanos,
    },
    /// Connected; ApiVersions is under way.
    Handshaking {
        conn: ConnId,
        deadline: Nanos,
    },
    Ready {
        conn: ConnId,
        versions: Box<BrokerVersions>,
    },
}

impl State {
    /// What a connection that is being made waits for: the phase, and that it has not come.
    pub fn step(&self) -> Option<(Phase, &'static str)> {
        match self {
            State::Resolving { .. } => Some((Phase::Dns, "the host name was not resolved")),
            State::Connecting { .. } => Some((Phase::Tcp, "the connection was not made")),
            State::Handshaking { .. } => Some((Phase::ApiVersions, "the broker did not answer ApiVersions")),
            State::Idle | State::Ready { .. } => None,
        }
    }

    pub fn conn(&self) -> Option<ConnId> {
        match *self {
            State::Connecting { conn, .. } | State::Handshaking { conn, .. } | State::Ready { conn, .. } => {
                Some(conn)
            }
            State::Idle | State::Resolving { .. } => None,
        }
    }

    /// When the present step of connecting is to be given up.
    pub fn deadline(&self) -> Option<Nanos> {
        match *self {
            State::Resolving { deadline, .. }
            | State::Connecting { deadline, .. }
            | State::Handshaking { deadline, .. } => Some(deadline),
            State::Idle | State::Ready { .. } => None,
        }
    }
}

/// One broker's connection, its addresses and its history.
#[derive(Debug)]
pub struct Connection {
    pub key: NodeKey,
    pub host: Arc<str>,
    pub port: u16,
    address: Arc<str>,
    pub state: State,
    /// Failed attempts in a row.
    pub failures: u32,
    pub retry_at: Nanos,
    /// What the host name resolved to, and which of them is next.
    pub addresses: Vec<IpAddr>,
    pub next_address: usize,
    /// What was last told in the log, and when.
    told: Option<(Error, Nanos)>,
    pub last_used: Nanos,
}

/// The same failure is told again after so long.
const TELL_AGAIN_MS: u64 = 60_000;

impl Connection {
    pub fn new(key: NodeKey, host: Arc<str>, port: u16) -> Connection {
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Connection {
            key,
            host,
            port,
            address: address.into(),
            state: State::Idle,
            failures: 0,
            retry_at: Nanos(0),
            addresses: Vec::new(),
            next_address: 0,
            told: None,
            last_used: Nanos(0),
        }
    }

    /// `host:port`, as an error names it.
    pub fn address(&self) -> &Arc<str> {
        &self.address
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    pub fn can_connect(&self, now: Nanos) -> bool {
        matches!(self.state, State::Idle) && now >= self.retry_at
    }

    /// The address to try now; `None` when the name must be resolved (again) first.
    pub fn take_address(&mut self) -> Option<IpAddr> {
        let found = self.addresses.get(self.next_address).copied();
        match found {
            Some(_) => self.next_address += 1,
            None => {
                self.addresses.clear();
                self.next_address = 0;
            }
        }
        found
    }

    /// Whether what went wrong is news for the log: a broker that can't be reached is told
    /// once, not with every attempt.
    pub fn note(&mut self, now: Nanos, error: &Error) -> bool {
        let known = self.told.as_ref().is_some_and(|(told, at)| {
            told.code() == error.code()
                && told.cause_text() == error.cause_text()
                && now < at.plus_ms(TELL_AGAIN_MS)
        });
        if !known {
            self.told = Some((error.clone(), now));
        }
        !known
    }

    /// Counts a failed attempt or a lost connection, and sets when to try again.
    pub fn failed(&mut self, now: Nanos, backoff: Backoff, chance: f64) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.plus_ms(backoff.after(self.failures, chance));
    }

    /// Notes that the handshake is done.
    pub fn ready(&mut self, now: Nanos, conn: ConnId, versions: BrokerVersions) {
        self.state = State::Ready { conn, versions: Box::new(versions) };
        self.failures = 0;
        self.next_address = 0;
        self.last_used = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_bound() {
        let b = Backoff { base_ms: 50, max_ms: 1000 };
        let middle: Vec<u64> = (1..8).map(|n| b.after(n, 0.5)).collect();
        assert_eq!(middle, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!((b.after(1, 0.0), b.after(60, 1.0)), (40, 1200));
    }

    #[test]
    fn a_failure_is_news_once_a_minute() {
        use crate::error::Code;
        let mut c = Connection::new(NodeKey::data(1), "kafka".into(), 9092);
        let (one, other) = (Error::new(Code::TRANSPORT, "a"), Error::new(Code::TIMED_OUT, "b"));
        let at = |s: u64| Nanos(0).plus_ms(s * 1000);
        assert!(c.note(at(1), &one) && !c.note(at(2), &one) && !c.note(at(50), &one));
        assert!(c.note(at(51), &other) && c.note(at(52), &one));
        assert!(!c.note(at(111), &one) && c.note(at(112), &one));
    }

    #[test]
    fn addresses_are_tried_in_turn_then_resolved_again() {
        let mut c = Connection::new(NodeKey::data(1), "kafka".into(), 9092);
        assert_eq!(c.take_address(), None);
        c.addresses = vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
        assert_eq!(c.take_address(), Some([10, 0, 0, 1].into()));
        assert_eq!(c.take_address(), Some([10, 0, 0, 2].into()));
        assert_eq!(c.take_address(), None);
        assert!(c.addresses.is_empty());
    }
}
