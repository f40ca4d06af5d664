//! A descriptor that is readable while something waits to be fetched: eventfd on Linux, a pipe elsewhere.

use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// A level-triggered signal between threads as a descriptor for poll, epoll, kqueue and the like.
///
/// The side with news first makes them visible (in a queue behind a lock), then calls [`raise`](Self::raise).
/// The side that takes them calls [`lower`](Self::lower) first, then empties the queue: in this order nothing
/// is missed. Both calls cost one atomic load when there is nothing to change. Non-blocking, closed on exec and
/// on drop. After fork parent and child share it: the child must not touch it.
#[derive(Debug)]
pub struct EventFd {
    /// Whether the descriptor is readable; changed together with it, under `change`.
    raised: AtomicBool,
    change: Mutex<()>,
    reader: File,
    /// None where one descriptor has both ends.
    writer: Option<File>,
}

impl EventFd {
    /// A lowered one.
    ///
    /// # Errors
    /// What the system says when there are no more descriptors.
    pub fn new() -> io::Result<EventFd> {
        let (reader, writer) = open()?;
        Ok(EventFd { raised: AtomicBool::new(false), change: Mutex::new(()), reader, writer })
    }

    /// Makes the descriptor readable.
    pub fn raise(&self) {
        // SeqCst here and in `lower`: see the wake-up of the I/O thread in `net::inbox` for the argument.
        if self.raised.load(Ordering::SeqCst) {
            return;
        }
        let _change = self.change.lock();
        if !self.raised.load(Ordering::SeqCst) {
            // Eight bytes are what an eventfd takes. It has room, because it is written to only when empty.
            let mut end: &File = self.writer.as_ref().unwrap_or(&self.reader);
            let written = uninterrupted(|| end.write(&1u64.to_ne_bytes()));
            debug_assert!(written.is_ok(), "{written:?}");
            self.raised.store(true, Ordering::SeqCst);
        }
    }

    /// Makes the descriptor not readable.
    pub fn lower(&self) {
        if !self.raised.load(Ordering::SeqCst) {
            return;
        }
        let _change = self.change.lock();
        if self.raised.load(Ordering::SeqCst) {
            let mut bytes = [0u8; 8];
            let read = uninterrupted(|| (&self.reader).read(&mut bytes));
            debug_assert!(read.is_ok(), "{read:?}");
            self.raised.store(false, Ordering::SeqCst);
        }
    }

    /// The descriptor to wait on; read readiness is its only meaning. Valid while this lives.
    pub fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

fn uninterrupted(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn open() -> io::Result<(File, Option<File>)> {
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and nobody else has it.
    Ok((File::from(unsafe { OwnedFd::from_raw_fd(fd) }), None))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open() -> io::Result<(File, Option<File>)> {
    pipe()
}

/// The ends of a pipe: (reader, writer). Compiled for the tests where it is not used.
#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
fn pipe() -> io::Result<(File, Option<File>)> {
    let mut fds = [-1; 2];
    // SAFETY: `fds` has room for the two descriptors.
    if unsafe { libc::pipe(fds.as_mut_ptr()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both descriptors were just made and nobody else has them.
    let ends = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    for end in &ends {
        // SAFETY: fcntl on an open descriptor, without pointers.
        let failed = unsafe {
            libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) < 0
                || libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) < 0
        };
        if failed {
            return Err(io::Error::last_os_error());
        }
    }
    let [reader, writer] = ends;
    Ok((File::from(reader), Some(File::from(writer))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn readable(event: &EventFd, timeout_ms: i32) -> bool {
        let mut poll = libc::pollfd { fd: event.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd that outlives the call.
        let n = unsafe { libc::poll(&mut poll, 1, timeout_ms) };
        assert!(n >= 0, "{}", io::Error::last_os_error());
        n == 1
    }

    fn both() -> [EventFd; 2] {
        let (reader, writer) = pipe().unwrap();
        let piped = EventFd { raised: AtomicBool::new(false), change: Mutex::new(()), reader, writer };
        [EventFd::new().unwrap(), piped]
    }

    #[test]
    fn level_follows_raise_and_lower() {
        for event in both() {
            assert!(!readable(&event, 0));
            event.lower();
            assert!(!readable(&event, 0));
            for _ in 0..3 {
                event.raise();
                event.raise();
                assert!(readable(&event, 0) && readable(&event, 0), "level, not edge");
                event.lower();
                assert!(!readable(&event, 0));
            }
        }
    }

    #[test]
    fn closed_on_exec_and_non_blocking() {
        for event in both() {
            let fd = event.fd();
            // SAFETY: fcntl without pointers, on a descriptor that is open.
            let flags = unsafe { (libc::fcntl(fd, libc::F_GETFD), libc::fcntl(fd, libc::F_GETFL)) };
            assert_ne!(flags.0 & libc::FD_CLOEXEC, 0);
            assert_ne!(flags.1 & libc::O_NONBLOCK, 0);
        }
    }

    /// Four threads push and raise; one waits, lowers and takes. A lost signal leaves it waiting for ever.
    #[test]
    fn no_news_is_missed() {
        for event in both() {
            let event = Arc::new(event);
            let queue = Arc::new(Mutex::new(0u32));
            const EACH: u32 = 5_000;
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let (event, queue) = (event.clone(), queue.clone());
                    std::thread::spawn(move || {
                        for _ in 0..EACH {
                            *queue.lock() += 1;
                            event.raise();
                        }
                    })
                })
                .collect();
            let mut taken = 0;
            while taken < 4 * EACH {
                let long = i32::try_from(Duration::from_secs(20).as_millis()).unwrap();
                assert!(readable(&event, long), "a signal was lost after {taken}");
                event.lower();
                taken += std::mem::take(&mut *queue.lock());
            }
            senders.into_iter().for_each(|s| s.join().unwrap());
        }
    }
}
