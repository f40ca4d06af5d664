//! Buffers for what is received, used again: memory that was used before needs neither zeroes nor page faults.

use crate::protocol::frame::FrameMemory;
use parking_lot::Mutex;

/// Bytes that are kept at most, for all connections of the process.
const MOST_BYTES: usize = 32 * 1024 * 1024;
const MOST_BUFFERS: usize = 64;
/// Large buffers are made in steps of this, so that one fits more than one frame.
const STEP: usize = 64 * 1024;

#[derive(Debug, Default)]
pub struct ReceivePool {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl FrameMemory for ReceivePool {
    fn take(&self, size: usize) -> Vec<u8> {
        let mut kept = self.kept.lock();
        // A frame must not hold on to a buffer that is much larger than itself.
        let fits = |b: &Vec<u8>| b.len() >= size && b.len() / 4 <= size.max(STEP / 4);
        let best = (0..kept.buffers.len())
            .filter(|i| kept.buffers.get(*i).is_some_and(fits))
            .min_by_key(|i| kept.buffers.get(*i).map_or(usize::MAX, Vec::len));
        if let Some(best) = best {
            let buffer = kept.buffers.swap_remove(best);
            kept.bytes = kept.bytes.saturating_sub(buffer.len());
            return buffer;
        }
        drop(kept);
        let rounded = if size > STEP { size.div_ceil(STEP).saturating_mul(STEP) } else { size };
        vec![0; rounded]
    }

    fn give_back(&self, buffer: Vec<u8>) {
        if buffer.is_empty() {
            return;
        }
        let mut kept = self.kept.lock();
        if kept.buffers.len() < MOST_BUFFERS && kept.bytes.saturating_add(buffer.len()) <= MOST_BYTES {
            kept.bytes = kept.bytes.saturating_add(buffer.len());
            kept.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_again_and_the_pool_is_bounded() {
        let pool = ReceivePool::default();
        let first = pool.take(1_000_000);
        assert!(first.len() >= 1_000_000 && first.len() < 1_100_000);
        let at = first.as_ptr();
        pool.give_back(first);
        let small = pool.take(10);
        assert!(small.as_ptr() != at, "a small frame does not take a large buffer");
        let again = pool.take(900_000);
        assert_eq!(again.as_ptr(), at);
        for _ in 0..100 {
            pool.give_back(vec![0; 1 << 20]);
        }
        assert!(pool.kept.lock().bytes <= MOST_BYTES);
    }
}
