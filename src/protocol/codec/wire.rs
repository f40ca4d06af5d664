//! [`Wire`]: what every element of an array can do.

use super::{DecodeError, EncodeError, Reader, Uuid, What, Writer};

/// A type that stands on the wire by itself: a primitive or a generated structure.
pub trait Wire<'a>: Sized {
    /// No value in any version takes fewer bytes than this; at least 1.
    const MIN_SIZE: usize;

    /// Reads one; `flexible` chooses compact lengths and tagged fields.
    fn read(r: &mut Reader<'a>, version: i16, flexible: bool) -> Result<Self, DecodeError>;

    /// Appends one.
    fn write(&self, w: &mut Writer, version: i16, flexible: bool) -> Result<(), EncodeError>;

    /// Reads `count` of them. The caller has checked that `count * MIN_SIZE` bytes are left.
    fn read_many(
        r: &mut Reader<'a>,
        count: usize,
        version: i16,
        flexible: bool,
    ) -> Result<Vec<Self>, DecodeError> {
        // The count is only a claim. What is allocated ahead of decoding stays within a few times the bytes that
        // are there; the rest grows with what was really decoded.
        let justified = r.remaining().saturating_mul(4).checked_div(size_of::<Self>()).unwrap_or(0);
        let mut all = Vec::with_capacity(count.min(justified.max(1)).min(4096));
        for _ in 0..count {
            all.push(Self::read(r, version, flexible)?);
        }
        Ok(all)
    }
}

macro_rules! fixed {
    ($type:ty, $size:literal, $read:ident, $put:ident, $what:expr, $from:expr) => {
        impl<'a> Wire<'a> for $type {
            const MIN_SIZE: usize = $size;
            #[inline]
            fn read(r: &mut Reader<'a>, _: i16, _: bool) -> Result<Self, DecodeError> {
                r.$read()
            }
            #[inline]
            fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
                w.$put(*self);
                Ok(())
            }
            fn read_many(r: &mut Reader<'a>, n: usize, _: i16, _: bool) -> Result<Vec<Self>, DecodeError> {
                let bytes = r.take(n.saturating_mul($size), $what)?;
                let one = |chunk: &[u8]| {
                    let mut copy = [0; $size];
                    copy.copy_from_slice(chunk);
                    $from(copy)
                };
                Ok(bytes.chunks_exact($size).map(one).collect())
            }
        }
    };
}

fixed!(bool, 1, bool, put_bool, What::Bool, |bytes| bytes != [0]);
fixed!(i8, 1, i8, put_i8, What::Int8, i8::from_be_bytes);
fixed!(i16, 2, i16, put_i16, What::Int16, i16::from_be_bytes);
fixed!(u16, 2, u16, put_u16, What::Int16, u16::from_be_bytes);
fixed!(i32, 4, i32, put_i32, What::Int32, i32::from_be_bytes);
fixed!(u32, 4, u32, put_u32, What::Int32, u32::from_be_bytes);
fixed!(i64, 8, i64, put_i64, What::Int64, i64::from_be_bytes);
fixed!(f64, 8, f64, put_f64, What::Float64, f64::from_be_bytes);
fixed!(Uuid, 16, uuid, put_uuid, What::Uuid, Uuid);

impl<'a> Wire<'a> for &'a str {
    const MIN_SIZE: usize = 1;
    #[inline]
    fn read(r: &mut Reader<'a>, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.str(flexible)
    }
    #[inline]
    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.put_str(flexible, self)
    }
}

impl<'a> Wire<'a> for &'a [u8] {
    const MIN_SIZE: usize = 1;
    #[inline]
    fn read(r: &mut Reader<'a>, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.bytes(flexible)
    }
    #[inline]
    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.put_bytes(flexible, self)
    }
}
