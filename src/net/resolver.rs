//! Looks up host names on one helper thread, because the system's resolver can only block.
//!
//! The thread starts with the first name and ends when none has come for a while. Nobody waits for a lookup: at
//! the end of the process or the driver, one that is stuck is left alone.

use super::inbox::{Command, Inbox};
use super::selector::ClientId;
use crate::client::wire::JobId;
use crate::error::{Code, Error, Phase};
use crate::sys::thread;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the thread waits for another name before it ends.
const IDLE: Duration = Duration::from_secs(5);

/// How names are looked up; the system's way, but in tests.
pub type Lookup = fn(&str) -> io::Result<Vec<IpAddr>>;

struct Job {
    client: ClientId,
    job: JobId,
    host: Arc<str>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The thread lives and will look at `jobs` again.
    running: bool,
    /// The thread is inside the system's lookup.
    busy: bool,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The owner of the helper thread; dropping it ends the thread.
pub struct Resolver {
    inbox: Arc<Inbox>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    lookup: Lookup,
}

impl Resolver {
    /// One whose results are posted to `inbox`.
    pub fn new(inbox: Arc<Inbox>, lookup: Lookup) -> Resolver {
        Resolver { inbox, shared: Arc::default(), thread: None, lookup }
    }

    /// Begins a lookup. What needs none, an address as text, is answered here; so is failure to start the
    /// thread. Everything else is answered by [`Command::Resolved`].
    pub fn resolve(
        &mut self,
        client: ClientId,
        job: JobId,
        host: Arc<str>,
    ) -> Option<Result<Vec<IpAddr>, Error>> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&host);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Some(Ok(vec![ip]));
        }
        let mut state = self.shared.state.lock();
        state.jobs.push_back(Job { client, job, host: host.clone() });
        if state.running {
            self.shared.changed.notify_one();
            return None;
        }
        let (shared, inbox, lookup) = (self.shared.clone(), self.inbox.clone(), self.lookup);
        match thread::spawn("milena-resolver", move || work(&shared, &inbox, lookup)) {
            Ok(thread) => {
                state.running = true;
                // The one before, if any, has left or is leaving: it does not look at the jobs any more.
                self.thread = Some(thread);
                None
            }
            Err(e) => {
                state.jobs.pop_back();
                Some(Err(not_resolved(&host, format!("no thread could be started for the lookup: {e}"))))
            }
        }
    }

    /// Drops the lookups of a client that did not begin yet.
    pub fn forget(&mut self, client: ClientId) {
        self.shared.state.lock().jobs.retain(|job| job.client != client);
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.stop = true;
        let stuck = state.busy;
        drop(state);
        self.shared.changed.notify_one();
        match self.thread.take() {
            // At most it is about to end.
            Some(thread) if !stuck => drop(thread.join()),
            // It holds nothing but what it was given and finds a closed inbox when it comes back.
            _ => {}
        }
    }
}

fn work(shared: &Shared, inbox: &Inbox, lookup: Lookup) {
    let mut state = shared.state.lock();
    loop {
        if state.stop {
            return;
        }
        let Some(Job { client, job, host }) = state.jobs.pop_front() else {
            if shared.changed.wait_for(&mut state, IDLE).timed_out() && state.jobs.is_empty() {
                state.running = false;
                return;
            }
            continue;
        };
        state.busy = true;
        drop(state);
        let result = match lookup(&host) {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) => Err(not_resolved(&host, "the name exists, but has no address".to_owned())),
            Err(e) => Err(not_resolved(&host, e.to_string())),
        };
        // When the I/O thread is gone, nobody asks any more.
        let _ = inbox.post(Command::Resolved { client, job, result });
        state = shared.state.lock();
        state.busy = false;
    }
}

fn not_resolved(host: &str, cause: String) -> Error {
    Error::new(Code::NAME_NOT_RESOLVED, format!("the host name '{host}' was not resolved"))
        .phase(Phase::Dns)
        .cause(cause)
}

/// All addresses the system has for a name, each once, in its order.
pub fn system_lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = Vec::new();
    for addr in (host, 0).to_socket_addrs()? {
        if !found.contains(&addr.ip()) {
            found.push(addr.ip());
        }
    }
    Ok(found)
}
