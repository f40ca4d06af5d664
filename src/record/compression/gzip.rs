//! Gzip, by flate2 over zlib-rs. Several members in a row are read as one.

use super::{CompressError, Output};
use crate::record::error::DecompressError;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

/// Both sides use the largest window: 2^15 bytes.
const WINDOW_BITS: u8 = 15;

/// A context and the level it was made for.
pub(super) struct Encoder {
    level: i32,
    context: Compress,
}

pub(super) fn compress(
    encoder: &mut Option<Encoder>,
    level: i32,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    let level = if level < 0 { 6 } else { level.clamp(1, 9) };
    if encoder.as_ref().is_some_and(|e| e.level != level) {
        *encoder = None;
    }
    let encoder = encoder.get_or_insert_with(|| Encoder {
        level,
        context: Compress::new_gzip(flate2::Compression::new(level as u32), WINDOW_BITS),
    });
    let context = &mut encoder.context;
    context.reset();
    out.reserve(input.len() / 2);
    loop {
        let rest = input.get(context.total_in() as usize..).unwrap_or(&[]);
        out.reserve(256);
        match context.compress_vec(rest, out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(()),
            // The output was full.
            Ok(Status::Ok | Status::BufError) => out.reserve(out.capacity() / 2),
            Err(_) => return Err(CompressError("gzip")),
        }
    }
}

pub(super) fn decompress(
    context: &mut Option<Decompress>,
    mut input: &[u8],
    out: &mut Output,
) -> Result<(), DecompressError> {
    let context = context.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
    loop {
        context.reset(true);
        member(context, &mut input, out)?;
        if input.is_empty() {
            return Ok(());
        }
    }
}

/// Decompresses one member off the front of `input`.
fn member(context: &mut Decompress, input: &mut &[u8], out: &mut Output) -> Result<(), DecompressError> {
    // Room for one byte more than allowed tells the limit from the end.
    let most = out.limit.saturating_add(1);
    loop {
        if out.data.len() == out.data.capacity() {
            let more = out.data.len().max(1024).min(most.saturating_sub(out.data.len()));
            out.data.try_reserve_exact(more).map_err(|_| DecompressError::OutOfMemory)?;
        }
        let (before_in, before_out) = (context.total_in(), out.data.len());
        let status = context.decompress_vec(input, &mut out.data, FlushDecompress::None);
        let used = context.total_in().saturating_sub(before_in) as usize;
        *input = input.get(used..).unwrap_or(&[]);
        if out.data.len() > out.limit {
            return out.too_large();
        }
        match status {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if used == 0 && out.data.len() == before_out && out.data.len() < out.data.capacity() => {
                return Err(DecompressError::Corrupt("the gzip data is cut"));
            }
            Ok(_) => {}
            Err(_) => return Err(DecompressError::Corrupt("not valid gzip data")),
        }
    }
}
