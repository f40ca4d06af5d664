//! The leaf of the protocol layer: primitive types of the Kafka wire format, from and to bytes.
//!
//! Decoding borrows from the bytes it is given and trusts none of them: every length is held against the bytes
//! that are left before anything is allocated. The generated [`messages`](super::messages) are written on top of
//! [`Reader`], [`Writer`] and [`Wire`].

mod error;
mod reader;
#[cfg(test)]
mod tests;
mod types;
mod wire;
mod writer;

pub use error::{DecodeError, EncodeError, What};
pub use reader::Reader;
pub use types::{Records, Uuid, UuidError};
pub use wire::Wire;
pub use writer::{Tags, Writer};

use super::api::ApiKey;

/// A message with versions: a request, a response, a header, or a data structure such as a group's subscription.
pub trait Message<'a>: Sized {
    /// The name in Kafka's schema, such as `MetadataRequest`.
    const NAME: &'static str;
    /// The lowest version that can be read and written.
    const MIN_VERSION: i16;
    /// The highest version that can be read and written; versions that Kafka marks unstable are not counted.
    const MAX_VERSION: i16;

    /// Reads the message in `version` from where `r` stands. Bytes after it are left for [`Reader::finish`] to
    /// judge. Fails on a version outside the range, and on bytes that are not such a message.
    fn decode(r: &mut Reader<'a>, version: i16) -> Result<Self, DecodeError>;

    /// Appends the message in `version`. Fails on a version outside the range, on a null or a length that the
    /// version has no form for, and on a field that it would lose although its meaning can't be ignored. After an
    /// error the writer holds a part of the message and must be thrown away.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;
}

/// A request or a response of an API.
pub trait ApiMessage<'a>: Message<'a> {
    /// The API that the message belongs to.
    const API: ApiKey;
}

/// Implements [`Message`], and [`ApiMessage`] if an API is named, for a generated type that implements [`Wire`].
/// `flexible` is the first version with compact lengths and tagged fields; `i16::MAX` means none.
macro_rules! message {
    ($type:ty, $name:literal, $min:literal..=$max:literal, flexible $flexible:expr $(, $api:ident)?) => {
        impl<'a> $crate::protocol::codec::Message<'a> for $type {
            const NAME: &'static str = $name;
            const MIN_VERSION: i16 = $min;
            const MAX_VERSION: i16 = $max;
            fn decode(
                r: &mut $crate::protocol::codec::Reader<'a>,
                version: i16,
            ) -> Result<Self, $crate::protocol::codec::DecodeError> {
                if !($min..=$max).contains(&version) {
                    return Err($crate::protocol::codec::DecodeError::Version { version, min: $min, max: $max });
                }
                $crate::protocol::codec::Wire::read(r, version, version >= $flexible)
            }
            fn encode(
                &self,
                w: &mut $crate::protocol::codec::Writer,
                version: i16,
            ) -> Result<(), $crate::protocol::codec::EncodeError> {
                if !($min..=$max).contains(&version) {
                    return Err($crate::protocol::codec::EncodeError::Version { version, min: $min, max: $max });
                }
                $crate::protocol::codec::Wire::write(self, w, version, version >= $flexible)
            }
        }
        $(
            impl<'a> $crate::protocol::codec::ApiMessage<'a> for $type {
                const API: $crate::protocol::api::ApiKey = $crate::protocol::api::ApiKey::$api;
            }
        )?
    };
}
pub(crate) use message;
