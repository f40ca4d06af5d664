//! Requests and responses as the state machines hand them to each other.

use super::troubles::Troubles;
use super::wire::Wake;
use crate::error::{Code, Error, Phase};
use crate::protocol::{ApiKey, DecodeError, EncodeError, Writer};
use crate::time::{Deadline, Nanos, Now};
use bytes::Bytes;
use std::sync::Arc;

pub type NodeId = i32;

/// Connections of different lanes to one broker do not wait for each other: a fetch that the broker holds back
/// must not delay a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    Data,
    Coordinator,
    /// For what takes a round trip, while the other two are held up.
    Lookup,
}

/// A broker, and which of the connections to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    pub id: NodeId,
    pub lane: Lane,
}

impl NodeKey {
    pub fn data(id: NodeId) -> NodeKey {
        NodeKey { id, lane: Lane::Data }
    }
    pub fn coordinator(id: NodeId) -> NodeKey {
        NodeKey { id, lane: Lane::Coordinator }
    }
    pub fn lookup(id: NodeId) -> NodeKey {
        NodeKey { id, lane: Lane::Lookup }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Node(NodeKey),
    /// Whichever known broker is least loaded.
    Any,
}

/// Names one request within its client; the owner is the manager that gets the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Which part of a client a response goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub u8);

/// Writes the body of a request in the version that the broker and we agreed on.
pub type Encode = Box<dyn FnMut(&mut Writer, i16) -> Result<(), EncodeError> + Send>;

/// A request before it has a connection.
pub struct RequestSpec {
    pub target: Target,
    pub api: ApiKey,
    /// The lowest and highest version that `encode` can write.
    pub versions: (i16, i16),
    /// How long the whole may take, waiting for a connection included.
    pub timeout_ms: u64,
    /// False only for produce with acks=0, which no broker answers.
    pub answered: bool,
    pub encode: Encode,
}

impl RequestSpec {
    pub fn new(
        target: Target,
        api: ApiKey,
        versions: (i16, i16),
        timeout_ms: u64,
        encode: impl FnMut(&mut Writer, i16) -> Result<(), EncodeError> + Send + 'static,
    ) -> RequestSpec {
        RequestSpec { target, api, versions, timeout_ms, answered: true, encode: Box::new(encode) }
    }
}

/// The body of a response, its header taken off.
#[derive(Clone, Debug)]
pub struct Response {
    pub api: ApiKey,
    pub version: i16,
    pub node: NodeId,
    /// `host:port` of the broker.
    pub address: Arc<str>,
    pub(super) lane: Lane,
    pub(super) troubles: Arc<Troubles>,
    pub(super) received: Nanos,
    /// Empty for a request that is not answered.
    pub body: Bytes,
    /// When the request was handed to the connection.
    pub sent: Nanos,
}

impl Response {
    /// The connection that it came on.
    pub fn key(&self) -> NodeKey {
        NodeKey { id: self.node, lane: self.lane }
    }

    /// An error that this answer tells, or is.
    pub fn error(&self, code: Code, message: impl Into<String>) -> Error {
        Error::new(code, message).broker(self.node).address(&*self.address).phase(Phase::Request)
    }

    /// The answer is not what the protocol says: an error, and a trouble with this broker.
    pub fn unreadable(&self, e: DecodeError) -> Error {
        let text =
            format!("the answer to {} cannot be read: {e} (version {})", self.api.name(), self.version);
        let error = self.error(Code::PROTOCOL, text).hint(
            "the broker, or something between here and it, does not keep to Kafka's protocol: is it a Kafka broker?",
        );
        self.troubles.note(self.received, self.key(), Some(self.api), &error);
        error
    }
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection could be made, so the request was not sent.
    NotSent,
    /// The connection ended while the answer was awaited; the broker may have done it.
    Disconnected,
    /// The answer did not come in time; the broker may have done it.
    TimedOut,
    /// Broker and client share no version that can carry this request; it was not sent.
    NoCommonVersion,
    /// The request could not be written; it was not sent.
    Invalid,
}

#[derive(Clone, Debug)]
pub struct RequestError {
    pub kind: FailureKind,
    pub error: Error,
}

pub type RequestResult = Result<Response, RequestError>;

/// A part of a client that asks brokers for things: sender, fetcher, coordinator, admin calls.
pub trait RequestManager: Send {
    /// Does what is due, hands requests to `out`, and says when it must be polled again at the latest. Never blocks.
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline>;
    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>);
    /// The picture of the cluster changed; `out.metadata` has it.
    fn on_metadata(&mut self, _now: Now, _out: &mut Outbox<'_>) {}
    /// Whether everything this manager has to do before the client may end is done.
    fn is_finished(&self) -> bool;
    /// The client is lost; tell whoever waits.
    fn on_fatal(&mut self, error: &Error);
}

/// What a manager may use while it is polled.
pub struct Outbox<'a> {
    pub net: &'a mut super::NetworkClient,
    pub metadata: &'a mut super::Metadata,
    pub(super) owner: Owner,
}

impl Outbox<'_> {
    /// Hands over a request; its result comes to the same manager's `on_response`, exactly once.
    pub fn send(&mut self, now: Now, spec: RequestSpec) -> RequestId {
        self.net.send(now, self.owner, spec)
    }
}

/// A waker that wakes nobody: for tests and simulations that poll by themselves.
pub struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

impl NoWake {
    pub fn shared() -> Arc<dyn Wake> {
        Arc::new(NoWake)
    }
}
