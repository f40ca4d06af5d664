//! The one I/O thread: when it lives, when it wakes, and what a failing client does to it.
#![allow(unsafe_code)]

mod net_support;

use milena::client::wire::{Machine, NetOp, Wake};
use milena::error::{Code, Error};
use milena::net::Driver;
use milena::sys;
use milena::time::{Deadline, Now};
use net_support::*;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// These tests look at the whole process: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(|e| e.into_inner());
    eventually("the thread of the test before to be gone", || threads_named("milena-io") == 0);
    guard
}

#[test]
fn one_thread_for_all_clients_and_none_without() {
    let _alone = alone();
    let addr = echo_server();
    let clients: Vec<Client> = (0..10).map(|_| Client::new()).collect();
    for round in 0..3 {
        for client in &clients {
            client.connect(round, addr);
            client.send(round, "hello");
            assert_eq!(client.frame(round), "hello");
        }
        assert_eq!(threads_named("milena-io"), 1);
    }
    let shared: Vec<_> = clients.iter().map(|c| c.shared.clone()).collect();
    drop(clients);
    // The last to leave has waited for the thread, so all machines are gone.
    for shared in &shared {
        assert!(matches!(shared.lock().seen.last(), Some(Seen::Dropped)));
        assert_eq!(Arc::strong_count(shared), 1);
    }
    eventually("the thread's end", || threads_named("milena-io") == 0);
    let again = Client::new();
    again.turn();
    assert_eq!(threads_named("milena-io"), 1);
}

#[test]
fn clients_come_and_go_from_many_threads() {
    let _alone = alone();
    let addr = echo_server();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..30 {
                    let client = Client::new();
                    client.connect(1, addr);
                    client.send(1, "hello");
                    assert_eq!(client.frame(1), "hello");
                }
            });
        }
    });
    eventually("the thread's end", || threads_named("milena-io") == 0);
}

#[test]
fn nothing_to_do_is_no_wake_up() {
    let _alone = alone();
    let addr = echo_server();
    let clients: Vec<Client> = (0..5).map(|_| Client::new()).collect();
    for client in &clients {
        client.connect(1, addr);
        client.send(1, "hello");
        client.frame(1);
        client.turn();
    }
    // What the last wake-ups left behind is done when nothing has moved for a while.
    let mut before = 0;
    eventually("quiet", || {
        std::thread::sleep(Duration::from_millis(20));
        std::mem::replace(&mut before, clients[0].handle.thread_turns()) == before
    });
    let polls: Vec<u64> = clients.iter().map(|c| c.shared.lock().polls).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(clients[0].handle.thread_turns(), before);
    assert_eq!(clients.iter().map(|c| c.shared.lock().polls).collect::<Vec<_>>(), polls);
}

#[test]
fn only_the_client_with_something_to_do_is_polled() {
    let _alone = alone();
    let (busy, idle) = (Client::new(), Client::new());
    idle.turn();
    let polls = idle.shared.lock().polls;
    busy.connect(1, echo_server());
    for _ in 0..50 {
        busy.send(1, "hello");
        busy.frame(1);
    }
    assert!(busy.shared.lock().polls > 50);
    assert_eq!(idle.shared.lock().polls, polls);
}

#[test]
fn a_deadline_is_kept_and_costs_one_turn() {
    let _alone = alone();
    let client = Client::new();
    client.turn();
    for _ in 0..5 {
        let deadline = sys::now().mono.plus_ms(20);
        client.shared.lock().deadline = Some(deadline);
        client.turn();
        let (turns, polls) = (client.handle.thread_turns(), client.shared.lock().polls);
        client.wait("the deadline", |s| (s.polled_at >= deadline).then_some(()));
        assert!(client.shared.lock().polls <= polls + 2, "polled too often");
        assert!(client.handle.thread_turns() <= turns + 3, "woken too often");
    }
}

/// A later deadline replaces an earlier one, and an earlier one a later.
#[test]
fn deadlines_move() {
    let _alone = alone();
    let client = Client::new();
    client.shared.lock().deadline = Some(sys::now().mono.plus_ms(3_600_000));
    client.turn();
    let soon = sys::now().mono.plus_ms(10);
    client.shared.lock().deadline = Some(soon);
    client.turn();
    client.wait("the earlier deadline", |s| (s.polled_at >= soon).then_some(()));
    client.shared.lock().deadline = Some(sys::now().mono.plus_ms(100));
    client.turn();
    client.shared.lock().deadline = None;
    client.turn();
    let polls = client.shared.lock().polls;
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(client.shared.lock().polls, polls);
}

#[test]
fn a_panic_ends_its_client_and_no_other() {
    let _alone = alone();
    quiet_panics();
    let addr = echo_server();
    let good = Client::new();
    good.connect(1, addr);
    for (panic, call) in [
        (Panic::Poll, "poll"),
        (Panic::NextOp, "next_op"),
        (Panic::Event, "an event"),
        (Panic::Finished, "is_finished"),
        (Panic::PollAndFatal, "poll"),
        (Panic::PollAndDrop, "poll"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bad = Client::new();
        bad.connect(1, listener.local_addr().unwrap());
        bad.connected(1);
        let (mut accepted, _) = listener.accept().unwrap();
        bad.shared.lock().panic = Some(panic);
        write_frame(&mut accepted, b"here").unwrap();
        bad.handle.wake();
        bad.wait("the machine's end", |s| matches!(s.seen.last(), Some(Seen::Dropped)).then_some(()));
        let state = bad.shared.lock();
        let fatal: Vec<&Error> = state
            .seen
            .iter()
            .filter_map(|s| match s {
                Seen::Fatal(e) => Some(e),
                _ => None,
            })
            .collect();
        assert_eq!(fatal.len(), 1, "{panic:?}: {:?}", state.seen);
        assert_eq!(fatal[0].code(), Code::PANIC);
        assert!(fatal[0].is_fatal());
        let expected = format!("told to panic in {call}");
        assert!(fatal[0].message().contains(&expected), "{}", fatal[0]);
        drop(state);
        assert_eq!(read_frame(&mut accepted), None, "the connection of a failed client stays open");
        bad.handle.wake();
        good.send(1, "alive");
        assert_eq!(good.frame(1), "alive");
    }
    assert_eq!(threads_named("milena-io"), 1);
}

/// The machine may own its handle, and so be the one that ends the thread it runs on.
#[test]
fn the_last_handle_may_go_on_the_thread_itself() {
    let _alone = alone();
    let client = Client::new();
    let waker = client.handle.waker();
    let shared = client.shared.clone();
    shared.lock().drop_in_poll = Some(client.handle);
    waker.wake();
    shared.wait("the machine's end", |s| matches!(s.seen.last(), Some(Seen::Dropped)).then_some(()));
    eventually("the thread's end", || threads_named("milena-io") == 0);
    waker.wake();
    Client::new().turn();
}

#[test]
fn a_machine_that_can_not_be_made_leaves_nothing_behind() {
    let _alone = alone();
    let made = std::panic::catch_unwind(|| Driver::register_with(|_| std::panic::resume_unwind(Box::new(1))));
    assert!(made.is_err());
    eventually("the thread's end", || threads_named("milena-io") == 0);
}

/// Counts in poll what others have added, by lock and by atomic.
struct Counter {
    added: Arc<Added>,
    told: Arc<(Mutex<(u64, u64)>, Condvar)>,
}

#[derive(Default)]
struct Added {
    locked: Mutex<u64>,
    atomic: AtomicU64,
}

impl Machine for Counter {
    fn poll(&mut self, _: Now) -> Option<Deadline> {
        let seen = (*self.added.locked.lock().unwrap(), self.added.atomic.load(Ordering::SeqCst));
        *self.told.0.lock().unwrap() = seen;
        self.told.1.notify_all();
        None
    }
    fn next_op(&mut self) -> Option<NetOp> {
        None
    }
    fn is_finished(&self) -> bool {
        false
    }
    fn on_fatal(&mut self, error: Error) {
        panic!("{error}");
    }
    fn on_resolved(
        &mut self,
        _: Now,
        _: milena::client::wire::JobId,
        _: Result<Vec<std::net::IpAddr>, Error>,
    ) {
    }
    fn on_connected(&mut self, _: Now, _: milena::client::wire::ConnId) {}
    fn on_frame(&mut self, _: Now, _: milena::client::wire::ConnId, _: bytes::Bytes) {}
    fn on_closed(&mut self, _: Now, _: milena::client::wire::ConnId, _: milena::client::wire::Closed) {}
}

fn stress(threads: u64, rounds: u64) {
    let (added, told) = (Arc::<Added>::default(), Arc::<(Mutex<(u64, u64)>, Condvar)>::default());
    let machine = Counter { added: added.clone(), told: told.clone() };
    let handle = Driver::register(Box::new(machine)).unwrap();
    let start = Barrier::new(usize::try_from(threads).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                start.wait();
                let waker = handle.waker();
                for round in 0..rounds {
                    let by_lock = round % 2 == 0;
                    let mine = if by_lock {
                        let mut locked = added.locked.lock().unwrap();
                        *locked += 1;
                        *locked
                    } else {
                        added.atomic.fetch_add(1, Ordering::SeqCst) + 1
                    };
                    waker.wake();
                    // Not every round waits, so that wake-ups also meet a thread that is awake.
                    if round % 4 >= 2 {
                        continue;
                    }
                    let seen = told.0.lock().unwrap();
                    let missed = |s: &mut (u64, u64)| (if by_lock { s.0 } else { s.1 }) < mine;
                    let (_seen, timeout) = told.1.wait_timeout_while(seen, LONG, missed).unwrap();
                    assert!(!timeout.timed_out(), "a wake-up was lost in round {round}");
                }
            });
        }
    });
}

#[test]
fn no_wake_up_is_lost() {
    let _alone = alone();
    // Alone nobody else's wake-up covers for a lost one.
    stress(1, 20_000);
    stress(2, 10_000);
    stress(8, 4_000);
}

/// While the machine is being polled, a thousand wake-ups are one more poll.
#[test]
fn wake_ups_of_one_poll_are_one() {
    let _alone = alone();
    let client = Client::new();
    client.turn();
    let (entered_tx, entered) = mpsc::channel();
    let (leave, leave_rx) = mpsc::channel::<()>();
    let first = AtomicBool::new(true);
    client.shared.lock().on_frame = Some(Box::new(move |_, _| {
        if first.swap(false, Ordering::Relaxed) {
            entered_tx.send(()).unwrap();
            leave_rx.recv_timeout(LONG).unwrap();
        }
        vec![]
    }));
    client.connect(1, echo_server());
    client.send(1, "stop here");
    // The machine holds its state while it waits, so the handle is all that is touched from here.
    entered.recv_timeout(LONG).unwrap();
    let turns = client.handle.thread_turns();
    for _ in 0..1000 {
        client.handle.wake();
    }
    leave.send(()).unwrap();
    client.turn();
    assert!(client.handle.thread_turns() <= turns + 4, "{} turns", client.handle.thread_turns() - turns);
}

/// When the wait itself fails, every client is told, and the next one gets a new thread.
#[cfg(target_os = "linux")]
#[test]
fn a_failing_wait_is_told_to_all() {
    let _alone = alone();
    let clients = [Client::new(), Client::new()];
    clients.iter().for_each(Client::turn);
    let epoll = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|fd| std::fs::read_link(fd).is_ok_and(|to| to.to_string_lossy().contains("eventpoll")))
        .unwrap();
    let fd: i32 = epoll.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let other = std::fs::File::open("/dev/null").unwrap();
    // SAFETY: both descriptors are open; the driver's is replaced by one that can't be waited on.
    assert!(unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&other), fd) } >= 0);
    clients[0].handle.wake();
    for client in &clients {
        let fatal = client.wait("the end", |s| {
            let ended = matches!(s.seen.last(), Some(Seen::Dropped));
            ended.then(|| s.seen.iter().any(|e| matches!(e, Seen::Fatal(e) if e.is_fatal())))
        });
        assert!(fatal);
        client.handle.wake();
    }
    let next = Client::new();
    next.connect(1, echo_server());
    next.connected(1);
    drop(clients);
    next.turn();
}
