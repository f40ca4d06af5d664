//! One connection: its socket, what is still to be written on it, and the frame that is being read.

use super::failure;
use super::selection_key::{SelectionKey, OP_CONNECT, OP_READ, OP_WRITE};
use super::send::ByteBufferSend;
use super::transport::TransportLayer;
use crate::client::wire::Closed;
use crate::protocol::frame::FrameReader;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

/// How much one channel may move in each direction before the others have their turn.
pub const TURN_BYTES: usize = 512 * 1024;

/// What happened on a channel.
#[derive(Debug)]
pub enum ChannelEvent {
    Connected,
    /// A whole frame, without its length prefix.
    Frame(Bytes),
    /// What was queued before a [`KafkaChannel::tell_written`] was handed to the system.
    Written,
    /// The last event of a channel.
    Closed(Closed),
}

/// A connection to a broker: first connecting, then moving frames until it fails or is closed.
pub struct KafkaChannel {
    addr: SocketAddr,
    transport: Box<dyn TransportLayer>,
    key: SelectionKey,
    connected: bool,
    send: ByteBufferSend,
    /// Up to where the queued bytes must be written for the next [`ChannelEvent::Written`], and those behind it.
    marks: VecDeque<u64>,
    receive: FrameReader,
    /// The peer has sent something.
    heard: bool,
}

impl KafkaChannel {
    pub fn new(addr: SocketAddr, transport: Box<dyn TransportLayer>, receive: FrameReader) -> KafkaChannel {
        KafkaChannel {
            addr,
            transport,
            key: SelectionKey::new(OP_CONNECT),
            connected: false,
            send: ByteBufferSend::default(),
            marks: VecDeque::new(),
            receive,
            heard: false,
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
    pub fn transport(&mut self) -> &mut dyn TransportLayer {
        self.transport.as_mut()
    }
    pub fn key(&mut self) -> &mut SelectionKey {
        &mut self.key
    }

    /// Queues one frame; it is written when the connection is there and takes bytes.
    pub fn set_send(&mut self, segments: Vec<Bytes>) {
        self.send.push(segments);
        if self.connected && !self.send.completed() {
            self.key.add_interest_ops(OP_WRITE);
        }
    }

    /// Whether nothing waits for the socket to take it.
    pub fn is_written(&self) -> bool {
        self.connected && self.send.completed()
    }

    /// Has [`ChannelEvent::Written`] told when everything queued so far is written.
    pub fn tell_written(&mut self) {
        self.marks.push_back(self.send.queued());
    }

    /// Does what the socket is ready for, up to [`TURN_BYTES`] each way. What happened goes to `out`; false when
    /// the channel is at its end and must be dropped.
    pub fn turn(&mut self, out: &mut dyn FnMut(ChannelEvent)) -> bool {
        let outcome = self.connect_and_read(out);
        self.settle(outcome, out) && self.flush(out)
    }

    /// Writes without waiting for the channel's turn; otherwise as [`turn`](Self::turn).
    pub fn flush(&mut self, out: &mut dyn FnMut(ChannelEvent)) -> bool {
        let mut outcome = self.write();
        while self.marks.front().is_some_and(|mark| *mark <= self.send.written()) {
            self.marks.pop_front();
            out(ChannelEvent::Written);
        }
        if outcome.is_err() {
            // The peer may have said why before it went: an unread answer explains more than a broken pipe.
            self.key.add_ready(OP_READ, true);
            outcome = self.read(out).and(outcome);
        }
        self.settle(outcome, out)
    }

    fn settle(&self, outcome: Result<(), Closed>, out: &mut dyn FnMut(ChannelEvent)) -> bool {
        match outcome {
            Ok(()) => true,
            Err(closed) => {
                out(ChannelEvent::Closed(closed));
                false
            }
        }
    }

    fn connect_and_read(&mut self, out: &mut dyn FnMut(ChannelEvent)) -> Result<(), Closed> {
        if self.key.wants(OP_CONNECT) && self.finish_connect()? {
            out(ChannelEvent::Connected);
        }
        self.read(out)
    }

    fn finish_connect(&mut self) -> Result<bool, Closed> {
        match self.transport.finish_connect() {
            Ok(true) => {
                self.key.remove_interest_ops(OP_CONNECT);
                self.key.add_interest_ops(if self.send.completed() { OP_READ } else { OP_READ | OP_WRITE });
                self.connected = true;
                Ok(true)
            }
            Ok(false) => {
                self.key.blocked(OP_CONNECT);
                Ok(false)
            }
            Err(e) => Err(failure::connecting(self.addr, &e)),
        }
    }

    /// Writes what is queued, as far as the socket takes it and the turn lasts.
    pub fn write(&mut self) -> Result<(), Closed> {
        let mut moved = 0usize;
        while self.key.wants(OP_WRITE) && moved < TURN_BYTES {
            match self.send.write_to(self.transport.as_mut()) {
                Ok(written) => {
                    moved = moved.saturating_add(written.taken);
                    if self.send.completed() {
                        self.key.remove_interest_ops(OP_WRITE);
                    } else if written.taken < written.offered {
                        self.key.fell_short(OP_WRITE);
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.key.blocked(OP_WRITE),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(failure::moving(self.addr, "writing", &e)),
            }
        }
        Ok(())
    }

    /// Reads straight into the frame's buffer, as far as the socket gives and the turn lasts.
    pub fn read(&mut self, out: &mut dyn FnMut(ChannelEvent)) -> Result<(), Closed> {
        let mut moved = 0usize;
        while self.key.wants(OP_READ) && moved < TURN_BYTES {
            let spare = self.receive.spare();
            match self.transport.read(spare) {
                Ok(0) => return Err(failure::end_of_stream(self.addr, self.heard, self.receive.pending())),
                Ok(n) => {
                    if n < spare.len() {
                        self.key.fell_short(OP_READ);
                    }
                    moved = moved.saturating_add(n);
                    self.received(n, out)?;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.key.blocked(OP_READ),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(failure::moving(self.addr, "reading", &e)),
            }
        }
        Ok(())
    }

    fn received(&mut self, n: usize, out: &mut dyn FnMut(ChannelEvent)) -> Result<(), Closed> {
        self.heard = true;
        self.receive.filled(n);
        while let Some(frame) = self.receive.next_frame().map_err(|e| failure::bad_frame(self.addr, e))? {
            out(ChannelEvent::Frame(frame));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::net::transport::scripted::{Peer, Scripted};
    use parking_lot::Mutex;
    use std::sync::Arc;

    fn channel() -> (KafkaChannel, Arc<Mutex<Peer>>) {
        let (transport, peer) = Scripted::new();
        let addr = "127.0.0.1:9092".parse().unwrap();
        (KafkaChannel::new(addr, Box::new(transport), FrameReader::new(1 << 20)), peer)
    }

    fn turn(channel: &mut KafkaChannel, ops: u8) -> (Vec<String>, bool) {
        let mut events = Vec::new();
        channel.key().add_ready(ops, false);
        let alive = channel.turn(&mut |event| {
            events.push(match event {
                ChannelEvent::Connected => "connected".to_owned(),
                ChannelEvent::Frame(frame) => String::from_utf8(frame.to_vec()).unwrap(),
                ChannelEvent::Written => "written".to_owned(),
                ChannelEvent::Closed(closed) => format!("closed {:?}", closed.error.code()),
            });
        });
        (events, alive)
    }

    #[test]
    fn queued_frames_leave_when_the_connection_is_there() {
        let (mut channel, peer) = channel();
        channel.set_send(vec![Bytes::from_static(b"one")]);
        channel.set_send(vec![Bytes::from_static(b"two")]);
        assert_eq!(turn(&mut channel, OP_CONNECT | OP_WRITE | OP_READ), (vec![], true));
        assert_eq!(peer.lock().writes, 0, "nothing is written before the connection is there");
        assert!(!channel.key().wants(OP_CONNECT), "asked again only when the system speaks");
        peer.lock().connected = true;
        peer.lock().accepts = 4;
        assert_eq!(turn(&mut channel, OP_CONNECT), (vec!["connected".to_owned()], true));
        assert_eq!(peer.lock().written, b"onet");
        assert!(!channel.key().is_selected(), "a short write waits for the system");
        peer.lock().accepts = 100;
        assert_eq!(turn(&mut channel, OP_WRITE), (vec![], true));
        assert_eq!(peer.lock().written, b"onetwo");
        assert!(!channel.key().is_selected());
        channel.set_send(vec![Bytes::from_static(b"three")]);
        assert!(channel.key().wants(OP_WRITE), "still writable: no need to wait for the system");
    }

    #[test]
    fn it_is_told_when_bytes_were_written() {
        let (mut channel, peer) = channel();
        let told = |events: &[&str]| (events.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>(), true);
        channel.set_send(vec![Bytes::from_static(b"one")]);
        channel.tell_written();
        channel.set_send(vec![Bytes::from_static(b"two")]);
        channel.tell_written();
        assert_eq!(turn(&mut channel, OP_WRITE), told(&[]), "there is no connection yet");
        peer.lock().connected = true;
        peer.lock().accepts = 4;
        assert_eq!(turn(&mut channel, OP_CONNECT), told(&["connected", "written"]));
        peer.lock().accepts = 2;
        assert_eq!(turn(&mut channel, OP_WRITE), told(&["written"]));
        channel.tell_written();
        assert_eq!(turn(&mut channel, 0), told(&["written"]), "nothing is left to be written");
        assert_eq!(turn(&mut channel, 0), told(&[]));
    }

    #[test]
    fn frames_come_before_the_end() {
        let (mut channel, peer) = channel();
        peer.lock().connected = true;
        peer.lock().reads.extend([b"\0\0\0\x04abcd\0\0\0".to_vec(), b"\x04efgh\0\0".to_vec(), vec![]]);
        let (events, alive) = turn(&mut channel, OP_CONNECT | OP_READ);
        assert_eq!((events.as_slice(), alive), (&["connected".to_owned(), "abcd".to_owned()][..], true));
        assert_eq!(turn(&mut channel, OP_READ), (vec!["efgh".to_owned()], true));
        assert_eq!(turn(&mut channel, OP_READ), (vec!["closed TRANSPORT(-1008)".to_owned()], false));
    }

    #[test]
    fn an_unread_answer_is_read_before_a_broken_pipe_is_told() {
        let (mut channel, peer) = channel();
        peer.lock().connected = true;
        assert!(turn(&mut channel, OP_CONNECT).1);
        peer.lock().reads.push_back(b"\0\0\0\x06reason".to_vec());
        peer.lock().write_error = Some(io::ErrorKind::BrokenPipe);
        channel.set_send(vec![Bytes::from_static(b"more")]);
        let expected = vec!["reason".to_owned(), "closed TRANSPORT(-1008)".to_owned()];
        assert_eq!(turn(&mut channel, OP_WRITE), (expected, false));
    }

    #[test]
    fn one_turn_moves_a_bounded_number_of_bytes() {
        let (mut channel, peer) = channel();
        peer.lock().connected = true;
        peer.lock().accepts = usize::MAX;
        assert!(turn(&mut channel, OP_CONNECT).1);
        let frame = Bytes::from(vec![7u8; TURN_BYTES]);
        for _ in 0..3 {
            // Each is a write of its own: the most segments that go into one.
            channel.set_send(frame.chunks(TURN_BYTES / 64).map(Bytes::copy_from_slice).collect());
        }
        assert!(turn(&mut channel, OP_WRITE).1);
        assert_eq!(peer.lock().written.len(), TURN_BYTES);
        assert!(channel.key().is_selected(), "the rest follows in the next turn");
    }

    #[test]
    fn one_turn_reads_a_bounded_number_of_bytes() {
        let (mut channel, peer) = channel();
        peer.lock().connected = true;
        let mut frame = b"\0\0\x27\x10".to_vec();
        frame.resize(10_004, b'x');
        let count = 8 * TURN_BYTES / frame.len();
        peer.lock().reads.push_back(frame.repeat(count));
        let first = turn(&mut channel, OP_CONNECT | OP_READ).0.len();
        assert!(channel.key().is_selected() && first < count / 2, "{first} frames in one turn");
        let mut all = first - 1;
        for _ in 0..20 {
            all += turn(&mut channel, 0).0.len();
        }
        assert_eq!(all, count);
    }

    #[test]
    fn tls_is_told_from_the_first_bytes() {
        let (mut channel, peer) = channel();
        peer.lock().connected = true;
        peer.lock().reads.extend([b"\x15\x03".to_vec(), b"\x03\0\x02\x02\x28".to_vec()]);
        turn(&mut channel, OP_CONNECT | OP_READ);
        channel.key().add_ready(OP_READ, false);
        let mut told = None;
        assert!(!channel.turn(&mut |event| told = Some(event)));
        let Some(ChannelEvent::Closed(closed)) = told else { panic!("{told:?}") };
        assert_eq!(closed.error.code(), Code::PROTOCOL);
        assert!(closed.error.hint_text().unwrap().contains("TLS"), "{}", closed.error);
    }
}
