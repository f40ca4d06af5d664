//! A v2 record, any that the format allows: every number of any width, headers, and a reason when it is corrupt.

use super::headers::take_header;
use super::varint::{take_varint, take_varlong};
use super::view::Span;

/// The least bytes of a record: its length, and one byte each for attributes, timestamp and offset delta, key and
/// value length and the number of headers.
pub(super) const LEAST_RECORD: usize = 7;

/// A record as it stands in its block.
pub(super) struct RawRecord {
    /// Bytes that it takes, its length included.
    pub size: usize,
    pub timestamp_delta: i64,
    pub offset_delta: u32,
    pub key: Span,
    pub value: Span,
    pub header_count: u32,
    pub headers: Span,
}

/// Parses the record at the front of `input`, which stands at `position` in its block. Headers are walked over
/// once, so that reading them later can't fail.
pub(super) fn parse_record(
    input: &[u8],
    position: usize,
    last_offset_delta: u32,
) -> Result<RawRecord, &'static str> {
    let mut rest = input;
    let length = take_varint(&mut rest).ok_or("no length")?;
    let length = usize::try_from(length).map_err(|_| "negative length")?;
    let mut body = rest.get(..length).ok_or("longer than its batch")?;
    let size = input.len().wrapping_sub(rest.len()).wrapping_add(length);
    let position_of = |left: &[u8]| position.wrapping_add(size).wrapping_sub(left.len()) as u32;

    let (_attributes, after) = body.split_first().ok_or("no attributes")?;
    body = after;
    let timestamp_delta = take_varlong(&mut body).ok_or("bad timestamp delta")?;
    let offset_delta = take_varint(&mut body).ok_or("bad offset delta")?;
    let offset_delta = u32::try_from(offset_delta).map_err(|_| "negative offset delta")?;
    if offset_delta > last_offset_delta {
        return Err("offset behind the batch's last offset");
    }
    let key = take_span(&mut body, position_of).ok_or("bad key length")?;
    let value = take_span(&mut body, position_of).ok_or("bad value length")?;
    let count = take_varint(&mut body).ok_or("bad number of headers")?;
    let header_count = u32::try_from(count).map_err(|_| "negative number of headers")?;
    let headers = Span { start: position_of(body), len: body.len() as i32 };
    for _ in 0..header_count {
        take_header(&mut body).ok_or("bad header")?;
    }
    if !body.is_empty() {
        return Err("shorter than its length says");
    }
    let headers = if header_count == 0 { Span::NULL } else { headers };
    Ok(RawRecord { size, timestamp_delta, offset_delta, key, value, header_count, headers })
}

/// Takes a length-prefixed nullable field off the front.
fn take_span(body: &mut &[u8], position_of: impl Fn(&[u8]) -> u32) -> Option<Span> {
    let len = take_varint(body)?;
    if len == -1 {
        return Some(Span::NULL);
    }
    let start = position_of(body);
    *body = body.get(usize::try_from(len).ok()?..)?;
    Some(Span { start, len })
}
