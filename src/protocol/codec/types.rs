//! Types of the protocol that Rust has no word for: UUIDs and record sets.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// A 16-byte id of a topic, a directory or a client instance; as text the unpadded base64url that Kafka prints.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// All bits zero: "no id".
    pub const ZERO: Uuid = Uuid([0; 16]);
    /// Length of the text form.
    const TEXT: usize = 22;

    /// Whether this is [`Uuid::ZERO`], which stands for "no id".
    pub fn is_zero(self) -> bool {
        self == Uuid::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let mut text = String::with_capacity(Uuid::TEXT);
        for i in 0..Uuid::TEXT {
            // 21 digits of six bits from the top; the last digit holds two bits and four of padding.
            let six = match 122_usize.checked_sub(i.wrapping_mul(6)) {
                Some(shift) => bits.checked_shr(shift as u32).unwrap_or(0),
                None => bits.wrapping_shl(4),
            };
            text.push(DIGITS.get((six & 63) as usize).map_or('A', |&digit| char::from(digit)));
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not a UUID in base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UuidError;

impl fmt::Display for UuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID: 22 characters of base64url are expected")
    }
}

impl std::error::Error for UuidError {}

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Uuid, UuidError> {
        if text.len() != Uuid::TEXT {
            return Err(UuidError);
        }
        let mut bits = 0_u128;
        for (i, byte) in text.bytes().enumerate() {
            let digit = DIGITS.iter().position(|&d| d == byte).ok_or(UuidError)? as u128;
            // The last digit has two bits of the id; the four below them must be zero, or two texts name one id.
            let (width, value) = if i == 21 { (2, digit >> 4) } else { (6, digit) };
            if i == 21 && digit & 15 != 0 {
                return Err(UuidError);
            }
            bits = bits.wrapping_shl(width) | value;
        }
        Ok(Uuid(bits.to_be_bytes()))
    }
}

/// A field of record batches, kept as bytes: what is in them is for the `record` layer.
#[derive(Clone, Copy)]
pub enum Records<'a> {
    /// One piece; what decoding gives.
    Slice(&'a [u8]),
    /// Pieces that are sent one after the other, without a copy.
    Shared(&'a [Bytes]),
}

impl<'a> Records<'a> {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Records::Slice(bytes) => bytes.len(),
            Records::Shared(parts) => parts.iter().map(Bytes::len).fold(0, usize::saturating_add),
        }
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a field that was decoded, or that has at most one piece.
    pub fn as_slice(&self) -> Option<&'a [u8]> {
        match *self {
            Records::Slice(bytes) => Some(bytes),
            Records::Shared([]) => Some(&[]),
            Records::Shared([one]) => Some(one),
            Records::Shared(_) => None,
        }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let (slice, parts): (&[u8], &[Bytes]) = match *self {
            Records::Slice(bytes) => (bytes, &[]),
            Records::Shared(parts) => (&[], parts),
        };
        slice.iter().chain(parts.iter().flat_map(|part| part.iter())).copied()
    }
}

/// Equal when the bytes are, however they are cut into pieces.
impl PartialEq for Records<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.as_slice(), other.as_slice()) {
            (Some(a), Some(b)) => a == b,
            _ => self.len() == other.len() && self.bytes().eq(other.bytes()),
        }
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} bytes)", self.len())
    }
}
