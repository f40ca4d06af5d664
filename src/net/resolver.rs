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
pub const IDLE: Duration = Duration::from_secs(5);

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
    idle: Duration,
}

impl Resolver {
    /// One whose results are posted to `inbox`, and whose thread ends when no name has come for `idle`.
    pub fn new(inbox: Arc<Inbox>, lookup: Lookup, idle: Duration) -> Resolver {
        Resolver { inbox, shared: Arc::default(), thread: None, lookup, idle }
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
        let (shared, inbox, lookup, idle) = (self.shared.clone(), self.inbox.clone(), self.lookup, self.idle);
        match thread::spawn("milena-resolver", move || work(&shared, &inbox, lookup, idle)) {
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

fn work(shared: &Shared, inbox: &Inbox, lookup: Lookup, idle: Duration) {
    let mut state = shared.state.lock();
    loop {
        if state.stop {
            return;
        }
        let Some(Job { client, job, host }) = state.jobs.pop_front() else {
            if shared.changed.wait_for(&mut state, idle).timed_out() && state.jobs.is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::inbox::Mail;
    use crate::net::selector::Selector;
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    struct Fixture {
        selector: Selector,
        inbox: Arc<Inbox>,
        came: VecDeque<Command>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let selector = Selector::new().unwrap();
            let inbox = Arc::new(Inbox::new(selector.waker().unwrap()));
            Fixture { selector, inbox, came: VecDeque::new() }
        }

        /// The next answer, waited for as the I/O thread does.
        fn answer(&mut self) -> (JobId, Result<Vec<IpAddr>, Error>) {
            let mut mail = Mail::default();
            loop {
                match self.came.pop_front() {
                    Some(Command::Resolved { job, result, .. }) => return (job, result),
                    Some(_) => unreachable!("only lookups are posted"),
                    None => {}
                }
                let timeout = if self.inbox.fall_asleep() { LONG } else { Duration::ZERO };
                let inbox = &self.inbox;
                self.selector.poll(Some(timeout), || inbox.awake(&mut mail), &mut VecDeque::new()).unwrap();
                self.came.extend(mail.commands.drain(..));
            }
        }
    }

    #[test]
    fn answers_and_failures_come_through_the_inbox() {
        let mut fixture = Fixture::new();
        let lookup: Lookup = |host| match host {
            "good" => Ok(vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()]),
            "empty" => Ok(vec![]),
            _ => Err(io::Error::other("nobody knows")),
        };
        let mut resolver = Resolver::new(fixture.inbox.clone(), lookup, LONG);
        for (id, host) in [(1, "good"), (2, "empty"), (3, "bad")] {
            assert!(resolver.resolve(ClientId(1), JobId(id), host.into()).is_none());
            let (job, result) = fixture.answer();
            assert_eq!(job, JobId(id));
            match result {
                Ok(found) => assert_eq!((host, found.len()), ("good", 2)),
                Err(e) => {
                    assert_eq!(e.code(), Code::NAME_NOT_RESOLVED);
                    assert_eq!(e.failed_phase(), Some(Phase::Dns));
                    assert!(e.message().contains(host) && e.cause_text().is_some(), "{e}");
                }
            }
        }
    }

    #[test]
    fn an_address_needs_no_thread() {
        let mut resolver = Resolver::new(Fixture::new().inbox, |_| unreachable!("no lookup"), LONG);
        for host in ["10.1.2.3", "::1", "[2001:db8::1]"] {
            let found = resolver.resolve(ClientId(1), JobId(1), host.into()).unwrap().unwrap();
            assert_eq!(found.len(), 1);
        }
        assert!(resolver.thread.is_none());
    }

    #[test]
    fn the_thread_ends_when_idle_and_comes_back() {
        let mut fixture = Fixture::new();
        let idle = Duration::from_millis(1);
        let mut resolver = Resolver::new(fixture.inbox.clone(), |_| Ok(vec![[10, 0, 0, 1].into()]), idle);
        for id in 0..50 {
            assert!(resolver.resolve(ClientId(1), JobId(id), "name".into()).is_none());
            let (job, result) = fixture.answer();
            assert_eq!((job, result.unwrap().len()), (JobId(id), 1));
            if id % 10 == 0 {
                resolver.thread.take().unwrap().join().unwrap();
                assert!(!resolver.shared.state.lock().running);
            }
        }
    }

    #[test]
    fn at_most_one_lookup_at_a_time_and_forgotten_ones_are_dropped() {
        static GATE: Mutex<()> = Mutex::new(());
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let mut fixture = Fixture::new();
        let lookup: Lookup = |_| {
            assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
            ASKED.fetch_add(1, Ordering::SeqCst);
            drop(GATE.lock());
            INSIDE.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![[10, 0, 0, 1].into()])
        };
        let mut resolver = Resolver::new(fixture.inbox.clone(), lookup, LONG);
        let gate = GATE.lock();
        resolver.resolve(ClientId(1), JobId(1), "first".into());
        while !resolver.shared.state.lock().busy {
            std::thread::yield_now();
        }
        for id in 10..20 {
            resolver.resolve(ClientId(2), JobId(id), "forgotten".into());
        }
        resolver.resolve(ClientId(1), JobId(2), "last".into());
        resolver.forget(ClientId(2));
        drop(gate);
        assert_eq!(fixture.answer().0, JobId(1));
        assert_eq!(fixture.answer().0, JobId(2));
        assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_stuck_lookup_holds_up_nobody() {
        static RELEASE: Mutex<()> = Mutex::new(());
        let held = RELEASE.lock();
        let fixture = Fixture::new();
        let lookup: Lookup = |_| {
            drop(RELEASE.lock());
            Ok(vec![])
        };
        let mut resolver = Resolver::new(fixture.inbox.clone(), lookup, LONG);
        resolver.resolve(ClientId(1), JobId(1), "stuck".into());
        while !resolver.shared.state.lock().busy {
            std::thread::yield_now();
        }
        let shared = resolver.shared.clone();
        // Would wait for ever for a thread that is stuck.
        drop(resolver);
        fixture.inbox.close();
        drop(held);
        while Arc::strong_count(&shared) > 1 {
            std::thread::yield_now();
        }
    }
}
