//! The bytes of a connection that are queued and not yet written.

use super::transport::TransportLayer;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

/// Segments in one system call. A produce request has about two per partition; the system takes 1024.
const SEGMENTS_AT_ONCE: usize = 64;

/// Frames as segments that are written where they lie, several frames in one system call.
#[derive(Debug, Default)]
pub struct ByteBufferSend {
    segments: VecDeque<Bytes>,
    remaining: usize,
    /// Bytes written since the beginning of the connection.
    written: u64,
}

impl ByteBufferSend {
    /// Queues one frame behind the others.
    pub fn push(&mut self, segments: Vec<Bytes>) {
        for segment in segments {
            if !segment.is_empty() {
                self.remaining = self.remaining.saturating_add(segment.len());
                self.segments.push_back(segment);
            }
        }
    }

    /// Bytes that are not written yet.
    pub fn remaining(&self) -> usize {
        self.remaining
    }
    /// Bytes written since the beginning.
    pub fn written(&self) -> u64 {
        self.written
    }
    /// Bytes queued since the beginning.
    pub fn queued(&self) -> u64 {
        self.written.saturating_add(self.remaining as u64)
    }
    pub fn completed(&self) -> bool {
        self.segments.is_empty()
    }

    /// Writes once; how much was taken and how much was offered. Segments are let go as they are written.
    pub fn write_to(&mut self, transport: &mut dyn TransportLayer) -> io::Result<Written> {
        let mut slices = [IoSlice::new(&[]); SEGMENTS_AT_ONCE];
        let mut count = 0usize;
        let mut offered = 0usize;
        for (slice, segment) in slices.iter_mut().zip(&self.segments) {
            *slice = IoSlice::new(segment);
            offered = offered.saturating_add(segment.len());
            count = count.saturating_add(1);
        }
        let taken = transport.write_vectored(slices.get(..count).unwrap_or_default())?;
        self.advance(taken);
        Ok(Written { taken, offered })
    }

    fn advance(&mut self, taken: usize) {
        self.remaining = self.remaining.saturating_sub(taken);
        self.written = self.written.saturating_add(taken as u64);
        let mut left = taken;
        while let Some(first) = self.segments.front_mut() {
            if left < first.len() {
                first.advance(left);
                return;
            }
            left = left.saturating_sub(first.len());
            self.segments.pop_front();
        }
    }
}

/// What one write moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub taken: usize,
    pub offered: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::transport::scripted::Scripted;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the frames and however the socket takes them, the bytes arrive in order, once.
        #[test]
        fn writes_all_bytes_in_order(
            frames in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..80), 0..6),
            takes in prop::collection::vec(1usize..300, 1..50),
        ) {
            let mut send = ByteBufferSend::default();
            let mut expected = Vec::new();
            for frame in &frames {
                expected.extend(frame.iter().flatten());
                send.push(frame.iter().map(|s| Bytes::copy_from_slice(s)).collect());
            }
            prop_assert_eq!(send.remaining(), expected.len());
            let (mut transport, peer) = Scripted::new();
            let mut takes = takes.iter().cycle();
            while !send.completed() {
                peer.lock().accepts = *takes.next().unwrap();
                let written = send.write_to(&mut transport).unwrap();
                prop_assert!(written.taken > 0 && written.taken <= written.offered);
            }
            prop_assert_eq!(send.remaining(), 0);
            prop_assert_eq!(&peer.lock().written, &expected);
        }
    }

    #[test]
    fn many_small_frames_are_one_write() {
        let mut send = ByteBufferSend::default();
        for i in 0..32u8 {
            send.push(vec![Bytes::copy_from_slice(&[i]), Bytes::from_static(b"abc")]);
        }
        let (mut transport, peer) = Scripted::new();
        peer.lock().accepts = usize::MAX;
        assert_eq!(send.write_to(&mut transport).unwrap(), Written { taken: 128, offered: 128 });
        assert!(send.completed());
        assert_eq!(peer.lock().writes, 1);
    }

    #[test]
    fn a_segment_is_let_go_when_it_is_written() {
        let mut send = ByteBufferSend::default();
        let first = Bytes::from(vec![1; 10]);
        send.push(vec![first.clone(), Bytes::from(vec![2; 10])]);
        assert!(!first.is_unique());
        let (mut transport, peer) = Scripted::new();
        peer.lock().accepts = 11;
        send.write_to(&mut transport).unwrap();
        assert!(first.is_unique());
        assert_eq!(send.remaining(), 9);
    }

    #[test]
    fn a_blocked_write_changes_nothing() {
        let mut send = ByteBufferSend::default();
        send.push(vec![Bytes::from_static(b"abc")]);
        let (mut transport, _peer) = Scripted::new();
        let blocked = send.write_to(&mut transport).unwrap_err();
        assert_eq!(blocked.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(send.remaining(), 3);
    }
}
