//! What the I/O thread does: waits once for all clients, then touches those that have something to do.
//!
//! A turn costs what happens in it: clients are polled when they were woken, when their deadline has come, or
//! when something happened on their connections, and never otherwise.

use super::channel::ChannelEvent;
use super::inbox::{ClientWaker, Command, Inbox, Mail};
use super::resolver::Resolver;
use super::selector::{ChannelId, ClientId, Selected, Selector};
use crate::client::wire::{ConnId, JobId, Machine, NetOp};
use crate::error::{Code, Error};
use crate::sys;
use crate::time::{earlier, Deadline, Nanos};
use foldhash::fast::FixedState;
use std::any::Any;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

/// Everything that belongs to the I/O thread.
pub struct EventLoop {
    inbox: Arc<Inbox>,
    selector: Selector,
    resolver: Resolver,
    clients: HashMap<ClientId, Client, FixedState>,
    timers: BTreeSet<(Nanos, ClientId)>,
    /// Clients to be polled in this turn, each once.
    due: Vec<ClientId>,
    /// What happened on connections and was not told yet.
    events: VecDeque<Selected>,
    /// Lookups that needed no thread, to be told in the next turn.
    resolved: Vec<(ClientId, JobId, Result<Vec<IpAddr>, Error>)>,
}

struct Client {
    machine: Box<dyn Machine>,
    waker: Arc<ClientWaker>,
    conns: HashMap<ConnId, ChannelId, FixedState>,
    deadline: Option<Deadline>,
    due: bool,
}

/// The message of a panic that was caught.
struct Panicked(String);

impl EventLoop {
    pub fn new(inbox: Arc<Inbox>, selector: Selector, resolver: Resolver) -> EventLoop {
        EventLoop {
            inbox,
            selector,
            resolver,
            clients: HashMap::default(),
            timers: BTreeSet::new(),
            due: Vec::new(),
            events: VecDeque::new(),
            resolved: Vec::new(),
        }
    }

    /// The body of the I/O thread; returns when it was told to stop. Should the loop itself fail, each client is
    /// told that it is at its end.
    pub fn run(mut self) {
        let failed = match catch_unwind(AssertUnwindSafe(|| self.turns())) {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(
                Error::new(Code::TRANSPORT, "the I/O thread can't wait for its sockets any more")
                    .cause(e.to_string()),
            ),
            Err(panic) => Some(Error::new(
                Code::PANIC,
                format!("the I/O thread panicked: {}", panic_message(panic.as_ref())),
            )),
        };
        let left = self.inbox.close();
        let error = failed.unwrap_or_else(|| Error::new(Code::CLOSED, "the I/O thread has ended"));
        let error = error.retriable(false).fatal(true);
        let machines = self.clients.drain().map(|(_, client)| client.machine);
        let unseen = left.commands.into_iter().filter_map(|command| match command {
            Command::Register { machine, .. } => Some(machine),
            _ => None,
        });
        for machine in machines.chain(unseen) {
            end(machine, Some(error.clone()));
        }
    }

    fn turns(&mut self) -> std::io::Result<()> {
        let mut mail = Mail::default();
        loop {
            let timeout = self.timeout();
            let inbox = &self.inbox;
            self.selector.poll(timeout, || inbox.awake(&mut mail), &mut self.events)?;
            for client in mail.woken.drain(..) {
                self.mark(client);
            }
            for command in mail.commands.drain(..) {
                if matches!(command, Command::Stop) {
                    return Ok(());
                }
                self.obey(command);
            }
            for (client, job, result) in std::mem::take(&mut self.resolved) {
                self.on_resolved(client, job, result);
            }
            self.expire();
            // What polling adds is told in the next turn, so that nobody is left out by one that goes on and on.
            for _ in 0..self.events.len() {
                if let Some(event) = self.events.pop_front() {
                    self.on_event(event);
                }
            }
            let mut due = std::mem::take(&mut self.due);
            for client in due.drain(..) {
                self.poll_client(client);
            }
            if self.due.is_empty() {
                self.due = due;
            }
        }
    }

    /// How long to wait; None until something happens.
    fn timeout(&self) -> Option<Duration> {
        let pending = !self.events.is_empty() || !self.resolved.is_empty() || !self.due.is_empty();
        if pending || !self.inbox.fall_asleep() {
            return Some(Duration::ZERO);
        }
        let deadline = earlier(self.timers.first().map(|t| t.0), self.selector.next_rest())?;
        Some(deadline.since(sys::now().mono))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Register { machine, waker } => {
                let client = waker.client;
                let conns = HashMap::default();
                self.clients.insert(client, Client { machine, waker, conns, deadline: None, due: false });
                self.mark(client);
            }
            Command::Remove(client) => self.forget(client, None),
            Command::Resolved { client, job, result } => self.on_resolved(client, job, result),
            Command::Stop => {}
        }
    }

    /// Has the client polled in this turn.
    fn mark(&mut self, client: ClientId) {
        if let Some(state) = self.clients.get_mut(&client) {
            if !state.due {
                state.due = true;
                self.due.push(client);
            }
        }
    }

    fn expire(&mut self) {
        if self.timers.is_empty() {
            return;
        }
        let now = sys::now().mono;
        while let Some(&(deadline, client)) = self.timers.first() {
            if deadline > now {
                return;
            }
            self.set_deadline(client, None);
            self.mark(client);
        }
    }

    fn set_deadline(&mut self, client: ClientId, deadline: Option<Deadline>) {
        let Some(state) = self.clients.get_mut(&client) else { return };
        if state.deadline != deadline {
            if let Some(old) = std::mem::replace(&mut state.deadline, deadline) {
                self.timers.remove(&(old, client));
            }
            if let Some(new) = deadline.filter(|d| *d != Nanos::NEVER) {
                self.timers.insert((new, client));
            }
        }
    }

    fn on_resolved(&mut self, client: ClientId, job: JobId, result: Result<Vec<IpAddr>, Error>) {
        let now = sys::now();
        self.step(client, |state| state.machine.on_resolved(now, job, result));
        self.mark(client);
    }

    fn on_event(&mut self, selected: Selected) {
        let Selected { client, conn, event } = selected;
        let Some(state) = self.clients.get_mut(&client) else { return };
        // Closed by the machine after this happened: it wants to hear no more of it.
        if !state.conns.contains_key(&conn) {
            return;
        }
        if matches!(event, ChannelEvent::Closed(_)) {
            state.conns.remove(&conn);
        }
        let now = sys::now();
        self.step(client, |state| match event {
            ChannelEvent::Connected => state.machine.on_connected(now, conn),
            ChannelEvent::Frame(frame) => state.machine.on_frame(now, conn, frame),
            ChannelEvent::Written => state.machine.on_written(now, conn),
            ChannelEvent::Closed(closed) => state.machine.on_closed(now, conn, closed),
        });
        self.mark(client);
    }

    fn poll_client(&mut self, client: ClientId) {
        let now = sys::now();
        let deadline = self.step(client, |state| {
            state.due = false;
            state.waker.rearm();
            state.machine.poll(now)
        });
        self.selector.flush(&mut self.events);
        if let Some(deadline) = deadline {
            self.set_deadline(client, deadline);
            let finished = self.guarded(client, |state| state.machine.is_finished());
            if finished == Some(true) {
                self.forget(client, None);
            }
        }
    }

    /// One call into a machine, and then what it wants done. None when there is no such client, or no more.
    fn step<R>(&mut self, client: ClientId, call: impl FnOnce(&mut Client) -> R) -> Option<R> {
        let result = self.guarded(client, call)?;
        while let Some(op) = self.guarded(client, |state| state.machine.next_op())? {
            self.carry_out(client, op);
        }
        Some(result)
    }

    /// One call into a machine; a panic in it is the end of its client, and of nothing else.
    fn guarded<R>(&mut self, client: ClientId, call: impl FnOnce(&mut Client) -> R) -> Option<R> {
        let state = self.clients.get_mut(&client)?;
        match catch(|| call(state)) {
            Ok(result) => Some(result),
            Err(Panicked(message)) => {
                let error =
                    Error::new(Code::PANIC, format!("the client's state machine panicked: {message}"));
                self.forget(client, Some(error.fatal(true)));
                None
            }
        }
    }

    fn carry_out(&mut self, client: ClientId, op: NetOp) {
        match op {
            NetOp::Resolve { job, host } => {
                if let Some(result) = self.resolver.resolve(client, job, host) {
                    self.resolved.push((client, job, result));
                }
            }
            NetOp::Connect { conn, addr, options } => {
                let Some(state) = self.clients.get_mut(&client) else { return };
                match self.selector.connect(client, conn, addr, options) {
                    Ok(channel) => {
                        state.conns.insert(conn, channel);
                    }
                    Err(closed) => {
                        state.conns.insert(conn, ChannelId::NONE);
                        let event = ChannelEvent::Closed(closed);
                        self.events.push_back(Selected { client, conn, event });
                    }
                }
            }
            NetOp::Send { conn, segments } => {
                if let Some(channel) = self.clients.get(&client).and_then(|state| state.conns.get(&conn)) {
                    self.selector.send(*channel, segments);
                }
            }
            NetOp::TellWritten { conn } => {
                if let Some(channel) = self.clients.get(&client).and_then(|state| state.conns.get(&conn)) {
                    self.selector.tell_written(*channel);
                }
            }
            NetOp::Rest { conn, until } => {
                if let Some(channel) = self.clients.get(&client).and_then(|state| state.conns.get(&conn)) {
                    self.selector.rest(*channel, until);
                }
            }
            NetOp::Close { conn } => {
                let state = self.clients.get_mut(&client);
                if let Some(channel) = state.and_then(|state| state.conns.remove(&conn)) {
                    self.selector.close(channel);
                }
            }
        }
    }

    /// Closes what a client has open and lets it go; with an error, after telling it.
    fn forget(&mut self, client: ClientId, error: Option<Error>) {
        self.set_deadline(client, None);
        self.resolver.forget(client);
        if let Some(state) = self.clients.remove(&client) {
            for channel in state.conns.into_values() {
                self.selector.close(channel);
            }
            end(state.machine, error);
        }
    }
}

/// The end of a machine, whose own code may panic once more.
fn end(mut machine: Box<dyn Machine>, error: Option<Error>) {
    if let Some(error) = error {
        // It was told as far as it can be.
        let _ = catch(|| machine.on_fatal(error));
    }
    let _ = catch(|| drop(machine));
}

fn catch<R>(call: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| Panicked(panic_message(panic.as_ref())))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
