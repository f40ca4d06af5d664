//! One accepted connection: its socket, the frames that come, the bytes that still have to go.

use crate::protocol::{FrameError, FrameReader};
use bytes::{Buf, Bytes};
use mio::net::TcpStream;
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};

/// `socket.request.max.bytes`.
const MAX_REQUEST: usize = 100 * 1024 * 1024;
/// Segments in one system call.
const SEGMENTS: usize = 64;
/// With so many bytes unsent, a client gets no more answers until it has read some.
const UNSENT_LIMIT: usize = 4 * 1024 * 1024;

/// The connection is at its end; the socket is to be dropped.
#[derive(Debug)]
pub(super) struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Gone {
        Gone
    }
}
impl From<FrameError> for Gone {
    fn from(_: FrameError) -> Gone {
        Gone
    }
}

pub(super) struct Peer {
    pub stream: TcpStream,
    frames: FrameReader,
    unsent: VecDeque<Bytes>,
    unsent_bytes: usize,
    /// Close when everything is written.
    pub ending: bool,
    /// What the system said last, until an operation would block.
    pub readable: bool,
    pub writable: bool,
    /// The peer has closed its end.
    pub hung_up: bool,
}

impl Peer {
    pub fn new(stream: TcpStream) -> Peer {
        Peer {
            stream,
            frames: FrameReader::new(MAX_REQUEST),
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            ending: false,
            readable: false,
            writable: false,
            hung_up: false,
        }
    }

    pub fn queue(&mut self, segments: Vec<Bytes>) {
        for segment in segments.into_iter().filter(|s| !s.is_empty()) {
            self.unsent_bytes = self.unsent_bytes.saturating_add(segment.len());
            self.unsent.push_back(segment);
        }
    }

    /// Whether the peer is to be given more answers.
    pub fn is_behind(&self) -> bool {
        self.unsent_bytes > UNSENT_LIMIT
    }

    /// Writes what the socket takes.
    pub fn write(&mut self) -> Result<(), Gone> {
        while self.writable && !self.unsent.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                self.unsent.iter().take(SEGMENTS).map(|s| IoSlice::new(s)).collect();
            match self.stream.write_vectored(&slices) {
                Ok(0) => return Err(Gone),
                Ok(taken) => self.written(taken),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        match self.ending && self.unsent.is_empty() {
            true => Err(Gone),
            false => Ok(()),
        }
    }

    fn written(&mut self, mut taken: usize) {
        self.unsent_bytes = self.unsent_bytes.saturating_sub(taken);
        while let Some(first) = self.unsent.front_mut() {
            if taken < first.len() {
                first.advance(taken);
                return;
            }
            taken = taken.saturating_sub(first.len());
            self.unsent.pop_front();
        }
    }

    /// The next frame, read from the socket if need be; `None` when there is nothing more to read now. Counts the
    /// bytes it reads.
    pub fn next_frame(&mut self, read: &mut usize) -> Result<Option<Bytes>, Gone> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                return Ok(Some(frame));
            }
            if !self.readable {
                return Ok(None);
            }
            match self.stream.read(self.frames.spare()) {
                Ok(0) => return Err(Gone),
                Ok(n) => {
                    self.frames.filled(n);
                    *read = read.saturating_add(n);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}
