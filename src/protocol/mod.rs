//! The wire protocol: messages and frames, from and to bytes. No clock, no sockets, no locks.
//!
//! [`codec`] is the leaf; [`messages`] and [`api`] are generated from Kafka's schemas by `cargo xtask protocol`.

pub mod api;
pub mod codec;
pub mod messages;

pub use api::ApiKey;
pub use codec::{ApiMessage, DecodeError, EncodeError, Message, Reader, Records, Uuid, Writer};
