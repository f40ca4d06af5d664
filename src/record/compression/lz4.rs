//! LZ4 in its frame format, over lz4_flex's blocks, or over those of the C library where a level was asked for: it
//! has the compressor that searches longer, and lz4_flex has not.
//!
//! Written: independent blocks of up to 64 KiB, no checksums, as Java's reader needs them. Read: independent and
//! linked blocks of any size, checksums (compared when they are there), frames in a row, skippable frames.
//!
//! The frame is walked here and not by lz4_flex's reader, because that one takes memory for the block size that a
//! frame declares (up to 12 MiB), copies each block twice, and refuses what Kafka wrote in message format v0: a
//! header checksum that was computed over the magic number too.

use super::{CompressError, Compression, Output};
use crate::record::error::DecompressError;
use lz4::block::{compress_to_buffer, CompressionMode::HIGHCOMPRESSION};
use lz4_flex::block::{
    compress_into_with_table, decompress_into, decompress_into_with_dict, get_maximum_output_size,
    CompressTable,
};
use twox_hash::XxHash32;

const MAGIC: u32 = 0x184D_2204;
const SKIPPABLE: u32 = 0x184D_2A50;
const BLOCK: usize = 64 * 1024;
/// Magic number; version 1 with independent blocks; blocks of up to 64 KiB; checksum of these two bytes.
const HEADER: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
/// In a block's length: the block is stored as it is.
const STORED: u32 = 1 << 31;
/// A block may refer this far back.
const WINDOW: usize = 64 * 1024;

const FAILED: CompressError = CompressError("no memory for lz4");
const CUT: DecompressError = DecompressError::Corrupt("the lz4 data is cut");
const BAD_BLOCK: DecompressError = DecompressError::Corrupt("not a valid lz4 block");

/// As Java, the default level stands for the fast compressor, and any other, be it lower, for the one that searches
/// longer (KIP-390). Above 12, the C library does no more than at 12.
pub(super) fn compress(
    table: &mut Option<CompressTable>,
    level: i32,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    out.extend_from_slice(&HEADER);
    for block in input.chunks(BLOCK) {
        let start = out.len();
        let body = start.saturating_add(4);
        out.resize(body.saturating_add(get_maximum_output_size(block.len())), 0);
        let to = out.get_mut(body..).unwrap_or(&mut []);
        let size = if level == Compression::Lz4.default_level() {
            compress_into_with_table(block, to, table.get_or_insert_default()).map_err(|_| FAILED)?
        } else {
            // Its working memory is of this call alone: it is not worth keeping beside what the search costs.
            compress_to_buffer(block, Some(HIGHCOMPRESSION(level.max(1))), false, to).map_err(|_| FAILED)?
        };
        let length = if size < block.len() {
            out.truncate(body.saturating_add(size));
            size as u32
        } else {
            out.truncate(body);
            out.extend_from_slice(block);
            block.len() as u32 | STORED
        };
        if let Some(field) = out.get_mut(start..body) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    Ok(())
}

pub(super) fn decompress(
    mut input: &[u8],
    old_checksum: bool,
    out: &mut Output,
) -> Result<(), DecompressError> {
    while !input.is_empty() {
        match peek_u32(input)? {
            MAGIC => frame(&mut input, old_checksum, out)?,
            magic if magic & !0xf == SKIPPABLE => {
                take(&mut input, 4)?;
                let size = take_u32(&mut input)? as usize;
                take(&mut input, size)?;
            }
            _ => return Err(DecompressError::Corrupt("not an lz4 frame")),
        }
    }
    Ok(())
}

/// What the header of a frame says.
struct Frame {
    linked: bool,
    block_checksums: bool,
    content_checksum: bool,
    content_size: Option<u64>,
    /// The most that a block decompresses to.
    block_size: usize,
}

fn frame(input: &mut &[u8], old_checksum: bool, out: &mut Output) -> Result<(), DecompressError> {
    let frame = frame_header(input, old_checksum)?;
    let start = out.data.len();
    loop {
        let length = take_u32(input)?;
        if length == 0 {
            break;
        }
        let body = take(input, (length & !STORED) as usize)?;
        if frame.block_checksums && take_u32(input)? != XxHash32::oneshot(0, body) {
            return Err(DecompressError::Corrupt("checksum mismatch of an lz4 block"));
        }
        if length & STORED != 0 {
            if body.len() > frame.block_size {
                return Err(BAD_BLOCK);
            }
            out.put(body)?;
        } else {
            block(body, &frame, start, out)?;
        }
    }
    let content = out.data.get(start..).unwrap_or(&[]);
    if frame.content_checksum && take_u32(input)? != XxHash32::oneshot(0, content) {
        return Err(DecompressError::Corrupt("checksum mismatch of the lz4 content"));
    }
    match frame.content_size {
        Some(size) if size != content.len() as u64 => {
            Err(DecompressError::Corrupt("the lz4 content has not its declared size"))
        }
        _ => Ok(()),
    }
}

fn frame_header(input: &mut &[u8], old_checksum: bool) -> Result<Frame, DecompressError> {
    let whole = *input;
    take(input, 4)?;
    let [flags, sizes] = *take_array::<2>(input)?;
    if flags >> 6 != 1 {
        return Err(DecompressError::Corrupt("unknown version of the lz4 frame format"));
    }
    if flags & 0x01 != 0 {
        return Err(DecompressError::Corrupt("the lz4 frame needs a dictionary"));
    }
    let content_size = match flags & 0x08 {
        0 => None,
        _ => Some(u64::from_le_bytes(*take_array::<8>(input)?)),
    };
    let header = whole.get(..whole.len().saturating_sub(input.len())).unwrap_or(&[]);
    let [checksum] = *take_array::<1>(input)?;
    let sum = |bytes: Option<&[u8]>| (XxHash32::oneshot(0, bytes.unwrap_or(&[])) >> 8) as u8;
    if checksum != sum(header.get(4..)) && !(old_checksum && checksum == sum(Some(header))) {
        return Err(DecompressError::Corrupt("checksum mismatch of the lz4 frame header"));
    }
    let block_size = match (sizes >> 4) & 0x07 {
        4 => 64 * 1024,
        5 => 256 * 1024,
        6 => 1024 * 1024,
        7 => 4 * 1024 * 1024,
        _ => return Err(DecompressError::Corrupt("unknown block size of the lz4 frame")),
    };
    Ok(Frame {
        linked: flags & 0x20 == 0,
        block_checksums: flags & 0x10 != 0,
        content_checksum: flags & 0x04 != 0,
        content_size,
        block_size,
    })
}

/// Decompresses one block to the end of the output. A byte of a block stands for at most 255, so room for a small
/// block does not depend on the size that the frame declares.
fn block(body: &[u8], frame: &Frame, start: usize, out: &mut Output) -> Result<(), DecompressError> {
    let most = body.len().saturating_mul(255).min(frame.block_size);
    // At the limit there is room for one byte less than the block may need, and failing tells which it was.
    let room = most.min(out.left());
    let at = out.data.len();
    let (before, to) = out.extend(room)?;
    let result = if frame.linked {
        let window = before.get(start.max(before.len().saturating_sub(WINDOW))..).unwrap_or(&[]);
        decompress_into_with_dict(body, to, window)
    } else {
        decompress_into(body, to)
    };
    match result {
        Ok(size) => {
            out.data.truncate(at.saturating_add(size));
            Ok(())
        }
        Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if room < most => out.too_large(),
        Err(_) => Err(BAD_BLOCK),
    }
}

fn take<'a>(input: &mut &'a [u8], n: usize) -> Result<&'a [u8], DecompressError> {
    let (taken, rest) = input.split_at_checked(n).ok_or(CUT)?;
    *input = rest;
    Ok(taken)
}

fn take_array<'a, const N: usize>(input: &mut &'a [u8]) -> Result<&'a [u8; N], DecompressError> {
    let (taken, rest) = input.split_first_chunk::<N>().ok_or(CUT)?;
    *input = rest;
    Ok(taken)
}

fn take_u32(input: &mut &[u8]) -> Result<u32, DecompressError> {
    Ok(u32::from_le_bytes(*take_array::<4>(input)?))
}

fn peek_u32(input: &[u8]) -> Result<u32, DecompressError> {
    let mut input = input;
    take_u32(&mut input)
}
