//! A state machine under a test's control, and servers for it to talk to.
#![allow(dead_code)]

use bytes::Bytes;
use milena::client::wire::{Closed, ConnId, JobId, Machine, NetOp, SocketOptions, Wake};
use milena::error::Error;
use milena::net::{ClientHandle, Driver};
use milena::time::{Deadline, Nanos, Now};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Long enough for any machine under any load; only a failing test waits that long.
pub const LONG: Duration = Duration::from_secs(60);

pub const OPTIONS: SocketOptions =
    SocketOptions { send_buffer_bytes: -1, receive_buffer_bytes: -1, max_frame_bytes: 100 << 20 };

/// What the driver told the machine.
#[derive(Debug)]
pub enum Seen {
    Resolved(JobId, Result<Vec<IpAddr>, Error>),
    Connected(ConnId),
    Frame(ConnId, Bytes),
    Closed(ConnId, Closed),
    Fatal(Error),
    Dropped,
}

/// Which call of the machine is to panic, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panic {
    Poll,
    NextOp,
    Event,
    Finished,
    PollAndFatal,
    PollAndDrop,
}

/// What to do with a frame.
pub type OnFrame = Box<dyn FnMut(ConnId, Bytes) -> Vec<NetOp> + Send>;

#[derive(Default)]
pub struct State {
    pub ops: VecDeque<NetOp>,
    pub seen: Vec<Seen>,
    pub polls: u64,
    /// What poll returns; passed over once it is in the past.
    pub deadline: Option<Deadline>,
    pub polled_at: Nanos,
    pub finished: bool,
    pub panic: Option<Panic>,
    /// Dropped inside the next poll.
    pub drop_in_poll: Option<ClientHandle>,
    /// Sends each frame back, prefix and all.
    pub echo: bool,
    /// Told of each frame instead of it being kept in `seen`.
    pub on_frame: Option<OnFrame>,
}

#[derive(Default)]
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub struct Probe(Arc<Shared>);

impl Probe {
    fn see(&self, seen: Seen) {
        let mut state = self.0.lock();
        state.seen.push(seen);
        let panics = state.panic == Some(Panic::Event);
        drop(state);
        self.0.changed.notify_all();
        assert!(!panics, "told to panic in an event");
    }
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Waits until `find` finds something.
    pub fn wait<R>(&self, what: &str, mut find: impl FnMut(&mut State) -> Option<R>) -> R {
        let end = Instant::now() + LONG;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&mut state) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}; seen: {:?}", state.seen);
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }
}

impl Machine for Probe {
    fn poll(&mut self, now: Now) -> Option<Deadline> {
        let mut state = self.0.lock();
        state.polls += 1;
        state.polled_at = now.mono;
        let deadline = state.deadline.filter(|d| *d > now.mono);
        let handle = state.drop_in_poll.take();
        let panic = state.panic;
        drop(state);
        drop(handle);
        self.0.changed.notify_all();
        if let Some(Panic::Poll | Panic::PollAndFatal | Panic::PollAndDrop) = panic {
            panic!("told to panic in {}", "poll");
        }
        deadline
    }
    fn next_op(&mut self) -> Option<NetOp> {
        let mut state = self.0.lock();
        let panics = state.panic == Some(Panic::NextOp);
        let op = state.ops.pop_front();
        drop(state);
        assert!(!panics, "told to panic in next_op");
        if op.is_none() {
            self.0.changed.notify_all();
        }
        op
    }
    fn on_resolved(&mut self, _: Now, job: JobId, result: Result<Vec<IpAddr>, Error>) {
        self.see(Seen::Resolved(job, result));
    }
    fn on_connected(&mut self, _: Now, conn: ConnId) {
        self.see(Seen::Connected(conn));
    }
    fn on_frame(&mut self, _: Now, conn: ConnId, frame: Bytes) {
        let mut state = self.0.lock();
        if state.echo {
            let segments = framed(frame.clone());
            state.ops.push_back(NetOp::Send { conn, segments });
        }
        if let Some(mut on_frame) = state.on_frame.take() {
            let ops = on_frame(conn, frame);
            state.ops.extend(ops);
            state.on_frame = Some(on_frame);
            return;
        }
        drop(state);
        self.see(Seen::Frame(conn, frame));
    }
    fn on_closed(&mut self, _: Now, conn: ConnId, closed: Closed) {
        self.see(Seen::Closed(conn, closed));
    }
    fn is_finished(&self) -> bool {
        let state = self.0.lock();
        let (finished, panics) = (state.finished, state.panic == Some(Panic::Finished));
        drop(state);
        assert!(!panics, "told to panic in is_finished");
        finished
    }
    fn on_fatal(&mut self, error: Error) {
        let panics = self.0.lock().panic == Some(Panic::PollAndFatal);
        self.see(Seen::Fatal(error));
        assert!(!panics, "told to panic in on_fatal");
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let panics = self.0.lock().panic == Some(Panic::PollAndDrop);
        self.see(Seen::Dropped);
        assert!(!panics, "told to panic in drop");
    }
}

/// A client of the driver whose machine does what the test says.
pub struct Client {
    pub handle: ClientHandle,
    pub shared: Arc<Shared>,
}

impl Client {
    pub fn new() -> Client {
        let shared = Arc::<Shared>::default();
        let handle = Driver::register(Box::new(Probe(shared.clone()))).unwrap();
        Client { handle, shared }
    }

    pub fn op(&self, op: NetOp) {
        self.shared.lock().ops.push_back(op);
        self.handle.wake();
    }

    pub fn connect(&self, conn: u64, addr: SocketAddr) {
        self.op(NetOp::Connect { conn: ConnId(conn), addr, options: OPTIONS });
    }

    pub fn send(&self, conn: u64, body: impl Into<Bytes>) {
        self.op(NetOp::Send { conn: ConnId(conn), segments: framed(body.into()) });
    }

    pub fn close(&self, conn: u64) {
        self.op(NetOp::Close { conn: ConnId(conn) });
    }

    pub fn wait<R>(&self, what: &str, find: impl FnMut(&mut State) -> Option<R>) -> R {
        self.shared.wait(what, find)
    }

    pub fn connected(&self, conn: u64) {
        self.wait("a connection", |s| {
            take(&mut s.seen, |e| matches!(e, Seen::Connected(c) if c.0 == conn)).map(drop)
        });
    }

    pub fn frame(&self, conn: u64) -> Bytes {
        let seen = self.wait("a frame", |s| {
            take(&mut s.seen, |e| matches!(e, Seen::Frame(c, _) | Seen::Closed(c, _) if c.0 == conn))
        });
        match seen {
            Seen::Frame(_, frame) => frame,
            other => panic!("no frame, but {other:?}"),
        }
    }

    pub fn closed(&self, conn: u64) -> Closed {
        let seen = self.wait("the end of a connection", |s| {
            take(&mut s.seen, |e| matches!(e, Seen::Closed(c, _) if c.0 == conn))
        });
        match seen {
            Seen::Closed(_, closed) => closed,
            other => unreachable!("{other:?}"),
        }
    }

    /// Waits until the machine has been polled once more, with all that this brings.
    pub fn turn(&self) {
        let before = self.shared.lock().polls;
        self.handle.wake();
        self.wait("a poll", |s| (s.polls > before && s.ops.is_empty()).then_some(()));
    }
}

fn take(seen: &mut Vec<Seen>, is: impl Fn(&Seen) -> bool) -> Option<Seen> {
    seen.iter().position(is).map(|at| seen.remove(at))
}

/// A body as a frame in two segments.
pub fn framed(body: Bytes) -> Vec<Bytes> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    vec![Bytes::copy_from_slice(&length), body]
}

/// Serves each connection on a thread of its own.
pub fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let each = Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, each) = (stream.unwrap(), each.clone());
            std::thread::spawn(move || each(stream));
        }
    });
    addr
}

/// Reads one frame's body; None at the end of the stream.
pub fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

pub fn write_frame(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    stream.write_all(&frame)
}

/// A server that answers each frame with itself.
pub fn echo_server() -> SocketAddr {
    serve(|mut stream| {
        while let Some(body) = read_frame(&mut stream) {
            if write_frame(&mut stream, &body).is_err() {
                return;
            }
        }
    })
}

/// Threads of this process with that name.
pub fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok());
    names.filter(|n| n.trim() == name).count()
}

/// Waits until `is`; for what can't be waited on in another way.
pub fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < end, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Panics of the I/O thread are what these tests are about: they need not be printed.
pub fn quiet_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() != Some("milena-io") {
            before(info);
        }
    }));
}
