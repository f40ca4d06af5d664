//! What the operating system gives and no crate wraps better. With `ffi`, the only place for `unsafe`.
#![allow(unsafe_code)]

pub mod event_fd;
pub mod signal;
