//! The wire protocol: messages and frames, from and to bytes. No clock, no sockets, no locks.
//!
//! [`codec`] is the leaf; [`messages`] and [`api`] are generated from Kafka's schemas by `cargo xtask protocol`.
//! [`header`] makes a whole frame of a message, [`frame`] cuts a stream into frames, [`versions`] chooses the
//! version of a request that a broker understands.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod api;
pub mod codec;
pub mod frame;
pub mod header;
pub mod messages;
pub mod versions;

pub use api::ApiKey;
pub use codec::{ApiMessage, DecodeError, EncodeError, Message, Reader, Records, Uuid, Writer};
pub use frame::{FrameError, FrameReader};
pub use header::{
    begin_request, decode_request_header, decode_response_header, encode_request, encode_response,
};
pub use versions::{negotiate, BrokerVersions, VersionRange};
