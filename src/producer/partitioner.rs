//! Which partition a record goes to: by its key as Java does it (murmur2), or, without a key, to one partition
//! until about `batch.size` bytes went there, then to another (KIP-480), the likelier the less waits there (KIP-794).

use super::partition_loads::PartitionLoads;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Java's `Utils.murmur2`: the hash that every Java producer places keys with.
pub fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let mut h: u32 = 0x9747_b28c ^ key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in words.by_ref() {
        let mut k = word.iter().rev().fold(0u32, |k, b| (k << 8) | u32::from(*b));
        k = k.wrapping_mul(M);
        k ^= k >> R;
        k = k.wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0u32, |k, b| (k << 8) | u32::from(*b));
        h = (h ^ tail).wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^ (h >> 15)
}

/// The partition of a key among `partitions` (at least 1).
pub fn partition_for_key(key: &[u8], partitions: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions.max(1)
}

/// `BuiltInPartitioner`: the sticky choice for records without a key. Any number of threads use it at once.
#[derive(Debug)]
pub struct BuiltInPartitioner {
    /// `NONE` before the first choice.
    current: AtomicUsize,
    produced: AtomicUsize,
    choosing: Mutex<Choosing>,
}

#[derive(Debug)]
struct Choosing {
    rng: fastrand::Rng,
    /// The partitions that have a leader.
    available: Vec<u32>,
    /// How busy they are; nothing before one of them is.
    loads: Option<PartitionLoads>,
}

const NONE: usize = usize::MAX;

impl BuiltInPartitioner {
    pub fn new(seed: u64) -> BuiltInPartitioner {
        BuiltInPartitioner {
            current: AtomicUsize::new(NONE),
            produced: AtomicUsize::new(0),
            choosing: Mutex::new(Choosing {
                rng: fastrand::Rng::with_seed(seed),
                available: Vec::new(),
                loads: None,
            }),
        }
    }

    /// Says which partitions have a leader. Only those are chosen from, or all when there is none.
    pub fn set_available(&self, available: Vec<u32>) {
        let mut choosing = self.choosing.lock();
        if let Some(loads) = &mut choosing.loads {
            loads.set_available(&available);
        }
        choosing.available = available;
    }

    /// Says how many batches wait in a partition (0 when nothing was said), for the next choice; `None`: for so long
    /// that it is left out, unless all others are as well.
    pub fn set_load(&self, partition: usize, batches: Option<usize>) {
        let mut choosing = self.choosing.lock();
        let Choosing { available, loads, .. } = &mut *choosing;
        if loads.is_none() && batches == Some(0) {
            return;
        }
        let loads = loads.get_or_insert_with(|| {
            let mut loads = PartitionLoads::default();
            loads.set_available(available);
            loads
        });
        loads.set(partition, batches);
    }

    /// The last choice, which may be none of the topic's partitions.
    #[inline(always)]
    pub fn chosen(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Where records without a key go now, among `partitions`.
    #[inline]
    pub fn current(&self, partitions: usize) -> usize {
        let current = self.chosen();
        if current < partitions {
            current
        } else {
            self.choose(current, partitions)
        }
    }

    /// Counts what went to the present choice. What another thread counts in the same moment may get lost, and what
    /// comes just after a new choice counts for that: it is a matter of when to move on, and no more exact.
    #[inline(always)]
    pub fn produced(&self, bytes: usize) {
        let produced = self.produced.load(Ordering::Relaxed).wrapping_add(bytes);
        self.produced.store(produced, Ordering::Relaxed);
    }

    /// A new batch must be begun: the moment to move on, if enough went here. Returns where to go on.
    pub fn next(&self, partitions: usize, batch_size: usize) -> usize {
        let current = self.current(partitions);
        if self.produced.load(Ordering::Relaxed) >= batch_size {
            return self.choose(current, partitions);
        }
        current
    }

    /// Chooses anew, unless another thread has done so since `seen` was the choice.
    #[cold]
    fn choose(&self, seen: usize, partitions: usize) -> usize {
        let mut choosing = self.choosing.lock();
        let current = self.chosen();
        if current != seen && current < partitions {
            return current;
        }
        let Choosing { rng, available, loads } = &mut *choosing;
        let by_load = loads.as_ref().and_then(|loads| loads.choose(rng));
        let chosen = by_load.unwrap_or_else(|| match available.len() {
            0 => rng.usize(0..partitions.max(1)),
            n => available.get(rng.usize(0..n)).map_or(0, |p| *p as usize),
        });
        // A topic that was made again smaller has fewer than those that had a leader.
        let chosen = if chosen < partitions { chosen } else { rng.usize(0..partitions.max(1)) };
        self.current.store(chosen, Ordering::Relaxed);
        self.produced.store(0, Ordering::Relaxed);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `org.apache.kafka.common.utils.Utils.murmur2` in kafka-clients.
    #[test]
    fn murmur2_is_javas() {
        let expected: [(&[u8], i32); 8] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
            (b"", 275_646_681),
            (&[0xff, 0x80, 0x00, 0x7f, 0xfe], murmur2(&[0xff, 0x80, 0x00, 0x7f, 0xfe]) as i32),
        ];
        for (key, hash) in expected {
            assert_eq!(murmur2(key) as i32, hash, "{key:?}");
        }
    }

    #[test]
    fn null_keys_stay_until_enough_was_produced_and_then_spread_evenly() {
        let p = BuiltInPartitioner::new(7);
        p.set_available((0..8).collect());
        let mut bytes = [0usize; 8];
        for _ in 0..8000 {
            let at = p.current(8);
            p.produced(600);
            bytes[at] += 600;
            assert_eq!(p.next(8, usize::MAX), at);
            p.produced(500);
            p.next(8, 1000);
        }
        let mean = bytes.iter().sum::<usize>() / 8;
        assert!(bytes.iter().all(|b| b.abs_diff(mean) < mean / 5), "{bytes:?}");
    }

    #[test]
    fn partitions_without_a_leader_are_left_out() {
        let p = BuiltInPartitioner::new(1);
        p.set_available(vec![2, 5]);
        for _ in 0..50 {
            assert!([2, 5].contains(&p.current(8)));
            p.produced(10);
            p.next(8, 10);
        }
    }

    /// Where `n` choices went, of `partitions`.
    fn choices(p: &BuiltInPartitioner, partitions: usize, n: usize) -> Vec<usize> {
        let mut counts = vec![0; partitions];
        for _ in 0..n {
            p.produced(10);
            counts[p.next(partitions, 10)] += 1;
        }
        counts
    }

    #[test]
    fn where_less_waits_more_goes() {
        let p = BuiltInPartitioner::new(5);
        p.set_available(vec![0, 1, 2]);
        p.set_load(1, Some(3));
        p.set_load(2, Some(1));
        let counts = choices(&p, 4, 8000);
        let right = counts.iter().zip([4000, 1000, 3000, 0]).all(|(count, mean)| count.abs_diff(mean) < 200);
        assert!(right, "{counts:?}");
    }

    #[test]
    fn late_partitions_are_left_out_unless_all_are() {
        let p = BuiltInPartitioner::new(5);
        p.set_available(vec![0, 2]);
        p.set_load(2, None);
        assert_eq!(choices(&p, 4, 100), [100, 0, 0, 0]);
        p.set_load(0, None);
        let counts = choices(&p, 4, 100);
        assert!(counts[0] > 20 && counts[2] > 20 && counts[0] + counts[2] == 100, "{counts:?}");
        p.set_load(2, Some(0));
        assert_eq!(choices(&p, 4, 100), [0, 0, 100, 0]);
    }
}
