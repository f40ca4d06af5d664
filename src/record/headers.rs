//! Record headers: name and value pairs; names may repeat, values may be null.

use super::buffer::ByteBufferOutputStream;
use super::varint::{take_varint, varint_size};
use bytes::BytesMut;

/// One header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// UTF-8 by Kafka's rules; kept as it is, not checked.
    pub name: &'a [u8],
    /// `None` is null, which is not the same as empty.
    pub value: Option<&'a [u8]>,
}

/// The headers of a record to be written.
#[derive(Clone, Copy, Debug)]
pub enum Headers<'a> {
    Slice(&'a [Header<'a>]),
    /// As they are on the wire, after the count; from [`super::Record::headers`], to copy a record unread.
    Encoded {
        count: u32,
        bytes: &'a [u8],
    },
}

impl Headers<'_> {
    pub const NONE: Headers<'static> = Headers::Slice(&[]);

    /// How many there are.
    #[inline]
    pub fn count(&self) -> usize {
        match self {
            Headers::Slice(headers) => headers.len(),
            Headers::Encoded { count, .. } => *count as usize,
        }
    }

    /// Bytes on the wire without the count in front.
    pub fn encoded_size(&self) -> usize {
        match self {
            Headers::Encoded { bytes, .. } => bytes.len(),
            Headers::Slice(headers) => headers.iter().fold(0usize, |sum, h| {
                sum.saturating_add(nullable_size(Some(h.name))).saturating_add(nullable_size(h.value))
            }),
        }
    }

    /// Writes them as they are on the wire, without the count, into exactly [`encoded_size`](Self::encoded_size)
    /// bytes.
    pub fn encode_to(&self, to: &mut [u8]) {
        match self {
            Headers::Slice([]) => {}
            Headers::Slice(headers) => {
                let mut encoded = ByteBufferOutputStream::new(BytesMut::zeroed(to.len()));
                for h in *headers {
                    encoded.put_nullable(Some(h.name));
                    encoded.put_nullable(h.value);
                }
                to.copy_from_slice(encoded.as_ref());
            }
            Headers::Encoded { bytes, .. } => to.copy_from_slice(bytes),
        }
    }
}

impl Default for Headers<'_> {
    fn default() -> Self {
        Headers::NONE
    }
}

impl<'a> From<&'a [Header<'a>]> for Headers<'a> {
    fn from(headers: &'a [Header<'a>]) -> Self {
        Headers::Slice(headers)
    }
}

/// Bytes of a length-prefixed nullable field. A length beyond 32 bits counts as it is: the record is refused
/// for its size before it is written.
pub(super) fn nullable_size(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => 1,
        Some(b) => varint_size(i32::try_from(b.len()).unwrap_or(i32::MAX)).saturating_add(b.len()),
    }
}

/// The headers of a record that was read, in their order. The bytes were checked when the record was; on other
/// bytes the iteration ends where they stop making sense.
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    left: u32,
    bytes: &'a [u8],
}

impl<'a> HeaderIter<'a> {
    pub fn new(count: u32, bytes: &'a [u8]) -> HeaderIter<'a> {
        HeaderIter { left: count, bytes }
    }
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        let header = take_header(&mut self.bytes);
        if header.is_none() {
            self.left = 0;
        }
        header
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}

/// Takes one header off the front; nothing when it is cut or has a negative length that means nothing.
pub(super) fn take_header<'a>(bytes: &mut &'a [u8]) -> Option<Header<'a>> {
    let name = take_nullable(bytes)??;
    let value = take_nullable(bytes)?;
    Some(Header { name, value })
}

/// Takes a length-prefixed nullable field off the front; the outer `None` is an error.
#[inline]
pub(super) fn take_nullable<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = take_varint(bytes)?;
    if length == -1 {
        return Some(None);
    }
    let (field, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(Some(field))
}
