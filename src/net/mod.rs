//! The only input and output of the library: sockets, names, and the one thread that drives every client.
//!
//! [`driver`] starts and ends the I/O thread and hands out [`ClientHandle`]s; [`event_loop`] is what that thread
//! does; [`inbox`] is what other threads leave for it. Below it the [`selector`] waits on all sockets at once,
//! a [`channel`] is one connection, [`rests`] those that need not be looked at for a while, [`send`] its queue of unwritten bytes, [`transport`] the socket itself.
//! [`resolver`] looks up names on a helper thread, because the system can do that only blocking.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod channel;
pub mod driver;
mod event_loop;
mod failure;
mod inbox;
mod receive_pool;
mod resolver;
mod rests;
pub mod selection_key;
pub mod selector;
pub mod send;
pub mod transport;

pub use driver::{ClientHandle, Driver};
