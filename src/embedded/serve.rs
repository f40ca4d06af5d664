//! The thread of a served cluster: waits for sockets and deadlines, and carries bytes between sockets and cluster.

use super::cluster::{Output, ServerConn};
use super::server::{Shared, State};
use super::socket::{Gone, Peer};
use crate::sys::clock;
use crate::time::{Deadline, Nanos};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(super) const WAKER: Token = Token(0);
/// The token of the first broker's listener; connections come behind the listeners.
pub(super) const LISTENERS: usize = 1;
const CONNECTIONS: usize = 1 << 20;

/// Bytes read from one connection before the others have their turn.
const TURN_BYTES: usize = 1024 * 1024;

/// What is left to do when a turn ends.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Stop,
    /// Some connection had more to give.
    Again,
    Wait(Option<Deadline>),
}

pub(super) struct Loop {
    shared: Arc<Shared>,
    poll: Poll,
    peers: BTreeMap<ServerConn, Peer>,
}

impl Loop {
    pub fn new(shared: Arc<Shared>, poll: Poll) -> Loop {
        Loop { shared, poll, peers: BTreeMap::new() }
    }

    /// Serves until it is told to stop, or until the system can't wait for sockets any more.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            let shared = self.shared.clone();
            let next = self.turn(&mut shared.state.lock());
            let timeout = match next {
                Next::Stop => return,
                Next::Again => Some(Duration::ZERO),
                Next::Wait(deadline) => deadline.map(until),
            };
            match self.poll.poll(&mut events, timeout) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
                Ok(()) => {}
            }
            let mut state = shared.state.lock();
            for event in &events {
                self.on_event(&mut state, event);
            }
        }
    }

    fn on_event(&mut self, state: &mut State, event: &Event) {
        let Token(token) = event.token();
        if let Some(number) = token.checked_sub(CONNECTIONS) {
            let conn = ServerConn(u64::try_from(number).unwrap_or(u64::MAX));
            if let Some(peer) = self.peers.get_mut(&conn) {
                let ended = event.is_read_closed() || event.is_error();
                peer.readable |= event.is_readable() || ended;
                peer.writable |= event.is_writable() || event.is_error();
                peer.hung_up |= ended;
            }
        } else if let Some(index) = token.checked_sub(LISTENERS) {
            self.accept(state, index);
        }
    }

    fn accept(&mut self, state: &mut State, index: usize) {
        let Some(broker) = state.cluster.brokers().get(index).copied() else { return };
        while let Some(Some(listener)) = state.listeners.get(index) {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                // Also when the system has no descriptors left: the next connection tells again.
                Err(_) => return,
            };
            let Ok(conn) = state.cluster.connect(broker) else { continue };
            if self.register(&mut stream, conn).is_err() {
                state.cluster.on_disconnect(clock::now(), conn);
                continue;
            }
            self.peers.insert(conn, Peer::new(stream));
        }
    }

    fn register(&self, stream: &mut TcpStream, conn: ServerConn) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let number = usize::try_from(conn.0).unwrap_or(usize::MAX);
        let token = Token(CONNECTIONS.saturating_add(number));
        self.poll.registry().register(stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Does everything that can be done now.
    fn turn(&mut self, state: &mut State) -> Next {
        if state.stop {
            return Next::Stop;
        }
        let deadline = state.cluster.poll(clock::now());
        self.carry_out(state);
        let mut again = false;
        let conns: Vec<ServerConn> = self.peers.keys().copied().collect();
        for conn in conns {
            let mut read = 0;
            if self.serve(state, conn, &mut read).is_err() {
                self.peers.remove(&conn);
                state.cluster.on_disconnect(clock::now(), conn);
            }
            again |= read > 0;
        }
        match again {
            // What was read may have changed deadlines and answered others.
            true => Next::Again,
            false => Next::Wait(deadline),
        }
    }

    /// Moves bytes and requests of one connection. A broker looks at one request of a connection at a time.
    fn serve(&mut self, state: &mut State, conn: ServerConn, read: &mut usize) -> Result<(), Gone> {
        loop {
            let Some(peer) = self.peers.get_mut(&conn) else { return Ok(()) };
            peer.write()?;
            if peer.ending || peer.is_behind() || *read > TURN_BYTES {
                return Ok(());
            }
            if !state.cluster.takes_frames(conn) {
                // Nobody waits for the answer, and what was sent behind it will not be looked at.
                return match peer.hung_up && state.cluster.is_stuck(conn) {
                    true => Err(Gone),
                    false => Ok(()),
                };
            }
            let Some(frame) = peer.next_frame(read)? else { return Ok(()) };
            *read = read.saturating_add(1);
            state.cluster.on_frame(clock::now(), conn, frame);
            self.carry_out(state);
        }
    }

    /// Hands the cluster's outputs to the sockets.
    fn carry_out(&mut self, state: &mut State) {
        while let Some(output) = state.cluster.next_output() {
            match output {
                Output::Send { conn, segments } => {
                    if let Some(peer) = self.peers.get_mut(&conn) {
                        peer.queue(segments);
                    }
                }
                Output::Close { conn } => {
                    if let Some(peer) = self.peers.get_mut(&conn) {
                        peer.ending = true;
                    }
                }
            }
        }
    }
}

/// How long to wait, rounded up, so that the deadline has come when the wait ends.
fn until(deadline: Deadline) -> Duration {
    let left = deadline.since(clock::now().mono);
    match deadline {
        Nanos::NEVER => Duration::from_secs(3600),
        _ => left.saturating_add(Duration::from_micros(999)),
    }
}
