//! Milena: an Apache Kafka client. A record's journey through these folders is told in ARCHITECTURE.md.
//!
//! Layers, top down: [`ffi`] (the C ABI) over [`producer`], [`consumer`] and [`admin`] (façades over state
//! machines) over [`client`] (requests, no sockets) over [`protocol`] and [`record`] (bytes and structs);
//! [`net`] drives the state machines and owns the sockets, the clock and the one I/O thread of the process.

pub mod admin;
pub mod client;
pub mod config;
pub mod consumer;
pub mod embedded;
pub mod error;
pub mod ffi;
pub mod log;
pub mod net;
pub mod producer;
pub mod protocol;
pub mod record;
pub mod serialization;
pub mod sys;
pub mod time;

pub use error::{Code, Error};
pub use time::{Nanos, Now};
