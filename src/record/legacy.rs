//! Message formats v0 and v1 (brokers before 0.11, and old segments that newer ones still serve).
//!
//! ```text
//! offset i64, size i32 (of what follows), crc-32 u32 (of what follows), magic i8, attributes i8,
//! [v1: timestamp i64,] key (i32 length, -1 null), value (the same)
//! ```
//! A compressed message set is one message, the wrapper, whose value is a message set. Its offset is that of
//! its last inner message; inner offsets are absolute in v0 and relative in v1.

use super::error::{Problem, RecordError};
use super::header::{be32, be64, LOG_OVERHEAD};
use super::view::{Frame, Record, Span};
use super::TimestampType;

pub(super) const CODEC_MASK: u8 = 0x07;
const APPEND_TIME: u8 = 0x08;

/// The least value of the size field: crc, magic, attributes, [timestamp,] two lengths.
pub(super) fn least_size(magic: u8) -> i32 {
    if magic == 0 {
        14
    } else {
        22
    }
}

/// A message as it stands in its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub offset: i64,
    /// Bytes that it takes, offset and size included.
    pub size: usize,
    pub magic: u8,
    pub attributes: u8,
    /// -1 in v0.
    pub timestamp_ms: i64,
    pub key: Span,
    pub value: Span,
    crc: u32,
}

impl Message {
    /// Parses the message at `position` of `block`, which must hold it whole.
    pub fn parse(block: &[u8], position: usize) -> Result<Message, &'static str> {
        let entry = block.get(position..).unwrap_or(&[]);
        let magic = *entry.get(16).ok_or("cut in its header")?;
        if magic > 1 {
            return Err("inner message of an unknown format");
        }
        let size = be32(entry, 8);
        if size < least_size(magic) {
            return Err("size field smaller than a message");
        }
        let size = (size as usize).saturating_add(LOG_OVERHEAD);
        let entry = entry.get(..size).ok_or("longer than its message set")?;
        let mut at = if magic == 0 { 18 } else { 26 };
        let key = field(entry, &mut at, position).ok_or("bad key length")?;
        let value = field(entry, &mut at, position).ok_or("bad value length")?;
        if at != size {
            return Err("shorter than its size field says");
        }
        Ok(Message {
            offset: be64(entry, 0),
            size,
            magic,
            attributes: entry.get(17).copied().unwrap_or(0),
            timestamp_ms: if magic == 0 { -1 } else { be64(entry, 18) },
            key,
            value,
            crc: be32(entry, 12) as u32,
        })
    }

    /// Compares the stored checksum with the bytes.
    pub fn check_crc(&self, block: &[u8], position: usize) -> Result<(), Problem> {
        let end = position.saturating_add(self.size);
        let computed = crc32fast::hash(block.get(position.saturating_add(16)..end).unwrap_or(&[]));
        if computed == self.crc {
            Ok(())
        } else {
            Err(Problem::Crc { stored: self.crc, computed })
        }
    }

    pub fn codec(&self) -> u8 {
        self.attributes & CODEC_MASK
    }

    pub fn timestamp_type(&self) -> TimestampType {
        match (self.magic, self.attributes & APPEND_TIME) {
            (0, _) => TimestampType::None,
            (_, 0) => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }
}

/// A nullable field with an i32 length at `at` of `entry`; moves `at` behind it.
fn field(entry: &[u8], at: &mut usize, position: usize) -> Option<Span> {
    let start = at.checked_add(4)?;
    entry.get(*at..start)?;
    let len = be32(entry, *at);
    *at = start;
    if len == -1 {
        return Some(Span::NULL);
    }
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    entry.get(start..end)?;
    *at = end;
    Some(Span { start: u32::try_from(position.checked_add(start)?).ok()?, len })
}

/// Walks over a whole message set and gives the offset of its last message.
pub(super) fn last_inner_offset(block: &[u8]) -> Result<i64, Problem> {
    let (mut position, mut index, mut last) = (0usize, 0u32, None);
    while position < block.len() {
        let message = Message::parse(block, position).map_err(|why| problem(index, position, why))?;
        if message.codec() != 0 {
            return Err(problem(index, position, "compressed message in a compressed message set"));
        }
        last = Some(message.offset);
        position = position.saturating_add(message.size);
        index = index.saturating_add(1);
    }
    last.ok_or(problem(0, 0, "no message in a compressed message set"))
}

fn problem(index: u32, position: usize, why: &'static str) -> Problem {
    Problem::Record { index, position: position as u32, why }
}

/// Where the iteration over a message set is.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegacyCursor {
    position: usize,
    index: u32,
    /// Added to the offsets that stand in the messages.
    offset_shift: i64,
    check_crcs: bool,
}

impl LegacyCursor {
    pub fn new(offset_shift: i64, check_crcs: bool) -> LegacyCursor {
        LegacyCursor { position: 0, index: 0, offset_shift, check_crcs }
    }

    /// The next message as a record; for LogAppendTime it has the time of the set.
    pub fn next(&mut self, block: &[u8], frame: &Frame) -> Option<Result<Record, RecordError>> {
        if self.position >= block.len() {
            return None;
        }
        let parsed = Message::parse(block, self.position)
            .map_err(|why| problem(self.index, self.position, why))
            .and_then(
                |m| if self.check_crcs { m.check_crc(block, self.position).map(|()| m) } else { Ok(m) },
            );
        let message = match parsed {
            Ok(message) => message,
            Err(problem) => {
                return Some(Err(RecordError {
                    base_offset: frame.base_offset,
                    next_offset: frame.next_offset,
                    problem,
                }))
            }
        };
        self.position = self.position.saturating_add(message.size);
        self.index = self.index.saturating_add(1);
        let append_time = frame.timestamp_type == TimestampType::LogAppendTime;
        Some(Ok(Record {
            offset: message.offset.wrapping_add(self.offset_shift),
            timestamp_ms: if append_time { frame.base_timestamp } else { message.timestamp_ms },
            key: message.key,
            value: message.value,
            header_count: 0,
            headers: Span::NULL,
        }))
    }
}
