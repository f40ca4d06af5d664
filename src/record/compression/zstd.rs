//! Zstandard, by zstd-safe. Frames are decompressed in one call into the output itself, because the streaming
//! interface would take memory for a window of whatever size the frame declares. The output's size is guessed
//! from what came before; when it proves too small, it grows fourfold and the call is repeated.

use super::{CompressError, Output};
use crate::record::error::DecompressError;
use zstd_safe::{get_error_name, CCtx, DCtx};

/// `ZSTD_error_dstSize_tooSmall`, in the form of a result.
const OUTPUT_TOO_SMALL: usize = 70usize.wrapping_neg();

pub(super) fn compress(
    context: &mut Option<CCtx<'static>>,
    level: i32,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    if context.is_none() {
        *context = CCtx::try_create();
    }
    let context = context.as_mut().ok_or(CompressError("no memory for zstd"))?;
    out.reserve(zstd_safe::compress_bound(input.len()));
    context.compress(out, input, level).map_err(|code| CompressError(get_error_name(code)))?;
    Ok(())
}

pub(super) fn decompress(
    context: &mut Option<DCtx<'static>>,
    input: &[u8],
    out: &mut Output,
) -> Result<(), DecompressError> {
    if context.is_none() {
        *context = DCtx::try_create();
    }
    let context = context.as_mut().ok_or(DecompressError::OutOfMemory)?;
    loop {
        // The vector may have been given more than it was asked for.
        let result = context.decompress(&mut out.data, input);
        match result {
            Ok(size) if size <= out.limit => return Ok(()),
            Ok(_) => return out.too_large(),
            Err(OUTPUT_TOO_SMALL) if out.data.capacity() >= out.limit => return out.too_large(),
            Err(OUTPUT_TOO_SMALL) => {
                let more = out.data.capacity().saturating_mul(4).min(out.limit);
                out.data.clear();
                out.data.try_reserve_exact(more).map_err(|_| DecompressError::OutOfMemory)?;
            }
            Err(code) => return Err(DecompressError::Corrupt(get_error_name(code))),
        }
    }
}
