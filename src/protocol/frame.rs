//! Cuts a byte stream into frames: a length of four bytes, then so many bytes.

use bytes::{Bytes, BytesMut};
use std::fmt;

/// Bytes offered for one read.
const CHUNK: usize = 64 * 1024;

pub struct FrameReader {
    max: usize,
    buffer: BytesMut,
    filled: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    Length { length: i32, max: usize },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameError::Length { length, max } = self;
        write!(f, "a frame of {length} bytes, where 0 to {max} are allowed")
    }
}

impl FrameReader {
    pub fn new(max: usize) -> FrameReader {
        FrameReader { max, buffer: BytesMut::new(), filled: 0 }
    }

    pub fn spare(&mut self) -> &mut [u8] {
        if self.buffer.len() - self.filled < CHUNK / 2 {
            self.buffer.resize(self.filled + CHUNK, 0);
        }
        &mut self.buffer[self.filled..]
    }

    pub fn filled(&mut self, n: usize) {
        self.filled += n;
    }

    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(prefix) = self.buffer[..self.filled].first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        let size = usize::try_from(length).ok().filter(|n| *n <= self.max);
        let size = size.ok_or(FrameError::Length { length, max: self.max })?;
        if self.filled < size + 4 {
            return Ok(None);
        }
        self.filled -= size + 4;
        Ok(Some(self.buffer.split_to(size + 4).freeze().slice(4..)))
    }
}
