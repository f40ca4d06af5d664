//! The four codecs of Kafka: names, ids, levels, and contexts that are reused from batch to batch.
//!
//! Output never grows beyond a limit that the caller sets, and it grows with the data that really comes out: sizes
//! that compressed data declares are hints at most.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use super::error::DecompressError;
use bytes::Bytes;
use std::fmt;
use std::ops::RangeInclusive;

/// A compression codec; its id is in the attributes of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    /// Since Kafka 2.1 (KIP-110), in format v2 only; brokers refuse it below Produce v7.
    Zstd,
}

impl Compression {
    pub const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    /// The id on the wire: 0 to 4.
    pub fn id(self) -> u8 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    pub fn from_id(id: u8) -> Option<Compression> {
        Compression::ALL.into_iter().find(|c| c.id() == id)
    }

    /// The name in `compression.type`: "none", "gzip", "snappy", "lz4" or "zstd".
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    pub fn from_name(name: &str) -> Option<Compression> {
        Compression::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The levels that `compression.<codec>.level` takes (KIP-390); nothing for codecs that have none. Gzip takes
    /// -1 as well, which is its default.
    pub fn levels(self) -> Option<RangeInclusive<i32>> {
        match self {
            Compression::None | Compression::Snappy => None,
            Compression::Gzip => Some(1..=9),
            Compression::Lz4 => Some(1..=17),
            Compression::Zstd => Some(-131_072..=22),
        }
    }

    /// Java's default level: gzip -1 (zlib's own choice, 6), lz4 9 (which is its fast compressor, while 1 to 17
    /// otherwise say how long the thorough one searches), zstd 3; 0 for codecs that have none.
    pub fn default_level(self) -> i32 {
        match self {
            Compression::None | Compression::Snappy => 0,
            Compression::Gzip => -1,
            Compression::Lz4 => 9,
            Compression::Zstd => 3,
        }
    }

    /// Whether `level` is one that the codec takes.
    pub fn takes_level(self, level: i32) -> bool {
        level == self.default_level() || self.levels().is_some_and(|levels| levels.contains(&level))
    }
}

/// Compression failed: the codec had no memory to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressError(pub &'static str);

impl fmt::Display for CompressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't compress: {}", self.0)
    }
}

impl std::error::Error for CompressError {}

/// Contexts and the output buffer for compressing, reused from batch to batch. One for each thread that seals
/// batches; a context is made when its codec is first used.
#[derive(Default)]
pub struct Compressor {
    out: Vec<u8>,
    gzip: Option<gzip::Encoder>,
    snappy: Option<snap::raw::Encoder>,
    lz4: Option<lz4_flex::block::CompressTable>,
    zstd: Option<zstd_safe::CCtx<'static>>,
}

impl Compressor {
    pub fn new() -> Compressor {
        Compressor::default()
    }

    /// Compresses `input` at `level` (see [`Compression::levels`]; out of range counts as the nearest). What it
    /// gives is good until the next call.
    pub fn compress(&mut self, codec: Compression, level: i32, input: &[u8]) -> Result<&[u8], CompressError> {
        self.out.clear();
        match codec {
            Compression::None => self.out.extend_from_slice(input),
            Compression::Gzip => gzip::compress(&mut self.gzip, level, input, &mut self.out)?,
            Compression::Snappy => snappy::compress(
                self.snappy.get_or_insert_with(snap::raw::Encoder::new),
                input,
                &mut self.out,
            )?,
            Compression::Lz4 => lz4::compress(&mut self.lz4, level, input, &mut self.out)?,
            Compression::Zstd => zstd::compress(&mut self.zstd, level, input, &mut self.out)?,
        }
        Ok(&self.out)
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

/// Contexts for decompressing, reused from batch to batch. A context is made when its codec is first used.
#[derive(Default)]
pub struct Decompressor {
    gzip: Option<flate2::Decompress>,
    snappy: Option<snap::raw::Decoder>,
    zstd: Option<zstd_safe::DCtx<'static>>,
    /// What the last batches came to, in sixteenths of their compressed size: the first guess for the next one.
    ratio: usize,
}

/// The first guess for the output is at most this many times the input.
const MOST_RATIO: usize = 64;

impl Decompressor {
    pub fn new() -> Decompressor {
        Decompressor::default()
    }

    /// Decompresses all of `input` into a block of at most `limit` bytes. `magic` is the format of the batch: LZ4
    /// in format v0 computes the checksum of its header differently.
    pub fn decompress(
        &mut self,
        codec: Compression,
        magic: u8,
        input: &[u8],
        limit: usize,
    ) -> Result<Bytes, DecompressError> {
        // Positions in a block have 31 bits.
        let mut out = Output::new(limit.min(i32::MAX as usize), self.guess(input.len()))?;
        match codec {
            Compression::None => out.put(input)?,
            Compression::Gzip => gzip::decompress(&mut self.gzip, input, &mut out)?,
            Compression::Snappy => snappy::decompress(self.snappy.get_or_insert_default(), input, &mut out)?,
            Compression::Lz4 => lz4::decompress(input, magic == 0, &mut out)?,
            Compression::Zstd => zstd::decompress(&mut self.zstd, input, &mut out)?,
        }
        self.ratio = out.data.len().saturating_mul(16).checked_div(input.len()).unwrap_or(0);
        Ok(out.into_bytes())
    }

    fn guess(&self, input: usize) -> usize {
        let sixteenths = if self.ratio == 0 { 64 } else { self.ratio.min(MOST_RATIO.saturating_mul(16)) };
        // An eighth more than last time.
        let guess = (input / 16).saturating_add(1).saturating_mul(sixteenths);
        guess.saturating_add(guess / 8).max(1024)
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("ratio", &self.ratio).finish_non_exhaustive()
    }
}

/// A growing output that knows its limit. Memory is asked for, not taken: when it is refused, that is an error.
struct Output {
    data: Vec<u8>,
    limit: usize,
}

impl Output {
    fn new(limit: usize, guess: usize) -> Result<Output, DecompressError> {
        let mut data = Vec::new();
        data.try_reserve_exact(guess.min(limit)).map_err(|_| DecompressError::OutOfMemory)?;
        Ok(Output { data, limit })
    }

    fn too_large<T>(&self) -> Result<T, DecompressError> {
        Err(DecompressError::TooLarge { limit: self.limit })
    }

    /// Bytes that may still come.
    fn left(&self) -> usize {
        self.limit.saturating_sub(self.data.len())
    }

    /// Makes room for `n` more bytes, and for some more to come.
    fn reserve(&mut self, n: usize) -> Result<(), DecompressError> {
        if n > self.left() {
            return self.too_large();
        }
        if self.data.capacity().saturating_sub(self.data.len()) < n {
            let more = n.max(self.data.capacity()).min(self.left());
            self.data.try_reserve_exact(more).map_err(|_| DecompressError::OutOfMemory)?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), DecompressError> {
        self.reserve(bytes.len())?;
        self.data.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends `n` zero bytes and gives what came before, and them.
    fn extend(&mut self, n: usize) -> Result<(&[u8], &mut [u8]), DecompressError> {
        self.reserve(n)?;
        let start = self.data.len();
        self.data.resize(start.saturating_add(n), 0);
        let (before, added) = self.data.split_at_mut_checked(start).ok_or(DecompressError::OutOfMemory)?;
        Ok((before, added))
    }

    /// The block. Gives unused memory back when it is more than a quarter.
    fn into_bytes(mut self) -> Bytes {
        if self.data.capacity().saturating_sub(self.data.len()) > self.data.len() / 4 {
            self.data.shrink_to_fit();
        }
        Bytes::from(self.data)
    }
}

#[cfg(test)]
mod tests;
