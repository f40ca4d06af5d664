//! What passes between a client's state machine and the world: operations out, events in.
//!
//! The driver in `net` carries the operations out on sockets; a simulation does it with a virtual network.

use crate::error::{Error, Phase};
use crate::time::{Deadline, Nanos, Now};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// One connection of one client; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// One job for the helper thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// What a state machine wants done.
#[derive(Debug)]
pub enum NetOp {
    /// Look up the addresses of a host name; answered by [`Machine::on_resolved`].
    Resolve { job: JobId, host: Arc<str> },
    /// Open a connection; answered by [`Machine::on_connected`] or [`Machine::on_closed`].
    Connect { conn: ConnId, addr: SocketAddr, options: SocketOptions },
    /// Queue one whole frame, length prefix included, in segments that are written uncopied.
    Send { conn: ConnId, segments: Vec<Bytes> },
    /// Tell by [`Machine::on_written`] when all that was queued so far is written.
    TellWritten { conn: ConnId },
    /// Frames that come on it before `until` may be told then: the broker is busy, and to wake up for each is a waste.
    Rest { conn: ConnId, until: Nanos },
    /// Close without a further event.
    Close { conn: ConnId },
}

/// Socket options of a connection; -1 for a buffer leaves the system's default.
#[derive(Clone, Copy, Debug)]
pub struct SocketOptions {
    pub send_buffer_bytes: i32,
    pub receive_buffer_bytes: i32,
    /// The longest frame that is accepted (`receive.message.max.bytes`).
    pub max_frame_bytes: usize,
}

/// Why a connection ended without being asked to.
#[derive(Clone, Debug)]
pub struct Closed {
    pub phase: Phase,
    pub error: Error,
}

/// A client as a state machine, as the driver sees it.
pub trait Machine: Send {
    /// Does what is due. After this and after each event, operations may wait in [`Machine::next_op`].
    fn poll(&mut self, now: Now) -> Option<Deadline>;
    fn next_op(&mut self) -> Option<NetOp>;
    fn on_resolved(&mut self, now: Now, job: JobId, result: Result<Vec<IpAddr>, Error>);
    fn on_connected(&mut self, now: Now, conn: ConnId);
    /// A whole frame, without its length prefix.
    fn on_frame(&mut self, now: Now, conn: ConnId, frame: Bytes);
    /// What was queued before the [`NetOp::TellWritten`] whose turn it is was handed to the system.
    fn on_written(&mut self, _now: Now, _conn: ConnId) {}
    fn on_closed(&mut self, now: Now, conn: ConnId, closed: Closed);
    /// Nothing is left to do: the driver closes what is open and forgets the machine.
    fn is_finished(&self) -> bool;
    /// The machine panicked or its thread is gone; tell whoever waits on it. Called at most once, last.
    fn on_fatal(&mut self, error: Error);
}

/// Wakes the I/O thread for one client; one atomic load when that was told already. Any thread may call it.
pub trait Wake: Send + Sync {
    /// Has the machine polled soon. What it is to find then must be changed before this call, and either under a
    /// lock that [`Machine::poll`] takes as well, or by a SeqCst operation that it loads with SeqCst.
    fn wake(&self);
}
