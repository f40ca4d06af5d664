//! Bad input and faults, each through the Rust façades over real sockets: what the application is told, and that
//! nothing else is harmed.

mod bad_peers;
mod closing;
mod consuming;
mod peer;
mod producing;
mod support;
