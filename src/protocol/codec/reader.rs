//! Reading: a cursor over borrowed bytes that checks every length against the bytes left.

use super::{DecodeError, Records, Uuid, What, Wire};

type Result<T> = std::result::Result<T, DecodeError>;

/// A cursor over bytes; what it gives borrows from them. After an error its position is undefined.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Position of the end of `rest` in what the outermost reader was made of, so that errors name that position
    /// inside a tagged field, too.
    end: usize,
}

/// Strings are limited to this by their 16-bit length; the compact form keeps the limit.
pub(super) const MAX_STRING: usize = i16::MAX as usize;

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, end: bytes.len() }
    }

    /// How many bytes are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// The bytes left, without reading them.
    pub fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Fails if bytes are left.
    pub fn finish(&self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(DecodeError::Trailing { at: self.at(), left: small(self.rest.len()) })
    }

    fn at(&self) -> u32 {
        small(self.position())
    }

    #[cold]
    fn truncated(&self, what: What, need: usize) -> DecodeError {
        DecodeError::Truncated { what, at: self.at(), need: small(need), left: small(self.rest.len()) }
    }

    #[cold]
    fn bad_length(&self, what: What, length: i32) -> DecodeError {
        DecodeError::Length { what, at: self.at(), length }
    }

    #[inline]
    fn chunk<const N: usize>(&mut self, what: What) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(*head)
            }
            None => Err(self.truncated(what, N)),
        }
    }

    /// The next `n` bytes.
    #[inline]
    pub fn take(&mut self, n: usize, what: What) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(n) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(self.truncated(what, n)),
        }
    }

    /// A boolean: any byte but zero is true.
    #[inline]
    pub fn bool(&mut self) -> Result<bool> {
        Ok(self.chunk::<1>(What::Bool)? != [0])
    }
    /// A signed byte.
    #[inline]
    pub fn i8(&mut self) -> Result<i8> {
        Ok(i8::from_be_bytes(self.chunk(What::Int8)?))
    }
    /// A big-endian 16-bit integer.
    #[inline]
    pub fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.chunk(What::Int16)?))
    }
    /// A big-endian unsigned 16-bit integer.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.chunk(What::Int16)?))
    }
    /// A big-endian 32-bit integer.
    #[inline]
    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.chunk(What::Int32)?))
    }
    /// A big-endian unsigned 32-bit integer.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.chunk(What::Int32)?))
    }
    /// A big-endian 64-bit integer.
    #[inline]
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_be_bytes(self.chunk(What::Int64)?))
    }
    /// A big-endian IEEE 754 double.
    #[inline]
    pub fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.chunk(What::Float64)?))
    }
    /// 16 bytes.
    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid> {
        Ok(Uuid(self.chunk(What::Uuid)?))
    }

    /// An unsigned variable-length integer of at most 32 bits: 7 bits a byte, the lowest first.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32> {
        match self.rest.split_first() {
            Some((&byte, tail)) if byte < 0x80 => {
                self.rest = tail;
                Ok(u32::from(byte))
            }
            _ => {
                let at = self.at();
                u32::try_from(self.long_varint(5)?).map_err(|_| DecodeError::Varint { at })
            }
        }
    }

    /// An unsigned variable-length integer of at most 64 bits.
    #[inline]
    pub fn uvarlong(&mut self) -> Result<u64> {
        match self.rest.split_first() {
            Some((&byte, tail)) if byte < 0x80 => {
                self.rest = tail;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(10),
        }
    }

    /// A zigzag variable-length integer of at most 32 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<i32> {
        let n = self.uvarint()?;
        Ok((n >> 1) as i32 ^ ((n & 1) as i32).wrapping_neg())
    }

    /// A zigzag variable-length integer of at most 64 bits.
    #[inline]
    pub fn varlong(&mut self) -> Result<i64> {
        let n = self.uvarlong()?;
        Ok((n >> 1) as i64 ^ ((n & 1) as i64).wrapping_neg())
    }

    /// A variable-length integer of up to `most` bytes.
    fn long_varint(&mut self, most: usize) -> Result<u64> {
        let mut value = 0_u64;
        for (i, &byte) in self.rest.iter().take(most).enumerate() {
            let bits = u64::from(byte & 0x7f);
            let shift = (i as u32).wrapping_mul(7);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Varint { at: self.at() });
            }
            value |= bits.wrapping_shl(shift);
            if byte < 0x80 {
                self.rest = self.rest.get(i.wrapping_add(1)..).unwrap_or_default();
                return Ok(value);
            }
        }
        if self.rest.len() < most {
            return Err(self.truncated(What::Varint, self.rest.len().saturating_add(1)));
        }
        Err(DecodeError::Varint { at: self.at() })
    }

    /// A length of a string (16 bits) or of anything else (32 bits), or its compact form; `None` is null.
    #[inline]
    fn length(&mut self, flexible: bool, what: What) -> Result<Option<usize>> {
        if flexible {
            let length = self.uvarint()?;
            return match length.checked_sub(1) {
                Some(n) if n <= i32::MAX as u32 => Ok(Some(n as usize)),
                Some(_) => Err(self.bad_length(what, i32::MAX)),
                None => Ok(None),
            };
        }
        let length = if what == What::Str { i32::from(self.i16()?) } else { self.i32()? };
        match usize::try_from(length) {
            Ok(n) => Ok(Some(n)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(self.bad_length(what, length)),
        }
    }

    #[inline]
    fn non_null<T>(&self, value: Option<T>, what: What) -> Result<T> {
        value.ok_or_else(|| DecodeError::Null { what, at: self.at() })
    }

    /// Fails when `value` is null although this version has no null there.
    pub fn null_only_if<T>(&self, nullable: bool, value: &Option<T>, what: What) -> Result<()> {
        if nullable || value.is_some() {
            return Ok(());
        }
        Err(DecodeError::Null { what, at: self.at() })
    }

    /// A string that may be null; `flexible` chooses the compact length.
    #[inline]
    pub fn opt_str(&mut self, flexible: bool) -> Result<Option<&'a str>> {
        let Some(n) = self.length(flexible, What::Str)? else { return Ok(None) };
        if n > MAX_STRING {
            return Err(self.bad_length(What::Str, n as i32));
        }
        let at = self.at();
        let bytes = self.take(n, What::Str)?;
        std::str::from_utf8(bytes).map(Some).map_err(|_| DecodeError::Utf8 { at })
    }

    /// A string.
    #[inline]
    pub fn str(&mut self, flexible: bool) -> Result<&'a str> {
        let value = self.opt_str(flexible)?;
        self.non_null(value, What::Str)
    }

    /// Bytes that may be null.
    #[inline]
    pub fn opt_bytes(&mut self, flexible: bool) -> Result<Option<&'a [u8]>> {
        match self.length(flexible, What::Bytes)? {
            Some(n) => self.take(n, What::Bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Bytes.
    #[inline]
    pub fn bytes(&mut self, flexible: bool) -> Result<&'a [u8]> {
        let value = self.opt_bytes(flexible)?;
        self.non_null(value, What::Bytes)
    }

    /// A record set that may be null.
    #[inline]
    pub fn records(&mut self, flexible: bool) -> Result<Option<Records<'a>>> {
        match self.length(flexible, What::Records)? {
            Some(n) => Ok(Some(Records::Slice(self.take(n, What::Records)?))),
            None => Ok(None),
        }
    }

    /// An array that may be null. Its declared count is held against the bytes left before anything is allocated.
    pub fn opt_array<T: Wire<'a>>(&mut self, version: i16, flexible: bool) -> Result<Option<Vec<T>>> {
        let Some(n) = self.length(flexible, What::Array)? else { return Ok(None) };
        let need = n.saturating_mul(T::MIN_SIZE);
        if need > self.rest.len() {
            return Err(self.truncated(What::Array, need));
        }
        T::read_many(self, n, version, flexible).map(Some)
    }

    /// An array.
    pub fn array<T: Wire<'a>>(&mut self, version: i16, flexible: bool) -> Result<Vec<T>> {
        let value = self.opt_array(version, flexible)?;
        self.non_null(value, What::Array)
    }

    /// A structure that may be null.
    pub fn opt_struct<T: Wire<'a>>(&mut self, version: i16, flexible: bool) -> Result<Option<T>> {
        match self.i8()? {
            -1 => Ok(None),
            1 => T::read(self, version, flexible).map(Some),
            other => Err(self.bad_length(What::Struct, i32::from(other))),
        }
    }

    /// Tagged fields. `field` reads the field of a tag that it knows from a reader that ends with the field and
    /// answers true; fields with other tags are skipped. Tags must ascend, and a known field must fill its size.
    pub fn tags(&mut self, mut field: impl FnMut(u32, &mut Reader<'a>) -> Result<bool>) -> Result<()> {
        let count = self.uvarint()?;
        let mut last = None;
        for _ in 0..count {
            let at = self.at();
            let tag = self.uvarint()?;
            if last.is_some_and(|last| tag <= last) {
                return Err(DecodeError::TagOrder { at, tag });
            }
            last = Some(tag);
            let size = self.uvarint()? as usize;
            let bytes = self.take(size, What::TaggedField)?;
            let mut inner = Reader { rest: bytes, end: self.position() };
            if field(tag, &mut inner)? && !inner.rest.is_empty() {
                return Err(DecodeError::TagSize { at: inner.at(), tag, left: small(inner.rest.len()) });
            }
        }
        Ok(())
    }

    /// Tagged fields of a structure that knows none.
    #[inline]
    pub fn skip_tags(&mut self) -> Result<()> {
        if let Some((0, tail)) = self.rest.split_first() {
            self.rest = tail;
            return Ok(());
        }
        self.tags(|_, _| Ok(false))
    }
}

/// A position or length for an error; frames are smaller than 2 GiB, larger numbers can only come from tests.
fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
