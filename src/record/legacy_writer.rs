//! A writer of message formats v0 and v1, for tests and for the embedded cluster; the producer writes v2 only.

use super::compression::{CompressError, Compression, Compressor};

/// A message to be written in an old format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyMessage<'a> {
    pub offset: i64,
    /// Only in v1.
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// Whether v1 says LogAppendTime; an attribute of the message or wrapper.
pub const APPEND_TIME: u8 = 0x08;

/// Appends one message of format `magic` (0 or 1) with these attributes (codec and timestamp type).
pub fn write_message(out: &mut Vec<u8>, magic: u8, attributes: u8, message: &LegacyMessage<'_>) {
    let mut body = vec![magic, attributes];
    if magic == 1 {
        body.extend_from_slice(&message.timestamp_ms.to_be_bytes());
    }
    for field in [message.key, message.value] {
        body.extend_from_slice(&field.map_or(-1, |f| f.len() as i32).to_be_bytes());
        body.extend_from_slice(field.unwrap_or(&[]));
    }
    out.extend_from_slice(&message.offset.to_be_bytes());
    out.extend_from_slice(&(body.len().saturating_add(4) as i32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    out.extend_from_slice(&body);
}

/// Appends a compressed message set: `messages` have absolute offsets, which v1 turns into relative ones.
pub fn write_compressed(
    out: &mut Vec<u8>,
    magic: u8,
    attributes: u8,
    codec: Compression,
    messages: &[LegacyMessage<'_>],
    compressor: &mut Compressor,
) -> Result<(), CompressError> {
    let first = messages.first().map_or(0, |m| m.offset);
    let mut inner = Vec::new();
    for message in messages {
        let offset = if magic == 0 { message.offset } else { message.offset.saturating_sub(first) };
        write_message(&mut inner, magic, 0, &LegacyMessage { offset, ..*message });
    }
    let value = compressor.compress(codec, codec.default_level(), &inner)?;
    let wrapper = LegacyMessage {
        offset: messages.last().map_or(0, |m| m.offset),
        timestamp_ms: messages.iter().map(|m| m.timestamp_ms).max().unwrap_or(-1),
        key: None,
        value: Some(value),
    };
    write_message(out, magic, attributes | codec.id(), &wrapper);
    Ok(())
}
