//! Errors of the codec: small and `Copy`, so that the happy path pays nothing for them.

use std::fmt;

use crate::error::{Code, Error};

/// What was being read or written when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum What {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Float64,
    Varint,
    Uuid,
    Str,
    Bytes,
    Records,
    Array,
    Struct,
    TaggedField,
    Frame,
}

impl What {
    /// The name for an error text.
    pub fn name(self) -> &'static str {
        match self {
            What::Bool => "boolean",
            What::Int8 => "8-bit integer",
            What::Int16 => "16-bit integer",
            What::Int32 => "32-bit integer",
            What::Int64 => "64-bit integer",
            What::Float64 => "64-bit float",
            What::Varint => "varint",
            What::Uuid => "UUID",
            What::Str => "string",
            What::Bytes => "byte string",
            What::Records => "record set",
            What::Array => "array",
            What::Struct => "structure",
            What::TaggedField => "tagged field",
            What::Frame => "frame",
        }
    }
}

/// Why bytes are not the message that they should be. `at` is the byte position in what the reader was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The thing needs at least `need` bytes and `left` are there.
    Truncated { what: What, at: u32, need: u32, left: u32 },
    /// A length or count that is negative, or above what the protocol allows.
    Length { what: What, at: u32, length: i32 },
    /// A variable-length integer of more bytes or bits than its type has.
    Varint { at: u32 },
    /// A string is not UTF-8.
    Utf8 { at: u32 },
    /// A null where this version has none.
    Null { what: What, at: u32 },
    /// A tag that is not larger than the one before it.
    TagOrder { at: u32, tag: u32 },
    /// A known tagged field that ended before its declared size.
    TagSize { at: u32, tag: u32, left: u32 },
    /// Bytes after the end of the message.
    Trailing { at: u32, left: u32 },
    /// A version that is not spoken here.
    Version { version: i16, min: i16, max: i16 },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            DecodeError::Truncated { what, at, need, left } => {
                write!(f, "{} at byte {at} needs {need} bytes, but {left} are left", what.name())
            }
            DecodeError::Length { what, at, length } => {
                write!(f, "{} at byte {at} has the impossible length {length}", what.name())
            }
            DecodeError::Varint { at } => write!(f, "varint at byte {at} is too long"),
            DecodeError::Utf8 { at } => write!(f, "string at byte {at} is not UTF-8"),
            DecodeError::Null { what, at } => {
                write!(f, "{} at byte {at} is null, which this version does not allow", what.name())
            }
            DecodeError::TagOrder { at, tag } => {
                write!(f, "tag {tag} at byte {at} is repeated or out of order")
            }
            DecodeError::TagSize { at, tag, left } => {
                write!(f, "tagged field {tag} ends at byte {at}, {left} bytes before its declared size")
            }
            DecodeError::Trailing { at, left } => write!(f, "{left} bytes after the end, at byte {at}"),
            DecodeError::Version { version, min, max } => {
                write!(f, "version {version} is outside the supported range {min} to {max}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    /// The library's error for it; `message` is the name of what was decoded, such as `FetchResponse v12`.
    pub fn into_error(self, message: &str) -> Error {
        Error::new(Code::PROTOCOL, format!("cannot decode {message}: {self}"))
    }
}

impl From<DecodeError> for Error {
    fn from(e: DecodeError) -> Error {
        Error::new(Code::PROTOCOL, format!("cannot decode: {e}"))
    }
}

/// Why a message can't be written in a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The field is set, the version does not have it, and leaving it out would change the meaning.
    Absent { field: &'static str, version: i16 },
    /// The field is null, which the version has no form for.
    Null { field: &'static str, version: i16 },
    /// Longer than the wire format allows.
    TooLong { what: What, length: usize },
    /// A version that is not spoken here.
    Version { version: i16, min: i16, max: i16 },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EncodeError::Absent { field, version } => {
                write!(f, "{field} is set, but version {version} can't carry it")
            }
            EncodeError::Null { field, version } => {
                write!(f, "{field} is null, which version {version} does not allow")
            }
            EncodeError::TooLong { what, length } => {
                write!(f, "{} of length {length} is longer than the protocol allows", what.name())
            }
            EncodeError::Version { version, min, max } => {
                write!(f, "version {version} is outside the supported range {min} to {max}")
            }
        }
    }
}

impl std::error::Error for EncodeError {}

impl EncodeError {
    /// The library's error for it; `message` is the name of what was encoded, such as `FetchRequest v12`.
    pub fn into_error(self, message: &str) -> Error {
        let code = match self {
            EncodeError::Absent { .. } | EncodeError::Null { .. } | EncodeError::Version { .. } => {
                Code::NO_COMMON_VERSION
            }
            EncodeError::TooLong { .. } => Code::INVALID_ARGUMENT,
        };
        Error::new(code, format!("cannot encode {message}: {self}"))
    }
}

impl From<EncodeError> for Error {
    fn from(e: EncodeError) -> Error {
        e.into_error("the message")
    }
}
