//! `ProducerRecord`, and where `send` takes its records from.

use crate::error::Error;
use crate::record::{Headers, PlainRecord, RecordRef};

/// A record as the application hands it over; everything is borrowed, and copied once.
#[derive(Clone, Copy, Debug)]
pub struct ProducerRecord<'a> {
    /// -1: the partitioner chooses.
    pub partition: i32,
    /// Milliseconds since the Unix epoch; -1: the moment of the call.
    pub timestamp_ms: i64,
    /// `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
    /// Comes back with the record's delivery; means nothing to this library.
    pub token: u64,
}

impl Default for ProducerRecord<'_> {
    fn default() -> Self {
        ProducerRecord {
            partition: -1,
            timestamp_ms: -1,
            key: None,
            value: None,
            headers: Headers::NONE,
            token: 0,
        }
    }
}

impl<'a> ProducerRecord<'a> {
    /// As a batch takes it, with the moment of the call as its timestamp if it has none.
    #[inline]
    pub fn stamped(&self, wall_ms: i64) -> RecordRef<'a> {
        let timestamp_ms = if self.timestamp_ms < 0 { wall_ms } else { self.timestamp_ms };
        RecordRef { timestamp_ms, key: self.key, value: self.value, headers: self.headers }
    }
}

/// A record as most are, on its way to a batch without a detour.
#[derive(Clone, Copy, Debug)]
pub struct PlainSend<'a> {
    /// -1: the partitioner chooses.
    pub partition: i32,
    pub token: u64,
    pub record: PlainRecord<'a>,
}

/// Records to send, one after the other. A source that finds a record malformed ends the call with an error that
/// describes it; the records before it are sent.
pub trait RecordSource {
    /// The record at the present place, or `None` at the end.
    fn peek(&mut self) -> Option<Result<ProducerRecord<'_>, Error>>;
    /// The same, if it is as most are; `None` says nothing but that [`RecordSource::peek`] knows more.
    #[inline(always)]
    fn plain(&mut self) -> Option<PlainSend<'_>> {
        None
    }
    /// Goes on to the next: the present one was accepted.
    fn advance(&mut self);
}

/// A slice of records as a source.
pub struct SliceSource<'a> {
    records: &'a [ProducerRecord<'a>],
    at: usize,
}

impl<'a> SliceSource<'a> {
    pub fn new(records: &'a [ProducerRecord<'a>]) -> SliceSource<'a> {
        SliceSource { records, at: 0 }
    }
}

impl RecordSource for SliceSource<'_> {
    #[inline]
    fn peek(&mut self) -> Option<Result<ProducerRecord<'_>, Error>> {
        self.records.get(self.at).copied().map(Ok)
    }
    #[inline]
    fn advance(&mut self) {
        self.at += 1;
    }
}
