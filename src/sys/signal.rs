//! A level-triggered signal from the I/O thread to the application: waited for by a thread, or by whoever polls
//! the descriptor. The descriptor is made when it is first asked for, so that who never asks pays no system call.

use super::event_fd::EventFd;
use crate::error::{Code, Error};
use parking_lot::{Condvar, Mutex};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[derive(Default)]
pub struct Signal {
    state: Mutex<State>,
    changed: Condvar,
    fd: OnceLock<EventFd>,
}

#[derive(Default)]
struct State {
    raised: bool,
    waiters: usize,
}

impl Signal {
    pub fn new() -> Signal {
        Signal::default()
    }

    /// Raises the signal; it stays raised until [`Signal::lower`].
    pub fn raise(&self) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.raised, true) {
            return;
        }
        if let Some(fd) = self.fd.get() {
            fd.raise();
        }
        if state.waiters > 0 {
            self.changed.notify_all();
        }
    }

    pub fn lower(&self) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.raised, false) {
            if let Some(fd) = self.fd.get() {
                fd.lower();
            }
        }
    }

    pub fn is_raised(&self) -> bool {
        self.state.lock().raised
    }

    /// Waits until the signal is raised, at most `timeout`. Returns whether it is.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut state = self.state.lock();
        let until = Instant::now().checked_add(timeout);
        state.waiters += 1;
        while !state.raised {
            match until {
                Some(until) => {
                    if self.changed.wait_until(&mut state, until).timed_out() {
                        break;
                    }
                }
                None => self.changed.wait(&mut state),
            }
        }
        state.waiters -= 1;
        state.raised
    }

    /// A descriptor that is readable as long as the signal is raised; valid as long as the signal lives.
    pub fn fd(&self) -> Result<i32, Error> {
        let state = self.state.lock();
        if let Some(fd) = self.fd.get() {
            return Ok(fd.fd());
        }
        let fd = EventFd::new().map_err(|e| {
            Error::new(Code::TRANSPORT, "the event descriptor could not be made").cause(e.to_string())
        })?;
        if state.raised {
            fd.raise();
        }
        Ok(self.fd.get_or_init(|| fd).fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn wait_returns_when_raised_and_times_out_otherwise() {
        let signal = Arc::new(Signal::new());
        assert!(!signal.wait(Duration::from_millis(1)));
        let other = signal.clone();
        let thread = std::thread::spawn(move || other.raise());
        assert!(signal.wait(Duration::from_secs(20)));
        thread.join().unwrap();
        signal.lower();
        assert!(!signal.is_raised());
    }
}
