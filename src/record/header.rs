//! The 61-byte header of a v2 batch: writing it, reading it, and what a broker changes in it.
//!
//! ```text
//!  0 base offset i64      12 leader epoch i32   21 attributes i16         43 producer id i64
//!  8 length i32 (of what  16 magic i8 = 2       23 last offset delta i32  51 producer epoch i16
//!    follows it)          17 crc-32c of 21…     27 base timestamp i64     53 base sequence i32
//!                                               35 max timestamp i64      57 records i32
//! ```

use super::compression::Compression;

/// Bytes of a v2 batch in front of its records.
pub const BATCH_OVERHEAD: usize = 61;
/// Bytes in front of what the length field counts (of all formats): the offset and the length itself.
pub(super) const LOG_OVERHEAD: usize = 12;

pub(super) const CODEC_MASK: i16 = 0x07;
pub(super) const APPEND_TIME: i16 = 0x08;
pub(super) const TRANSACTIONAL: i16 = 0x10;
pub(super) const CONTROL: i16 = 0x20;
pub(super) const DELETE_HORIZON: i16 = 0x40;

/// Whose batch it is: the part of the header that may change between two attempts to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Sequence number of the first record.
    pub base_sequence: i32,
    pub transactional: bool,
    /// A control batch; only brokers write these.
    pub control: bool,
}

impl ProducerState {
    /// Not idempotent: no producer id, no sequence.
    pub const NONE: ProducerState = ProducerState {
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        transactional: false,
        control: false,
    };
}

/// What a closed batch's header says about its records, whoever sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchFacts {
    pub records: u32,
    /// Timestamp of the first record.
    pub base_timestamp: i64,
    /// The latest timestamp.
    pub max_timestamp: i64,
    /// How the payload is compressed.
    pub compression: Compression,
    /// Bytes of the records before compression.
    pub uncompressed_len: u32,
}

impl BatchFacts {
    /// The 61 bytes that go in front of `payload`, which must be the payload that these facts came with. The
    /// base offset is 0 and the leader epoch unknown (-1), as in a batch that no broker has stored yet.
    ///
    /// It runs CRC-32C over the payload, so keep the header for as long as `state` does not change. (Combining
    /// a remembered checksum of the payload with the header's costs as much as hashing a usual batch again.)
    pub fn header(&self, payload: &[u8], state: ProducerState) -> [u8; BATCH_OVERHEAD] {
        let mut attributes = i16::from(self.compression.id());
        attributes |= if state.transactional { TRANSACTIONAL } else { 0 };
        attributes |= if state.control { CONTROL } else { 0 };
        let mut h = [0u8; BATCH_OVERHEAD];
        let length = payload.len().saturating_add(BATCH_OVERHEAD.wrapping_sub(LOG_OVERHEAD));
        h[8..12].copy_from_slice(&(length as u32).to_be_bytes());
        h[12..16].copy_from_slice(&(-1i32).to_be_bytes());
        h[16] = 2;
        h[21..23].copy_from_slice(&attributes.to_be_bytes());
        h[23..27].copy_from_slice(&self.records.wrapping_sub(1).to_be_bytes());
        h[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        h[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        h[43..51].copy_from_slice(&state.producer_id.to_be_bytes());
        h[51..53].copy_from_slice(&state.producer_epoch.to_be_bytes());
        h[53..57].copy_from_slice(&state.base_sequence.to_be_bytes());
        h[57..61].copy_from_slice(&self.records.to_be_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&h[21..]), payload);
        h[17..21].copy_from_slice(&crc.to_be_bytes());
        h
    }
}

/// The fields of a v2 header as they stand there, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawHeader {
    pub base_offset: i64,
    pub leader_epoch: i32,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub records: i32,
}

impl RawHeader {
    pub fn read(h: &[u8; BATCH_OVERHEAD]) -> RawHeader {
        RawHeader {
            base_offset: be64(h, 0),
            leader_epoch: be32(h, 12),
            crc: be32(h, 17) as u32,
            attributes: i16::from_be_bytes([h[21], h[22]]),
            last_offset_delta: be32(h, 23),
            base_timestamp: be64(h, 27),
            max_timestamp: be64(h, 35),
            producer_id: be64(h, 43),
            producer_epoch: i16::from_be_bytes([h[51], h[52]]),
            base_sequence: be32(h, 53),
            records: be32(h, 57),
        }
    }
}

/// The big-endian 32-bit number at `at`; 0 when the bytes end before it (callers have checked).
#[inline]
pub(super) fn be32(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..).and_then(|b| b.first_chunk::<4>()).map_or(0, |b| i32::from_be_bytes(*b))
}

/// The big-endian 64-bit number at `at`; 0 when the bytes end before it (callers have checked).
#[inline]
pub(super) fn be64(bytes: &[u8], at: usize) -> i64 {
    bytes.get(at..).and_then(|b| b.first_chunk::<8>()).map_or(0, |b| i64::from_be_bytes(*b))
}

/// What a broker does when it stores a batch: gives it its place in the log. The checksum does not cover these
/// fields. Does nothing to bytes that are shorter than a header.
pub fn set_offset_and_epoch(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    if let Some(h) = batch.first_chunk_mut::<BATCH_OVERHEAD>() {
        h[0..8].copy_from_slice(&base_offset.to_be_bytes());
        h[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    }
}

/// What a broker does for `message.timestamp.type=LogAppendTime`: one timestamp for the whole batch, and a new
/// checksum. `batch` must be exactly one v2 batch; bytes that are shorter than a header are left alone.
pub fn set_append_time(batch: &mut [u8], timestamp_ms: i64) {
    let Some(h) = batch.first_chunk_mut::<BATCH_OVERHEAD>() else { return };
    let attributes = i16::from_be_bytes([h[21], h[22]]) | APPEND_TIME;
    h[21..23].copy_from_slice(&attributes.to_be_bytes());
    h[35..43].copy_from_slice(&timestamp_ms.to_be_bytes());
    let crc = crc32c::crc32c(batch.get(21..).unwrap_or(&[]));
    if let Some(h) = batch.first_chunk_mut::<BATCH_OVERHEAD>() {
        h[17..21].copy_from_slice(&crc.to_be_bytes());
    }
}
