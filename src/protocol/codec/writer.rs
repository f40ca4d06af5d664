//! Writing: one growing buffer, with shared bytes kept apart so that they reach the socket without a copy.

use bytes::Bytes;

use super::reader::MAX_STRING;
use super::{EncodeError, Records, Uuid, What, Wire};

type Result<T> = std::result::Result<T, EncodeError>;

/// Shared bytes up to this number are copied.
const COPIED: usize = 128;

/// Collects the bytes of messages. Small things are copied into one buffer; [`put_shared`](Writer::put_shared)
/// cuts it, so that [`finish`](Writer::finish) gives the segments of a vectored write.
#[derive(Debug, Default)]
pub struct Writer {
    buf: Vec<u8>,
    /// Shared bytes and the length of `buf` before them, in order.
    shared: Vec<(usize, Bytes)>,
    shared_len: usize,
}

impl Writer {
    /// An empty writer; nothing is allocated yet.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// An empty writer with room for `n` bytes.
    pub fn with_capacity(n: usize) -> Writer {
        Writer { buf: Vec::with_capacity(n), ..Writer::default() }
    }

    /// A writer that starts with room for the size of a frame; end it with [`finish_frame`](Writer::finish_frame).
    pub fn frame() -> Writer {
        let mut w = Writer::with_capacity(256);
        w.put_i32(0);
        w
    }

    /// How many bytes were put, the shared ones included.
    pub fn len(&self) -> usize {
        self.buf.len().saturating_add(self.shared_len)
    }

    /// Whether nothing was put.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segments, in order, none of them empty.
    pub fn finish(self) -> Vec<Bytes> {
        let own = Bytes::from(self.buf);
        let mut segments = Vec::with_capacity(self.shared.len().saturating_mul(2).saturating_add(1));
        let mut from = 0;
        for (to, bytes) in self.shared {
            if to > from {
                segments.push(own.slice(from..to));
            }
            segments.push(bytes);
            from = to;
        }
        if own.len() > from {
            segments.push(own.slice(from..));
        }
        segments
    }

    /// The segments of a frame begun by [`Writer::frame`], its size filled in. Fails above 2 GiB.
    pub fn finish_frame(mut self) -> Result<Vec<Bytes>> {
        let length = self.len().saturating_sub(4);
        let size = i32::try_from(length).map_err(|_| EncodeError::TooLong { what: What::Frame, length })?;
        if let Some(head) = self.buf.first_chunk_mut::<4>() {
            *head = size.to_be_bytes();
        }
        Ok(self.finish())
    }

    /// All bytes in one piece; copies when there are shared ones.
    pub fn into_bytes(self) -> Bytes {
        if self.shared.is_empty() {
            return Bytes::from(self.buf);
        }
        let mut all = Vec::with_capacity(self.len());
        for segment in self.finish() {
            all.extend_from_slice(&segment);
        }
        Bytes::from(all)
    }

    /// Bytes as they are.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Bytes as they are, held by reference count and not copied. A few are: a segment of their own would cost more.
    pub fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() <= COPIED {
            self.put_slice(bytes);
        } else {
            self.shared_len = self.shared_len.saturating_add(bytes.len());
            self.shared.push((self.buf.len(), bytes.clone()));
        }
    }

    /// A boolean, as 0 or 1.
    #[inline]
    pub fn put_bool(&mut self, value: bool) {
        self.buf.push(u8::from(value));
    }
    /// A signed byte.
    #[inline]
    pub fn put_i8(&mut self, value: i8) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian 16-bit integer.
    #[inline]
    pub fn put_i16(&mut self, value: i16) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian unsigned 16-bit integer.
    #[inline]
    pub fn put_u16(&mut self, value: u16) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian 32-bit integer.
    #[inline]
    pub fn put_i32(&mut self, value: i32) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian unsigned 32-bit integer.
    #[inline]
    pub fn put_u32(&mut self, value: u32) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian 64-bit integer.
    #[inline]
    pub fn put_i64(&mut self, value: i64) {
        self.put_slice(&value.to_be_bytes());
    }
    /// A big-endian IEEE 754 double.
    #[inline]
    pub fn put_f64(&mut self, value: f64) {
        self.put_slice(&value.to_be_bytes());
    }
    /// 16 bytes.
    #[inline]
    pub fn put_uuid(&mut self, value: Uuid) {
        self.put_slice(&value.0);
    }

    /// An unsigned variable-length integer.
    #[inline]
    pub fn put_uvarint(&mut self, value: u32) {
        self.put_uvarlong(u64::from(value));
    }

    /// An unsigned variable-length integer of 64 bits.
    #[inline]
    pub fn put_uvarlong(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.buf.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.buf.push(value as u8);
    }

    /// A zigzag variable-length integer of 32 bits.
    #[inline]
    pub fn put_varint(&mut self, value: i32) {
        self.put_uvarint((value.wrapping_shl(1) ^ (value >> 31)) as u32);
    }

    /// A zigzag variable-length integer of 64 bits.
    #[inline]
    pub fn put_varlong(&mut self, value: i64) {
        self.put_uvarlong((value.wrapping_shl(1) ^ (value >> 63)) as u64);
    }

    /// A length: 16 bits for a string, else 32 bits, or the compact form; `None` is null.
    #[inline]
    fn put_length(&mut self, flexible: bool, length: Option<usize>, what: What) -> Result<()> {
        let most = if what == What::Str { MAX_STRING } else { i32::MAX as usize };
        let length = match length {
            Some(length) if length > most => return Err(EncodeError::TooLong { what, length }),
            Some(length) => length as i32,
            None => -1,
        };
        if flexible {
            self.put_uvarint((length as u32).wrapping_add(1));
        } else if what == What::Str {
            self.put_i16(length as i16);
        } else {
            self.put_i32(length);
        }
        Ok(())
    }

    /// A string; `flexible` chooses the compact length. Fails above 32,767 bytes.
    #[inline]
    pub fn put_str(&mut self, flexible: bool, value: &str) -> Result<()> {
        self.put_opt_str(flexible, Some(value))
    }

    /// A string that may be null.
    #[inline]
    pub fn put_opt_str(&mut self, flexible: bool, value: Option<&str>) -> Result<()> {
        self.put_length(flexible, value.map(str::len), What::Str)?;
        self.put_slice(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Bytes with their length.
    #[inline]
    pub fn put_bytes(&mut self, flexible: bool, value: &[u8]) -> Result<()> {
        self.put_opt_bytes(flexible, Some(value))
    }

    /// Bytes that may be null.
    #[inline]
    pub fn put_opt_bytes(&mut self, flexible: bool, value: Option<&[u8]>) -> Result<()> {
        self.put_length(flexible, value.map(<[u8]>::len), What::Bytes)?;
        self.put_slice(value.unwrap_or_default());
        Ok(())
    }

    /// A record set that may be null; shared pieces are not copied.
    pub fn put_records(&mut self, flexible: bool, value: Option<&Records<'_>>) -> Result<()> {
        self.put_length(flexible, value.map(Records::len), What::Records)?;
        match value {
            Some(Records::Slice(bytes)) => self.put_slice(bytes),
            Some(Records::Shared(parts)) => parts.iter().for_each(|part| self.put_shared(part)),
            None => {}
        }
        Ok(())
    }

    /// An array.
    pub fn put_array<'a, T: Wire<'a>>(&mut self, version: i16, flexible: bool, all: &[T]) -> Result<()> {
        self.put_length(flexible, Some(all.len()), What::Array)?;
        all.iter().try_for_each(|one| one.write(self, version, flexible))
    }

    /// An array that may be null.
    pub fn put_opt_array<'a, T: Wire<'a>>(
        &mut self,
        version: i16,
        flexible: bool,
        all: Option<&Vec<T>>,
    ) -> Result<()> {
        match all {
            Some(all) => self.put_array(version, flexible, all),
            None => self.put_length(flexible, None, What::Array),
        }
    }

    /// A structure that may be null.
    pub fn put_opt_struct<'a, T: Wire<'a>>(
        &mut self,
        version: i16,
        flexible: bool,
        one: Option<&T>,
    ) -> Result<()> {
        match one {
            Some(one) => {
                self.put_i8(1);
                one.write(self, version, flexible)
            }
            None => {
                self.put_i8(-1);
                Ok(())
            }
        }
    }

    /// The tagged fields of a structure.
    #[inline]
    pub fn put_tags(&mut self, tags: Tags) {
        self.put_uvarint(tags.count);
        self.put_slice(&tags.fields);
    }

    /// No tagged fields.
    #[inline]
    pub fn put_no_tags(&mut self) {
        self.buf.push(0);
    }
}

/// Tagged fields being collected: their count and sizes stand before them. They are small and most often none, so
/// they are copied, and shared bytes in them, too.
#[derive(Debug, Default)]
pub struct Tags {
    count: u32,
    fields: Vec<u8>,
}

impl Tags {
    /// No fields yet.
    pub fn new() -> Tags {
        Tags::default()
    }

    /// Adds a field. Tags must be put in ascending order.
    pub fn put(&mut self, tag: u32, write: impl FnOnce(&mut Writer) -> Result<()>) -> Result<()> {
        let mut field = Writer::new();
        write(&mut field)?;
        let length = field.len();
        let size =
            u32::try_from(length).map_err(|_| EncodeError::TooLong { what: What::TaggedField, length })?;
        let mut all = Writer { buf: std::mem::take(&mut self.fields), ..Writer::default() };
        all.put_uvarint(tag);
        all.put_uvarint(size);
        all.put_slice(&field.into_bytes());
        self.fields = all.buf;
        self.count = self.count.wrapping_add(1);
        Ok(())
    }
}

impl EncodeError {
    /// Fails with [`EncodeError::Absent`] if `set`: the field has a value that this version would lose.
    #[inline]
    pub fn if_lost(set: bool, field: &'static str, version: i16) -> Result<()> {
        if set {
            return Err(EncodeError::Absent { field, version });
        }
        Ok(())
    }

    /// Fails with [`EncodeError::Null`] if `null`: this version has no null there.
    #[inline]
    pub fn if_null(null: bool, field: &'static str, version: i16) -> Result<()> {
        if null {
            return Err(EncodeError::Null { field, version });
        }
        Ok(())
    }
}
