//! Fork: the child leaves the parent's thread, sockets and wake-ups alone and may have clients of its own.
#![cfg(unix)]
#![allow(unsafe_code)]

mod net_support;

use bytes::Bytes;
use milena::net::transport::{PlaintextTransportLayer, TransportLayer};
use net_support::*;
use std::io::IoSlice;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

static ONE: Mutex<()> = Mutex::new(());

/// Runs `child` in a forked process, true when it came to its end.
fn in_child(child: impl FnOnce()) -> bool {
    // SAFETY: the child runs only what the test gives it, on its one thread, and leaves by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let code = i32::from(std::panic::catch_unwind(AssertUnwindSafe(child)).is_err());
        // SAFETY: ends the child without running what is the parent's to run.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above; `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn the_child_has_its_own_thread_and_the_parent_keeps_its() {
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let addr = echo_server();
    let parents = Client::new();
    parents.connect(1, addr);
    parents.send(1, "before");
    assert_eq!(parents.frame(1), "before");
    parents.turn();
    let mut turns = 0;
    eventually("quiet", || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::mem::replace(&mut turns, parents.handle.thread_turns()) == turns
    });
    let waker = parents.handle.waker();
    let shared = parents.shared.clone();
    let handle = Mutex::new(Some(parents.handle));
    let fine = in_child(|| {
        assert_eq!(threads_named("milena-io"), 0);
        waker.wake();
        drop(handle.lock().unwrap().take());
        for _ in 0..2 {
            let own = [Client::new(), Client::new()];
            for client in &own {
                client.connect(1, addr);
                client.send(1, "from the child");
                assert_eq!(client.frame(1), "from the child");
            }
            assert_eq!(threads_named("milena-io"), 1);
        }
        let mine = Client::new();
        mine.turn();
        let grandchild = in_child(|| {
            let own = Client::new();
            own.connect(1, addr);
            own.send(1, "from the grandchild");
            assert_eq!(own.frame(1), "from the grandchild");
        });
        assert!(grandchild);
        mine.turn();
        drop(mine);
        eventually("the thread's end", || threads_named("milena-io") == 0);
    });
    assert!(fine);
    let handle = handle.lock().unwrap().take().unwrap();
    assert_eq!(handle.thread_turns(), turns, "the child woke the parent's thread");
    let parents = Client { handle, shared };
    parents.send(1, "after");
    assert_eq!(parents.frame(1), "after");
}

/// In a C program SIGPIPE ends the process; a broker that closes must not do that.
#[test]
fn writing_to_a_closed_peer_is_an_error_and_no_signal() {
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let fine = in_child(|| {
        // SAFETY: the default disposition, in a process of its own; Rust programs ignore the signal.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let mut transport = PlaintextTransportLayer::connect(addr, OPTIONS).unwrap();
        drop(listener.accept().unwrap());
        let bytes = Bytes::from_static(b"hello");
        let mut outcome = Ok(0);
        eventually("the peer's reset", || {
            outcome = transport.write_vectored(&[IoSlice::new(&bytes)]);
            outcome.is_err()
        });
        let kind = outcome.unwrap_err().kind();
        assert!(matches!(kind, std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset));
        assert_eq!(
            transport.write_vectored(&[IoSlice::new(&bytes)]).unwrap_err().kind(),
            std::io::ErrorKind::BrokenPipe
        );
    });
    assert!(fine);
}
