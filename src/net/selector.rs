//! Waits on all sockets of the process at once and gives each connection its turn.

use super::channel::{ChannelEvent, KafkaChannel};
use super::failure;
use super::receive_pool::ReceivePool;
use super::rests::Rests;
use super::selection_key::{OP_CONNECT, OP_READ, OP_WRITE};
use super::transport::{PlaintextTransportLayer, TransportLayer};
use crate::client::wire::{Closed, ConnId, SocketOptions};
use crate::protocol::frame::FrameReader;
use crate::sys;
use crate::time::Nanos;
use bytes::Bytes;
use foldhash::fast::FixedState;
use mio::{Events, Poll, Token, Waker};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One client of the process; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// A channel of a selector; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(usize);

impl ChannelId {
    /// Of no channel, for a connection that failed at once.
    pub const NONE: ChannelId = ChannelId(WAKER.0);
}

/// What happened, and on whose connection.
#[derive(Debug)]
pub struct Selected {
    pub client: ClientId,
    pub conn: ConnId,
    pub event: ChannelEvent,
}

const WAKER: Token = Token(0);
/// Readiness taken in one system call; what does not fit comes with the next.
const EVENTS_AT_ONCE: usize = 256;

/// All connections of the process.
pub struct Selector {
    poll: Poll,
    events: Events,
    channels: HashMap<ChannelId, Slot, FixedState>,
    last_id: usize,
    /// Channels that have something to do, each once, in the order of their turns.
    selected: VecDeque<ChannelId>,
    /// Channels with frames that were queued since the last flush, each once.
    unsent: Vec<ChannelId>,
    rests: Rests,
    /// Channels of which the system may have to be told that they rest, or no longer do.
    unsettled: Vec<ChannelId>,
    /// What responses are received into.
    memory: Arc<ReceivePool>,
}

struct Slot {
    channel: KafkaChannel,
    client: ClientId,
    conn: ConnId,
    /// In `selected`.
    queued: bool,
    /// In `unsent`.
    unsent: bool,
    /// The system tells what its socket is ready for.
    watched: bool,
}

impl Slot {
    fn enqueue(&mut self, id: ChannelId, selected: &mut VecDeque<ChannelId>) {
        if self.channel.key().is_selected() && !self.queued {
            self.queued = true;
            selected.push_back(id);
        }
    }
}

impl Selector {
    /// # Errors
    /// What the system says when it has no more descriptors.
    pub fn new() -> io::Result<Selector> {
        Ok(Selector {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_AT_ONCE),
            channels: HashMap::default(),
            last_id: WAKER.0,
            selected: VecDeque::new(),
            unsent: Vec::new(),
            rests: Rests::default(),
            unsettled: Vec::new(),
            memory: Arc::default(),
        })
    }

    /// What ends [`poll`](Self::poll) from another thread. One per selector.
    pub fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    /// Begins to connect; [`ChannelEvent::Connected`] or [`ChannelEvent::Closed`] follows in a later poll.
    ///
    /// # Errors
    /// What goes wrong at once; no event follows then.
    pub fn connect(
        &mut self,
        client: ClientId,
        conn: ConnId,
        addr: SocketAddr,
        options: SocketOptions,
    ) -> Result<ChannelId, Closed> {
        let transport =
            PlaintextTransportLayer::connect(addr, options).map_err(|e| failure::connecting(addr, &e))?;
        self.add(client, conn, addr, Box::new(transport), options.max_frame_bytes)
            .map_err(|e| failure::connecting(addr, &e))
    }

    fn add(
        &mut self,
        client: ClientId,
        conn: ConnId,
        addr: SocketAddr,
        transport: Box<dyn TransportLayer>,
        max_frame_bytes: usize,
    ) -> io::Result<ChannelId> {
        self.last_id = self.last_id.wrapping_add(1).max(1);
        let id = ChannelId(self.last_id);
        let receive = FrameReader::with_memory(max_frame_bytes, self.memory.clone());
        let mut channel = KafkaChannel::new(addr, transport, receive);
        channel.transport().register(self.poll.registry(), Token(id.0))?;
        self.channels.insert(id, Slot { channel, client, conn, queued: false, unsent: false, watched: true });
        Ok(id)
    }

    /// The channel of that id, while it is open.
    pub fn channel(&mut self, id: ChannelId) -> Option<&mut KafkaChannel> {
        self.channels.get_mut(&id).map(|slot| &mut slot.channel)
    }

    /// Queues one frame on a channel. It is written by the next [`flush`](Self::flush) or poll, together with
    /// others. A channel that is gone drops it: its end was told already, or waits to be.
    pub fn send(&mut self, id: ChannelId, segments: Vec<Bytes>) {
        if let Some(slot) = self.channels.get_mut(&id) {
            slot.channel.set_send(segments);
            if !slot.unsent {
                slot.unsent = true;
                self.unsent.push(id);
            }
        }
    }

    /// Has [`ChannelEvent::Written`] told when all that is queued on a channel now was written.
    pub fn tell_written(&mut self, id: ChannelId) {
        if let Some(slot) = self.channels.get_mut(&id) {
            slot.channel.tell_written();
            if !slot.unsent {
                slot.unsent = true;
                self.unsent.push(id);
            }
        }
    }

    /// What comes on a channel need not be read before `until`, unless something that is to be written has to wait for
    /// the socket. Where the system has no fine clock for it, the channel does not rest.
    pub fn rest(&mut self, id: ChannelId, until: Nanos) {
        if cfg!(target_os = "linux") {
            self.rests.begin(id, until);
            self.unsettled.push(id);
        }
    }

    /// When the first channel that rests is to be read.
    pub fn next_rest(&self) -> Option<Nanos> {
        self.rests.next()
    }

    /// Closes a channel without an event. Queued frames leave as far as the socket takes them at once.
    pub fn close(&mut self, id: ChannelId) {
        if let Some(slot) = self.channels.get_mut(&id) {
            // Whether the last bytes arrive is not asked for any more, so neither is a failure.
            let _ = slot.channel.write();
            self.drop_channel(id);
        }
    }

    fn drop_channel(&mut self, id: ChannelId) {
        self.rests.end(id);
        if let Some(mut slot) = self.channels.remove(&id) {
            // Closing the descriptor would do it as well, unless a forked child still has it.
            let _ = slot.channel.transport().deregister(self.poll.registry());
        }
    }

    /// Open channels.
    pub fn len(&self) -> usize {
        self.channels.len()
    }
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// One turn: waits at most `timeout` (for ever if None) until something can be done, calls `awake`, does
    /// it, and appends what happened to `out`.
    ///
    /// # Errors
    /// The system's wait itself failed; nothing can be done any more.
    pub fn poll(
        &mut self,
        timeout: Option<Duration>,
        awake: impl FnOnce(),
        out: &mut VecDeque<Selected>,
    ) -> io::Result<()> {
        self.settle_rests(out);
        self.select(if out.is_empty() { timeout } else { Some(Duration::ZERO) })?;
        awake();
        self.end_rests();
        self.poll_selection_keys(out);
        Ok(())
    }

    /// Waits for the system to tell what is ready; does not wait when a channel has something to do already.
    fn select(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = if self.selected.is_empty() { timeout } else { Some(Duration::ZERO) };
        if !self.wait(timeout)? {
            return Ok(());
        }
        for event in &self.events {
            let id = ChannelId(event.token().0);
            let Some(slot) = self.channels.get_mut(&id) else { continue };
            let mut ops = 0;
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                ops |= OP_READ;
            }
            if event.is_writable() || event.is_write_closed() || event.is_error() {
                ops |= OP_WRITE | OP_CONNECT;
            }
            slot.channel.key().add_ready(ops, event.is_read_closed() || event.is_error());
            slot.enqueue(id, &mut self.selected);
        }
        Ok(())
    }

    /// Returns whether there are events.
    fn wait(&mut self, mut timeout: Option<Duration>) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        if let Some(fine) = timeout.filter(|t| !t.is_zero() && !self.rests.is_empty()) {
            use std::os::fd::AsRawFd;
            if !sys::wait::readable_within(self.poll.as_raw_fd(), fine)? {
                return Ok(false);
            }
            timeout = Some(Duration::ZERO);
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Tells the system of rests that began or ended since the last wait.
    fn settle_rests(&mut self, out: &mut VecDeque<Selected>) {
        while let Some(id) = self.unsettled.pop() {
            let Some(slot) = self.channels.get_mut(&id) else { continue };
            if !slot.channel.is_written() {
                self.rests.end(id);
            }
            let watched = !self.rests.contains(id);
            if watched == slot.watched {
                continue;
            }
            let (registry, transport) = (self.poll.registry(), slot.channel.transport());
            let told = match watched {
                true => transport.register(registry, Token(id.0)),
                false => transport.deregister(registry),
            };
            match told {
                Ok(()) => slot.watched = watched,
                Err(_) if slot.watched => self.rests.end(id),
                Err(e) => {
                    let event = ChannelEvent::Closed(failure::moving(slot.channel.addr(), "watching", &e));
                    out.push_back(Selected { client: slot.client, conn: slot.conn, event });
                    self.drop_channel(id);
                }
            }
        }
    }

    /// Has those read whose rest is over.
    fn end_rests(&mut self) {
        if self.rests.is_empty() {
            return;
        }
        let now = sys::now().mono;
        while let Some(id) = self.rests.pop_over(now) {
            self.unsettled.push(id);
            if let Some(slot) = self.channels.get_mut(&id) {
                slot.channel.key().add_ready(OP_READ, false);
                slot.enqueue(id, &mut self.selected);
            }
        }
    }

    /// Gives each channel that has something to do one turn.
    fn poll_selection_keys(&mut self, out: &mut VecDeque<Selected>) {
        for _ in 0..self.selected.len() {
            let Some(id) = self.selected.pop_front() else { return };
            self.with_channel(id, out, |slot, out| {
                slot.queued = false;
                slot.channel.turn(out)
            });
        }
    }

    /// Writes what [`send`](Self::send) queued since the last call, without waiting for the next poll. What
    /// fails, and what is to be told of being written, is appended to `out`.
    pub fn flush(&mut self, out: &mut VecDeque<Selected>) {
        let mut unsent = std::mem::take(&mut self.unsent);
        for id in unsent.drain(..) {
            self.with_channel(id, out, |slot, out| {
                slot.unsent = false;
                slot.channel.flush(out)
            });
        }
        self.unsent = unsent;
    }

    fn with_channel(
        &mut self,
        id: ChannelId,
        out: &mut VecDeque<Selected>,
        act: impl FnOnce(&mut Slot, &mut dyn FnMut(ChannelEvent)) -> bool,
    ) {
        let Some(slot) = self.channels.get_mut(&id) else { return };
        let (client, conn) = (slot.client, slot.conn);
        if act(slot, &mut |event| out.push_back(Selected { client, conn, event })) {
            slot.enqueue(id, &mut self.selected);
            if !slot.watched && !slot.channel.is_written() {
                self.unsettled.push(id);
            }
        } else {
            self.drop_channel(id);
        }
    }
}
