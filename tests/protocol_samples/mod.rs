//! Random values of every message in every version, for the tests of the protocol layer.
//!
//! `table.rs` is generated with the messages: it says which versions have a field and where it can be null. The
//! rest follows from the fields' types.

// Every test that includes this module uses a part of it.
#![allow(dead_code)]

use milena::protocol::{DecodeError, EncodeError, Message, Records, Uuid, Writer};

/// A source of values that prefers those at the edges.
pub struct Gen {
    rng: fastrand::Rng,
}

/// Strings and bytes are borrowed from here.
static TEXT: &str = "The quick brown fox jumps over the lazy dog while twelve jolly émigrés quiz the vexed 東京 judge; \
    pack my box with five dozen liquor jugs, and sphinx of black quartz, hear my vow: 0123456789 is not a topic name.";

impl Gen {
    pub fn new(seed: u64) -> Gen {
        Gen { rng: fastrand::Rng::with_seed(seed) }
    }

    /// Whether a field is null, given its version and the versions in which it may be.
    fn null(&mut self, v: i16, lo: i16, hi: i16) -> bool {
        (lo..=hi).contains(&v) && self.rng.u8(..3) == 0
    }

    fn bits(&mut self) -> u64 {
        match self.rng.u8(..6) {
            0 => 0,
            1 => u64::MAX,
            2 => i64::MAX as u64,
            3 => 1 << self.rng.u32(..64),
            4 => self.rng.u64(..300),
            _ => self.rng.u64(..),
        }
    }

    /// A length that now and then needs two bytes in compact form.
    fn len(&mut self, common: usize, rare: usize) -> usize {
        match self.rng.u8(..40) {
            0 => rare,
            n if n < 8 => 0,
            _ => self.rng.usize(..=common),
        }
    }

    fn text(&mut self) -> &'static str {
        let mut to = self.len(12, 140);
        while !TEXT.is_char_boundary(to) {
            to += 1;
        }
        &TEXT[..to]
    }
}

/// A type of which a random value can be had.
pub trait Sample {
    fn sample(g: &mut Gen, v: i16) -> Self;
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Sample for $type {
            fn sample(g: &mut Gen, _: i16) -> Self {
                g.bits() as $type
            }
        })*
    };
}
numbers!(i8 i16 u16 i32 u32 i64);

impl Sample for bool {
    fn sample(g: &mut Gen, _: i16) -> Self {
        g.rng.bool()
    }
}

impl Sample for f64 {
    fn sample(g: &mut Gen, _: i16) -> Self {
        *g.rng.choice(&[0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY]).unwrap()
    }
}

impl Sample for Uuid {
    fn sample(g: &mut Gen, _: i16) -> Self {
        let (a, b) = (g.bits().to_be_bytes(), g.bits().to_be_bytes());
        Uuid([a, b].concat().try_into().unwrap())
    }
}

impl Sample for &'static str {
    fn sample(g: &mut Gen, _: i16) -> Self {
        g.text()
    }
}

impl Sample for &'static [u8] {
    fn sample(g: &mut Gen, _: i16) -> Self {
        g.text().as_bytes()
    }
}

impl Sample for Records<'static> {
    fn sample(g: &mut Gen, _: i16) -> Self {
        Records::Slice(g.text().as_bytes())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(g: &mut Gen, v: i16) -> Self {
        let rare = if size_of::<T>() <= 16 { 130 } else { 4 };
        (0..g.len(2, rare)).map(|_| T::sample(g, v)).collect()
    }
}

/// Only where null is not allowed; elsewhere the table asks first.
impl<T: Sample> Sample for Option<T> {
    fn sample(g: &mut Gen, v: i16) -> Self {
        Some(T::sample(g, v))
    }
}

/// `sample!(type { field(first last), field(first last, null first last), … })`: fields outside their versions
/// keep their defaults.
macro_rules! sample {
    ($type:ty { $($field:ident($lo:literal $hi:literal $(, null $null_lo:literal $null_hi:literal)?)),* $(,)? }) => {
        impl crate::protocol_samples::Sample for $type {
            #[allow(clippy::field_reassign_with_default)]
            fn sample(g: &mut crate::protocol_samples::Gen, v: i16) -> Self {
                let mut it = <$type>::default();
                $(
                    if ($lo..=$hi).contains(&v) {
                        it.$field = crate::protocol_samples::Sample::sample(g, v);
                        $(
                            if g.null(v, $null_lo, $null_hi) {
                                it.$field = None;
                            }
                        )?
                    }
                )*
                it
            }
        }
    };
}

/// Bytes, or why a version can't say it.
type Encoded = Result<Vec<u8>, EncodeError>;

/// One message: its versions, and its value made from a seed as what a test needs.
pub struct Case {
    pub name: &'static str,
    pub min: i16,
    pub max: i16,
    /// The key of its API; `None` if it belongs to none.
    pub api: Option<i16>,
    /// The default value, encoded; an error where the default is null and the version has no null.
    pub empty: fn(i16) -> Encoded,
    /// A random value, encoded.
    pub encode: fn(&mut Gen, i16) -> Encoded,
    /// Decodes what [`encode`](Case::encode) made of the same seed, to the last byte, and compares the values.
    pub check: fn(&mut Gen, i16, &[u8]) -> Result<(), String>,
    /// Decodes bytes that need not be the message, and encodes again what came out.
    pub decode: fn(&[u8], i16) -> Result<Encoded, DecodeError>,
}

pub fn encoded<'a>(message: &impl Message<'a>, v: i16) -> Encoded {
    let mut w = Writer::new();
    message.encode(&mut w, v)?;
    Ok(w.into_bytes().to_vec())
}

macro_rules! cases {
    ($($kind:ident $message:ident,)*) => {
        /// Every message.
        pub const CASES: &[crate::protocol_samples::Case] = &[$(crate::protocol_samples::Case {
            name: stringify!($message),
            min: <$message as milena::protocol::Message>::MIN_VERSION,
            max: <$message as milena::protocol::Message>::MAX_VERSION,
            api: cases!(@api $kind $message),
            empty: |v| crate::protocol_samples::encoded(&<$message>::default(), v),
            encode: |g, v| {
                crate::protocol_samples::encoded(&<$message as crate::protocol_samples::Sample>::sample(g, v), v)
            },
            check: |g, v, bytes| {
                let expected: $message = crate::protocol_samples::Sample::sample(g, v);
                let mut r = milena::protocol::Reader::new(bytes);
                let found: $message = milena::protocol::Message::decode(&mut r, v).map_err(|e| e.to_string())?;
                r.finish().map_err(|e| e.to_string())?;
                if found == expected { Ok(()) } else { Err(format!("{found:?} is not {expected:?}")) }
            },
            decode: |bytes, v| {
                let found: $message = milena::protocol::Message::decode(&mut milena::protocol::Reader::new(bytes), v)?;
                Ok(crate::protocol_samples::encoded(&found, v))
            },
        }),*];
    };
    (@api api $message:ident) => { Some(<$message as milena::protocol::ApiMessage>::API as i16) };
    (@api data $message:ident) => { None };
}

mod table;
pub use table::CASES;
