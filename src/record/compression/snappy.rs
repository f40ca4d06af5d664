//! Snappy, by the snap crate. Java's clients frame it in the way of the xerial library: a 16-byte header, and
//! then blocks of up to 32 KiB, each behind its length. Others send one bare block. Written is the former, read
//! are both.

use super::{CompressError, Output};
use crate::record::error::DecompressError;
use snap::raw::{decompress_len, max_compress_len, Decoder, Encoder};

const MAGIC: &[u8] = b"\x82SNAPPY\0";
/// The magic, version 1, compatible with version 1.
const HEADER: &[u8; 16] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const BLOCK: usize = 32 * 1024;

/// The most that valid data grows: a copy of up to 64 bytes takes at least three (21.3 times), and each byte of
/// the declared length's own varint none. What declares more is corrupt, before any memory is taken for it.
const MOST_GROWTH: usize = 22;

pub(super) fn compress(encoder: &mut Encoder, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
    out.extend_from_slice(HEADER);
    for block in input.chunks(BLOCK) {
        let start = out.len();
        let body = start.saturating_add(4);
        out.resize(body.saturating_add(max_compress_len(block.len())), 0);
        let to = out.get_mut(body..).unwrap_or(&mut []);
        let size = encoder.compress(block, to).map_err(|_| CompressError("snappy"))?;
        out.truncate(body.saturating_add(size));
        if let Some(length) = out.get_mut(start..body) {
            length.copy_from_slice(&(size as u32).to_be_bytes());
        }
    }
    Ok(())
}

pub(super) fn decompress(
    decoder: &mut Decoder,
    mut input: &[u8],
    out: &mut Output,
) -> Result<(), DecompressError> {
    if !input.starts_with(MAGIC) {
        return block(decoder, input, out);
    }
    while !input.is_empty() {
        // Streams may follow one another.
        if input.starts_with(MAGIC) {
            input = input.get(HEADER.len()..).ok_or(CUT)?;
            continue;
        }
        let (length, rest) = input.split_first_chunk::<4>().ok_or(CUT)?;
        let (body, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(CUT)?;
        block(decoder, body, out)?;
        input = rest;
    }
    Ok(())
}

const CUT: DecompressError = DecompressError::Corrupt("the snappy data is cut");
const BAD: DecompressError = DecompressError::Corrupt("not valid snappy data");

fn block(decoder: &mut Decoder, input: &[u8], out: &mut Output) -> Result<(), DecompressError> {
    let declared = decompress_len(input).map_err(|_| BAD)?;
    if declared > input.len().saturating_mul(MOST_GROWTH) {
        return Err(BAD);
    }
    let (_, to) = out.extend(declared)?;
    let size = decoder.decompress(input, to).map_err(|_| BAD)?;
    if size == declared {
        Ok(())
    } else {
        Err(BAD)
    }
}
