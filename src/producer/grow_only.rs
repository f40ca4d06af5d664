//! A list that only grows: readers take no lock and keep nothing alive, because what is in it stays as long as it.

use std::sync::OnceLock;

/// Items that are in place; each chunk doubles what there is.
const FIRST: usize = 16;
const CHUNKS: usize = 28;

/// Items numbered from 0.
pub struct GrowOnly<T> {
    first: [OnceLock<T>; FIRST],
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
}

impl<T> Default for GrowOnly<T> {
    fn default() -> Self {
        GrowOnly { first: [const { OnceLock::new() }; FIRST], chunks: [const { OnceLock::new() }; CHUNKS] }
    }
}

/// The chunk of an item that is not in the first, its place there, and how many the chunk has.
fn place(index: usize) -> (usize, usize, usize) {
    let bit = index.checked_ilog2().unwrap_or(0);
    let size = 1usize << bit;
    (bit.wrapping_sub(FIRST.ilog2()) as usize, index & size.wrapping_sub(1), size)
}

impl<T> GrowOnly<T> {
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&T> {
        match self.first.get(index) {
            Some(item) => item.get(),
            None => self.get_far(index),
        }
    }

    #[inline(never)]
    fn get_far(&self, index: usize) -> Option<&T> {
        let (chunk, at, _) = place(index);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    /// Puts an item where there is none yet, and gives what is there.
    pub fn get_or_init(&self, index: usize, make: impl FnOnce() -> T) -> Option<&T> {
        if let Some(item) = self.first.get(index) {
            return Some(item.get_or_init(make));
        }
        let (chunk, at, size) = place(index);
        let items = self.chunks.get(chunk)?.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        Some(items.get(at)?.get_or_init(make))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let list = GrowOnly::default();
        for i in 0..1000 {
            assert_eq!(list.get(i), None);
            assert_eq!(list.get_or_init(i, || i), Some(&i));
            assert_eq!(list.get_or_init(i, || 7), Some(&i));
        }
        assert!((0..1000).all(|i| list.get(i) == Some(&i)));
        assert_eq!(list.get(usize::MAX), None);
        assert_eq!(list.get(1 << 40), None);
    }
}
