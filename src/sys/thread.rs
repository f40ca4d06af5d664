//! Starts threads that take no signal of the application.

use std::io;
use std::thread::JoinHandle;

/// Starts a thread with this name (at most 15 bytes are seen by the system) and all signals blocked but those
/// that its own faults raise. So a handler of the application never runs on it, and a write to a closed socket
/// is an error on it instead of the end of the process.
///
/// # Errors
/// What the system says when it has no more threads.
pub fn spawn<F>(name: &str, body: F) -> io::Result<JoinHandle<()>>
where
    F: FnOnce() + Send + 'static,
{
    // A thread inherits the mask of the one that starts it: blocking here leaves no moment in which the new
    // thread could take a signal.
    #[cfg(unix)]
    let _restore = mask::Blocked::new();
    std::thread::Builder::new().name(name.to_owned()).spawn(body)
}

#[cfg(unix)]
mod mask {
    use std::mem::MaybeUninit;

    /// Signals that a thread raises by its own fault: with them blocked the system kills the process without
    /// asking the handler, so no crash reporter would see it.
    const FAULTS: [libc::c_int; 7] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

    /// All other signals are blocked on this thread while it lives.
    pub struct Blocked(Option<libc::sigset_t>);

    impl Blocked {
        pub fn new() -> Blocked {
            let mut all = MaybeUninit::<libc::sigset_t>::uninit();
            let mut old = MaybeUninit::<libc::sigset_t>::uninit();
            // SAFETY: sigfillset fills `all`, so it is initialized for sigdelset and pthread_sigmask; `old` is
            // read only when pthread_sigmask succeeded and so has filled it. All pointers outlive the calls.
            unsafe {
                libc::sigfillset(all.as_mut_ptr());
                for signal in FAULTS {
                    libc::sigdelset(all.as_mut_ptr(), signal);
                }
                let failed = libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
                Blocked((failed == 0).then(|| old.assume_init()))
            }
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            if let Some(old) = &self.0 {
                // SAFETY: `old` is the mask that pthread_sigmask gave for this thread.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, old, std::ptr::null_mut()) };
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;

    fn blocked_signals() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }

    #[test]
    fn the_new_thread_takes_no_signals_and_the_old_one_is_as_before() {
        let before = blocked_signals();
        let (tx, rx) = mpsc::channel();
        let thread = super::spawn("milena-test", move || {
            let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
            tx.send((blocked_signals(), name)).unwrap();
        });
        thread.unwrap().join().unwrap();
        let (inside, name) = rx.recv().unwrap();
        let has = |mask: u64, signal: i32| mask & (1 << (signal - 1)) != 0;
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGPIPE, libc::SIGCHLD, libc::SIGPROF] {
            assert!(has(inside, signal), "signal {signal} is not blocked: {inside:x}");
        }
        assert!(!has(inside, libc::SIGSEGV) && !has(inside, libc::SIGABRT));
        assert_eq!(name.trim(), "milena-test");
        assert_eq!(blocked_signals(), before);
    }
}
