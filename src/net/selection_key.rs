//! Which operations a channel wants, and which its socket is ready for.
//!
//! Sockets are registered once, edge-triggered, for everything; `epoll_ctl` is never called again. The system
//! then tells of each readiness once, so it is remembered here until an operation would block, and a channel has
//! its turn while interest and readiness meet. Changing the interest is a bit, not a system call.

pub const OP_READ: u8 = 1;
pub const OP_WRITE: u8 = 4;
pub const OP_CONNECT: u8 = 8;

/// Interest and readiness of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectionKey {
    interest: u8,
    ready: u8,
    /// The peer has sent its last byte: a short read is then no sign that nothing more will come.
    read_closed: bool,
}

impl SelectionKey {
    pub fn new(interest: u8) -> SelectionKey {
        SelectionKey { interest, ..SelectionKey::default() }
    }

    pub fn add_interest_ops(&mut self, ops: u8) {
        self.interest |= ops;
    }
    pub fn remove_interest_ops(&mut self, ops: u8) {
        self.interest &= !ops;
    }

    /// Remembers what the system said.
    pub fn add_ready(&mut self, ops: u8, read_closed: bool) {
        self.ready |= ops;
        self.read_closed |= read_closed;
    }
    /// The operation would block: nothing more to do until the system speaks again.
    pub fn blocked(&mut self, op: u8) {
        self.ready &= !op;
    }
    /// Less was moved than asked for, which says the same without one more system call, unless the end of the
    /// stream is there and has yet to be read.
    pub fn fell_short(&mut self, op: u8) {
        // mio's sockets on Windows hear of readiness again only after an operation that really blocked.
        if cfg!(unix) && !(op == OP_READ && self.read_closed) {
            self.ready &= !op;
        }
    }

    /// Whether there is anything to do.
    pub fn is_selected(&self) -> bool {
        self.ready & self.interest != 0
    }
    pub fn wants(&self, op: u8) -> bool {
        self.ready & self.interest & op != 0
    }
}
