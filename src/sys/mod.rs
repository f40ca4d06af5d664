//! What the operating system gives and no crate wraps better; with `ffi` the only `unsafe`.
#![allow(unsafe_code)]

pub mod clock;
#[cfg(unix)]
pub mod event_fd;
pub mod fork;
pub mod signal;
pub mod thread;
#[cfg(target_os = "linux")]
pub mod wait;

pub use clock::now;
#[cfg(unix)]
pub use event_fd::EventFd;
pub use fork::{fork_generation, is_this_process};
