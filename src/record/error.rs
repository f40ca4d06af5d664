//! What can be wrong with batches and records.

use super::Compression;
use crate::error::Code;
use std::fmt;

/// A batch or record that can't be read. Small and `Copy`: the consumer turns it into an error that names topic
/// and partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The offset at which the bad batch says to begin.
    pub base_offset: i64,
    /// Where to seek to read on behind the bad batch, as far as its header can be believed.
    pub next_offset: i64,
    pub problem: Problem,
}

/// What is wrong. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The batch's length field is smaller than its header.
    Length {
        length: i32,
        least: i32,
    },
    /// Not a known record format.
    Magic(u8),
    Crc {
        stored: u32,
        computed: u32,
    },
    /// Not a known compression codec.
    Codec(u8),
    /// A number of records that is negative or can't be in so few bytes.
    Count {
        count: i32,
        bytes: usize,
    },
    /// A last offset delta that is negative, or overflows with the base offset.
    LastOffsetDelta(i32),
    /// A record that does not parse: its number in the batch, its position in the (decompressed) block, and why.
    Record {
        index: u32,
        position: u32,
        why: &'static str,
    },
    /// Bytes behind the last record.
    Trailing(usize),
    Decompress {
        codec: Compression,
        why: DecompressError,
    },
}

/// Why compressed bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecompressError {
    Corrupt(&'static str),
    /// The data is longer than this many bytes when decompressed.
    TooLarge {
        limit: usize,
    },
    /// Memory for the output was not granted.
    OutOfMemory,
}

impl RecordError {
    /// The status code for it: Kafka's CORRUPT_MESSAGE.
    pub fn code(&self) -> Code {
        Code(2)
    }

    /// The batch may be sound, but is larger when decompressed than the given limit.
    pub fn is_too_large(&self) -> bool {
        matches!(self.problem, Problem::Decompress { why: DecompressError::TooLarge { .. }, .. })
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch at offset {}: {}", self.base_offset, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Problem::Length { length, least } => {
                write!(f, "its length field says {length}, but it takes at least {least} bytes")
            }
            Problem::Magic(magic) => write!(f, "unknown record format (magic {magic})"),
            Problem::Crc { stored, computed } => {
                write!(f, "checksum mismatch: {stored:#010x} stored, {computed:#010x} computed")
            }
            Problem::Codec(id) => write!(f, "unknown compression codec {id}"),
            Problem::Count { count, bytes } => {
                write!(f, "it claims {count} records, which can't be in {bytes} bytes")
            }
            Problem::LastOffsetDelta(delta) => write!(f, "impossible last offset delta {delta}"),
            Problem::Record { index, position, why } => {
                write!(f, "record {index} at byte {position} is corrupt: {why}")
            }
            Problem::Trailing(bytes) => write!(f, "{bytes} bytes are left behind its last record"),
            Problem::Decompress { codec, why } => write!(f, "{}: {why}", codec.name()),
        }
    }
}

impl fmt::Display for DecompressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            DecompressError::Corrupt(why) => write!(f, "can't decompress: {why}"),
            DecompressError::TooLarge { limit } => write!(f, "decompresses to more than {limit} bytes"),
            DecompressError::OutOfMemory => f.write_str("no memory for the decompressed data"),
        }
    }
}

impl std::error::Error for RecordError {}
impl std::error::Error for DecompressError {}
