//! Record batches: the bytes that producers write, brokers store and consumers read.
//!
//! Writing: [`MemoryRecordsBuilder`] appends records of format v2 into one pre-allocated buffer;
//! [`MemoryRecordsBuilder::close`] compresses it; [`BatchFacts::header`] makes the 61 bytes that go in front.
//! Reading: [`BatchReader`] splits a fetched region into batches of any format (v0, v1, v2) and checks their
//! headers; [`Batch::records`] decompresses once and gives an iterator of [`Record`]s, which are positions in one
//! shared block, so that nothing is copied. All lengths are checked against the bytes that are there: corrupt
//! input is a [`RecordError`], never a panic and never an allocation that the input does not justify.
//!
//! No clock, no socket, no lock.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod appender;
mod batch;
mod buffer;
mod builder;
pub mod compression;
pub mod control;
mod error;
mod header;
mod headers;
mod legacy;
pub mod legacy_writer;
mod slow;
pub mod varint;
mod view;

pub use appender::{Appender, PlainRecord};
pub use batch::{Batch, BatchReader};
pub use buffer::ByteBufferOutputStream;
pub use builder::{record_size_upper_bound, AppendError, ClosedBatch, MemoryRecordsBuilder, RecordRef};
pub use compression::{Compression, Compressor, Decompressor};
pub use error::{DecompressError, Problem, RecordError};
pub use header::{set_append_time, set_offset_and_epoch, BatchFacts, ProducerState, BATCH_OVERHEAD};
pub use headers::{Header, HeaderIter, Headers};
pub use view::{Record, RecordView, Records, Span};

/// How the timestamps of a batch came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// Format v0 has no timestamps; they read as -1.
    None,
    /// The producer set them (`message.timestamp.type=CreateTime`).
    CreateTime,
    /// The broker set one for the whole batch when it appended it.
    LogAppendTime,
}

impl TimestampType {
    /// "none", "create" or "append".
    pub fn name(self) -> &'static str {
        match self {
            TimestampType::None => "none",
            TimestampType::CreateTime => "create",
            TimestampType::LogAppendTime => "append",
        }
    }
}
