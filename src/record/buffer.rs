//! The buffer under an open batch.

use super::varint::{encode_varlong, MAX_VARLONG};
use bytes::BytesMut;

/// A pooled buffer with a write position. The whole allocation is initialised, so that writing is storing into a
/// slice, and stays so when the buffer goes back to its pool and comes again.
///
/// As a byte slice it is what was written, so `Bytes::from_owner` can hand it to the socket and give the memory
/// back when the last request that names it is gone.
#[derive(Debug, Default)]
pub struct ByteBufferOutputStream {
    memory: BytesMut,
    written: usize,
}

impl ByteBufferOutputStream {
    /// Takes a buffer, usually from a pool; what is in it does not matter. Costs nothing when its length is
    /// its capacity, as in a buffer that [`into_inner`](Self::into_inner) gave back or `BytesMut::zeroed` made.
    pub fn new(mut memory: BytesMut) -> ByteBufferOutputStream {
        let capacity = memory.capacity();
        memory.resize(capacity, 0);
        ByteBufferOutputStream { memory, written: 0 }
    }

    /// Bytes written.
    #[inline]
    pub fn len(&self) -> usize {
        self.written
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// Bytes of memory held.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// The memory, for the pool.
    pub fn into_inner(self) -> BytesMut {
        self.memory
    }

    /// The free part, if it has at least `n` bytes.
    fn free(&mut self, n: usize) -> Option<&mut [u8]> {
        self.memory.get_mut(self.written..).filter(|free| free.len() >= n)
    }

    /// All the memory, and how much of it was written.
    #[inline(always)]
    pub(super) fn parts(&mut self) -> (&mut [u8], &mut usize) {
        (&mut self.memory, &mut self.written)
    }

    /// Says that `n` bytes of the free part were written.
    fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.memory.len().saturating_sub(self.written));
        self.written = self.written.wrapping_add(n);
    }

    /// Makes room for `n` more bytes, growing the memory when there is not enough.
    pub(super) fn reserve(&mut self, n: usize) {
        let needed = self.written.saturating_add(n);
        if needed > self.memory.len() {
            self.memory.resize(needed, 0);
            let capacity = self.memory.capacity();
            self.memory.resize(capacity, 0);
        }
    }

    /// Appends bytes, growing the memory when needed.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(to) = self.free(bytes.len()).and_then(|free| free.get_mut(..bytes.len())) {
            to.copy_from_slice(bytes);
            self.advance(bytes.len());
        }
    }

    /// Appends a varint or varlong, growing the memory when needed.
    pub(super) fn put_varlong(&mut self, v: i64) {
        let mut bytes = [0u8; MAX_VARLONG];
        let n = encode_varlong(&mut bytes, v);
        self.put(bytes.get(..n).unwrap_or(&[]));
    }

    /// Appends a length-prefixed nullable field; the caller has checked that its length fits 31 bits.
    pub(super) fn put_nullable(&mut self, field: Option<&[u8]>) {
        self.put_varlong(field.map_or(-1, |f| f.len() as i64));
        self.put(field.unwrap_or(&[]));
    }

    /// Replaces what was written; used to put the compressed form into the memory of the plain one.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        self.written = 0;
        self.put(bytes);
    }
}

impl AsRef<[u8]> for ByteBufferOutputStream {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.written).unwrap_or(&[])
    }
}
