//! From a stream of bytes to frames: a size in four bytes, then that many bytes.
//!
//! The socket reads straight into [`FrameReader::spare`], so a large response lands in one buffer and is handed
//! on without a copy. The size is only a claim of the peer: the buffer grows with the bytes that arrive.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Code, Error};

/// Room for small frames, which are copied out of it.
const CHUNK: usize = 16 * 1024;
/// So much of a claimed size is believed before its bytes arrive.
const CREDIT: usize = 64 * 1024;
/// A read takes so much at most, so that what it fills still is in the cache when it is used.
const STEP: usize = 256 * 1024;
/// The size in front of a frame.
const SIZE: usize = 4;

/// Where buffers come from and go to. Memory that is used again needs no zeroes.
pub trait FrameMemory: Send + Sync + fmt::Debug {
    /// A buffer of at least `size` bytes, all of them initialised, whatever they are.
    fn take(&self, size: usize) -> Vec<u8>;
    /// The frame in it is not needed any more.
    fn give_back(&self, buffer: Vec<u8>);
}

/// Memory that comes from the allocator each time.
#[derive(Debug)]
pub struct FreshMemory;

impl FrameMemory for FreshMemory {
    fn take(&self, size: usize) -> Vec<u8> {
        vec![0; size]
    }
    fn give_back(&self, _buffer: Vec<u8>) {}
}

/// A large frame's buffer; goes back when nobody names it any more.
struct Lent {
    buffer: Vec<u8>,
    memory: Arc<dyn FrameMemory>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.memory.give_back(std::mem::take(&mut self.buf));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.memory.give_back(std::mem::take(&mut self.buffer));
    }
}

/// Cuts a stream into frames. It has no socket and no clock.
#[derive(Debug)]
pub struct FrameReader {
    /// Initialised throughout; the bytes from `start` to `end` are received and not handed out yet.
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// The largest frame that is accepted.
    limit: usize,
    /// A size that recent frames of this peer really had: as much is believed of the next one.
    proven: usize,
    /// No frame was handed out yet.
    first: bool,
    memory: Arc<dyn FrameMemory>,
}

impl FrameReader {
    /// A reader that refuses frames of more than `limit` bytes (`receive.message.max.bytes`).
    pub fn new(limit: usize) -> FrameReader {
        FrameReader::with_memory(limit, Arc::new(FreshMemory))
    }

    /// As [`FrameReader::new`], with large frames in buffers from `memory`.
    pub fn with_memory(limit: usize, memory: Arc<dyn FrameMemory>) -> FrameReader {
        FrameReader { buf: Vec::new(), start: 0, end: 0, limit, proven: 0, first: true, memory }
    }

    /// Room to read into; never empty. What was read is told by [`filled`](Self::filled).
    pub fn spare(&mut self) -> &mut [u8] {
        let until = match self.frame_end() {
            // A large frame has its buffer for itself, so that a small one never keeps it alive.
            Some(total) if total > CHUNK && total > self.pending() => {
                self.make_room(self.target(total));
                total.min(self.end.saturating_add(STEP))
            }
            _ => {
                if self.buf.len().saturating_sub(self.end) < CHUNK / 8 {
                    self.make_room(self.pending().saturating_add(CHUNK));
                }
                self.buf.len().min(self.end.saturating_add(STEP))
            }
        };
        let until = until.min(self.buf.len());
        self.buf.get_mut(self.end..until).unwrap_or_default()
    }

    /// Moves what is received to the front of a buffer of at least `size` bytes.
    fn make_room(&mut self, size: usize) {
        if self.buf.len() < size {
            let mut larger = self.memory.take(size);
            let received = self.buf.get(self.start..self.end).unwrap_or_default();
            if let Some(front) = larger.get_mut(..received.len()) {
                front.copy_from_slice(received);
            }
            self.memory.give_back(std::mem::replace(&mut self.buf, larger));
        } else if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
        }
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
    }

    /// Says that the first `n` bytes of [`spare`](Self::spare) were received.
    pub fn filled(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.buf.len());
    }

    /// Takes bytes from memory, in place of a socket.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let spare = self.spare();
            let (now, later) = bytes.split_at(bytes.len().min(spare.len()));
            if let Some(room) = spare.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            self.filled(now.len());
            bytes = later;
        }
    }

    /// The next whole frame without its size, or `None` if more bytes are needed. After an error the stream has
    /// no frames any more: the same error comes again.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(size) = self.claimed() else { return Ok(None) };
        let size = self.check(size)?;
        let total = size.saturating_add(SIZE);
        if self.pending() < total {
            return Ok(None);
        }
        self.proven = total.max(self.proven.saturating_sub(self.proven / 8));
        self.first = false;
        if total > CHUNK && self.pending() == total && self.start == 0 {
            let buffer = std::mem::take(&mut self.buf);
            self.end = 0;
            let lent = Bytes::from_owner(Lent { buffer, memory: self.memory.clone() });
            return Ok(Some(lent.slice(SIZE..total)));
        }
        let end = self.start.saturating_add(total);
        let frame = self.buf.get(self.start.saturating_add(SIZE)..end).unwrap_or_default();
        let frame = Bytes::copy_from_slice(frame);
        self.start = end;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        Ok(Some(frame))
    }

    /// Received bytes of a frame that is not whole yet: more than zero when the peer hangs up in the middle.
    pub fn pending(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// The size that the unfinished frame claims, if that much is known.
    fn claimed(&self) -> Option<i32> {
        self.buf.get(self.start..self.end)?.first_chunk::<SIZE>().map(|size| i32::from_be_bytes(*size))
    }

    fn check(&self, claimed: i32) -> Result<usize, FrameError> {
        let first_bytes = claimed.to_be_bytes();
        let size = usize::try_from(claimed).ok().filter(|size| (SIZE..=self.limit).contains(size));
        // The first answer of a broker is small; of the sizes that other protocols' first bytes spell, none is.
        let foreign = Peer::guess(first_bytes).filter(|_| self.first);
        match (size, foreign) {
            (Some(size), None) => Ok(size),
            (_, peer) => Err(FrameError { claimed, limit: self.limit, peer }),
        }
    }

    /// Where the frame at the front ends, if its size is known and acceptable.
    fn frame_end(&self) -> Option<usize> {
        let size = self.check(self.claimed()?).ok()?;
        Some(size.saturating_add(SIZE))
    }

    /// How long the buffer may be on behalf of a frame of `total` bytes: as much of it as is believed.
    fn target(&self, total: usize) -> usize {
        let believed = CREDIT.max(self.pending().saturating_mul(2)).max(self.proven);
        total.min(believed)
    }
}

/// What speaks at the other end, by its first bytes, if it is not Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TLS record.
    Tls,
    /// An answer of a web server.
    Http,
    /// Some other protocol of readable text.
    Text,
}

impl Peer {
    fn guess(bytes: [u8; SIZE]) -> Option<Peer> {
        match bytes {
            [0x14..=0x17, 3, 0..=4, _] => Some(Peer::Tls),
            [b'H', b'T', b'T', b'P'] => Some(Peer::Http),
            _ if bytes.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\r' | b'\n')) => {
                Some(Peer::Text)
            }
            _ => None,
        }
    }
}

/// A size that no frame can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The first four bytes, read as a size.
    pub claimed: i32,
    /// The largest size that is accepted, in bytes.
    pub limit: usize,
    /// What the bytes look like.
    pub peer: Option<Peer>,
}

impl FrameError {
    fn hint(&self) -> &'static str {
        match self.peer {
            Some(Peer::Tls) => "the port speaks TLS: set security.protocol to SSL or SASL_SSL, or use the plaintext port",
            Some(Peer::Http) => "this is a web server: check host and port in bootstrap.servers",
            Some(Peer::Text) => "this is not a Kafka broker: check host and port in bootstrap.servers",
            None if self.claimed > 0 && self.claimed as usize > self.limit => {
                "raise receive.message.max.bytes if the broker really sends this much; else check host and port"
            }
            None => "check that host and port in bootstrap.servers are those of a Kafka broker",
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.claimed.to_be_bytes();
        match self.peer {
            Some(Peer::Tls) => write!(f, "a TLS record came where a Kafka frame was expected")?,
            Some(Peer::Http) => write!(f, "an HTTP response came where a Kafka frame was expected")?,
            Some(Peer::Text) => {
                write!(f, "text (\"{}\") came where a Kafka frame was expected", bytes.escape_ascii())?;
            }
            None if self.claimed < 0 => write!(f, "a frame of negative size {}", self.claimed)?,
            None if self.claimed < SIZE as i32 => {
                write!(f, "a frame of {} bytes, too small for a header", self.claimed)?;
            }
            None => write!(f, "a frame of {} bytes, above the limit of {}", self.claimed, self.limit)?,
        }
        let [a, b, c, d] = bytes;
        write!(f, " (first bytes {a:02x} {b:02x} {c:02x} {d:02x})")
    }
}

impl std::error::Error for FrameError {}

impl From<FrameError> for Error {
    fn from(e: FrameError) -> Error {
        Error::new(Code::PROTOCOL, e.to_string()).hint(e.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut all = (payload.len() as i32).to_be_bytes().to_vec();
        all.extend_from_slice(payload);
        all
    }

    fn payload(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|i| (i.wrapping_mul(31) ^ (i >> 8) ^ seed) as u8).collect()
    }

    /// Reads `stream` in pieces of random size, as a socket would give it.
    fn read_all(stream: &[u8], rng: &mut fastrand::Rng, most: usize, reader: &mut FrameReader) -> Vec<Bytes> {
        let (mut frames, mut rest) = (Vec::new(), stream);
        while !rest.is_empty() {
            let spare = reader.spare();
            let n = rng.usize(1..=most).min(spare.len()).min(rest.len());
            spare[..n].copy_from_slice(&rest[..n]);
            reader.filled(n);
            rest = &rest[n..];
            while let Some(frame) = reader.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        frames
    }

    #[test]
    fn frames_survive_any_cut() {
        for seed in 0..60 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let payloads: Vec<Vec<u8>> = (0..rng.usize(1..30))
                .map(|i| {
                    let most = if rng.usize(0..8) == 0 { 200_000 } else { 3000 };
                    payload(rng.usize(4..most), i)
                })
                .collect();
            let stream: Vec<u8> = payloads.iter().flat_map(|p| frame(p)).collect();
            let most = *rng.choice(&[1_usize, 7, 1500, 65_536, 1_000_000]).unwrap();
            if most == 1 && stream.len() > 100_000 {
                continue;
            }
            let mut reader = FrameReader::new(1 << 20);
            let frames = read_all(&stream, &mut rng, most, &mut reader);
            assert_eq!(frames, payloads, "seed {seed}");
            assert_eq!(reader.pending(), 0);
        }
    }

    #[test]
    fn feed_is_the_same_as_a_socket() {
        let mut reader = FrameReader::new(1 << 20);
        let big = payload(300_000, 1);
        reader.feed(&frame(b"small"));
        reader.feed(&frame(&big));
        assert_eq!(reader.next_frame().unwrap().unwrap(), &b"small"[..]);
        assert_eq!(reader.next_frame().unwrap().unwrap(), big);
        assert_eq!(reader.next_frame().unwrap(), None);
    }

    #[test]
    fn a_large_frame_is_handed_out_where_it_was_read() {
        let big = payload(3_000_000, 0);
        let mut reader = FrameReader::new(1 << 24);
        let mut rng = fastrand::Rng::with_seed(1);
        // The first one makes the size believable, so the second one is not moved any more.
        read_all(&frame(&big), &mut rng, 1 << 20, &mut reader);
        let stream = frame(&big);
        reader.feed(&stream[..40_000]);
        assert_eq!(reader.next_frame().unwrap(), None);
        let start = reader.spare().as_ptr() as usize - 40_000;
        reader.feed(&stream[40_000..]);
        let whole = reader.next_frame().unwrap().unwrap();
        assert_eq!(whole.as_ptr() as usize, start + SIZE);
        assert_eq!(whole, big);
    }

    #[test]
    fn a_small_frame_does_not_share_the_memory_of_a_large_one() {
        let mut reader = FrameReader::new(1 << 24);
        reader.feed(&frame(&payload(200_000, 0)));
        let large = reader.next_frame().unwrap().unwrap();
        reader.feed(&frame(b"tiny"));
        let small = reader.next_frame().unwrap().unwrap();
        let memory = large.as_ptr() as usize..large.as_ptr() as usize + 400_000;
        assert!(!memory.contains(&(small.as_ptr() as usize)));
        assert_eq!(small, b"tiny"[..]);
    }

    #[test]
    fn memory_grows_with_what_arrives_not_with_what_is_claimed() {
        let mut reader = FrameReader::new(i32::MAX as usize);
        reader.feed(&[0x7f, 0xff, 0xff, 0xff]);
        let mut sent = SIZE;
        while sent < 10_000_000 {
            assert_eq!(reader.next_frame().unwrap(), None);
            let n = reader.spare().len();
            assert!(n > 0);
            assert!(reader.buf.capacity() <= CREDIT.max(4 * sent), "{} for {sent}", reader.buf.capacity());
            reader.filled(n.min(50_000));
            sent += n.min(50_000);
        }
    }

    #[test]
    fn impossible_sizes_are_explained() {
        for (bytes, text, hint) in [
            ([0x15, 3, 3, 0], "a TLS record", "SSL"),
            ([0x16, 3, 1, 2], "a TLS record", "SSL"),
            (*b"HTTP", "an HTTP response", "web server"),
            (*b"SSH-", "text (\"SSH-\")", "not a Kafka broker"),
            ([0xff, 0xff, 0xff, 0xff], "negative size -1 (first bytes ff ff ff ff)", "host and port"),
            ([0, 0, 0, 3], "3 bytes, too small", "host and port"),
            ([0, 0, 4, 1], "a frame of 1025 bytes, above the limit of 1024", "receive.message.max.bytes"),
        ] {
            let mut reader = FrameReader::new(1024);
            reader.feed(&bytes);
            let error = reader.next_frame().unwrap_err();
            assert_eq!(reader.next_frame(), Err(error), "the error stays");
            let error = Error::from(error);
            assert_eq!(error.code(), Code::PROTOCOL);
            assert!(error.message().contains(text), "{error}");
            assert!(error.hint_text().unwrap().contains(hint), "{error}");
        }
    }

    #[test]
    fn tls_is_recognised_below_the_limit_but_only_at_the_start() {
        let mut reader = FrameReader::new(i32::MAX as usize);
        reader.feed(&[0x15, 3, 3, 0]);
        assert_eq!(reader.next_frame().unwrap_err().peer, Some(Peer::Tls));
        let mut reader = FrameReader::new(i32::MAX as usize);
        reader.feed(&frame(b"first"));
        reader.next_frame().unwrap();
        reader.feed(&[0x15, 3, 3, 0]);
        assert_eq!(reader.next_frame().unwrap(), None);
    }
}
