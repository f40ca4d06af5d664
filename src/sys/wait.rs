//! Waiting for a descriptor with a time-out finer than epoll's milliseconds.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// Waits at most `timeout` until `fd` is readable; returns whether it is.
///
/// # Errors
/// What the system says; a signal that came in between is not an error, and ends the wait.
pub fn readable_within(fd: RawFd, timeout: Duration) -> io::Result<bool> {
    let mut wanted = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
    };
    // SAFETY: one descriptor to wait for, and a time; no signal mask.
    match unsafe { libc::ppoll(&mut wanted, 1, &time, std::ptr::null()) } {
        n if n >= 0 => Ok(n > 0),
        _ => match io::Error::last_os_error() {
            e if e.kind() == io::ErrorKind::Interrupted => Ok(false),
            e => Err(e),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::EventFd;
    use std::time::Instant;

    #[test]
    fn it_waits_until_the_time_or_until_readable() {
        let event = EventFd::new().unwrap();
        let start = Instant::now();
        assert!(!readable_within(event.fd(), Duration::from_micros(1500)).unwrap());
        assert!(start.elapsed() >= Duration::from_micros(1500));
        event.raise();
        assert!(readable_within(event.fd(), Duration::from_secs(3600)).unwrap());
        assert!(readable_within(event.fd(), Duration::ZERO).unwrap());
    }
}
