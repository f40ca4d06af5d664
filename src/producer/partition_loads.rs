//! How many batches wait in the partitions of a topic, for the choice among them: the fewer, the likelier (KIP-794).
//!
//! Partitions with the same number of batches are in one list. So a change costs the same however many partitions
//! there are, and a choice a walk over the lengths that queues have, not over the queues.

/// A queue that is longer counts as this long, which bounds the walk.
const LONGEST: u32 = 1000;

/// The load of a partition that takes nothing in for the moment.
const LATE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub struct PartitionLoads {
    /// By partition.
    places: Vec<Place>,
    /// The partitions to choose from, by their load.
    by_load: Vec<Vec<u32>>,
    /// No partition to choose from has a higher load.
    highest: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    load: u32,
    /// It has a leader.
    available: bool,
    /// Where it is in the list of its load.
    at: u32,
}

impl PartitionLoads {
    /// Says which partitions have a leader. What was said of their loads holds on.
    pub fn set_available(&mut self, available: &[u32]) {
        self.by_load.iter_mut().for_each(Vec::clear);
        self.highest = 0;
        self.places.iter_mut().for_each(|place| place.available = false);
        for partition in available {
            let place = self.place(*partition as usize);
            place.available = true;
            self.put_in(*partition as usize);
        }
    }

    /// Says how many batches wait in a partition; `None`: so long already that it is left out.
    pub fn set(&mut self, partition: usize, batches: Option<usize>) {
        let load = batches.map_or(LATE, |n| u32::try_from(n).unwrap_or(LONGEST).min(LONGEST));
        if self.place(partition).load != load {
            self.take_out(partition);
            self.place(partition).load = load;
            self.put_in(partition);
        }
    }

    /// One of the partitions that have a leader and are not left out: each as likely as it has fewer batches than
    /// one more than the longest queue. `None` if there is none.
    pub fn choose(&self, rng: &mut fastrand::Rng) -> Option<usize> {
        let weights = || self.by_load.iter().zip((1..=self.highest as u64 + 1).rev());
        let all = weights().map(|(list, weight)| list.len() as u64 * weight).sum();
        let mut drawn = if all > 0 { rng.u64(0..all) } else { return None };
        for (list, weight) in weights() {
            let share = list.len() as u64 * weight;
            if drawn < share {
                return list.get((drawn / weight) as usize).map(|partition| *partition as usize);
            }
            drawn -= share;
        }
        None
    }

    fn place(&mut self, partition: usize) -> &mut Place {
        if self.places.len() <= partition {
            self.places.resize(partition + 1, Place::default());
        }
        &mut self.places[partition]
    }

    fn put_in(&mut self, partition: usize) {
        let Place { load, available, .. } = *self.place(partition);
        if !available || load == LATE {
            return;
        }
        let load = load as usize;
        if self.by_load.len() <= load {
            self.by_load.resize_with(load + 1, Vec::new);
        }
        self.highest = self.highest.max(load);
        self.place(partition).at = self.by_load[load].len() as u32;
        self.by_load[load].push(partition as u32);
    }

    fn take_out(&mut self, partition: usize) {
        let Place { load, available, at } = *self.place(partition);
        if !available || load == LATE {
            return;
        }
        let list = &mut self.by_load[load as usize];
        list.swap_remove(at as usize);
        if let Some(moved) = list.get(at as usize).copied() {
            self.place(moved as usize).at = at;
        }
        while self.highest > 0 && self.by_load[self.highest].is_empty() {
            self.highest -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of `n` partitions is chosen in 10,000 draws.
    fn frequencies(loads: &PartitionLoads, n: usize) -> Vec<usize> {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut counts = vec![0; n];
        for _ in 0..10_000 {
            counts[loads.choose(&mut rng).expect("a partition")] += 1;
        }
        counts
    }

    fn loads(batches: &[Option<usize>]) -> PartitionLoads {
        let mut loads = PartitionLoads::default();
        loads.set_available(&(0..batches.len() as u32).collect::<Vec<_>>());
        for (partition, batches) in batches.iter().enumerate() {
            loads.set(partition, *batches);
        }
        loads
    }

    /// Within four standard deviations of what the weights say.
    #[track_caller]
    fn assert_weights(loads: &PartitionLoads, weights: &[usize]) {
        let counts = frequencies(loads, weights.len());
        let all: usize = weights.iter().sum();
        for (count, weight) in counts.iter().zip(weights) {
            let p = *weight as f64 / all as f64;
            let most = 4.0 * (10_000.0 * p * (1.0 - p)).sqrt();
            assert!((*count as f64 - 10_000.0 * p).abs() <= most, "{counts:?} for {weights:?}");
        }
    }

    #[test]
    fn the_fewer_batches_the_likelier() {
        assert_weights(&loads(&[Some(0), Some(3), Some(1)]), &[4, 1, 3]);
        assert_weights(&loads(&[Some(5), Some(0), Some(3), Some(0), Some(1)]), &[1, 6, 3, 6, 5]);
        assert_weights(&loads(&[Some(7), Some(7), Some(7)]), &[1, 1, 1]);
        assert_weights(&loads(&[Some(0), Some(usize::MAX)]), &[LONGEST as usize + 1, 1]);
    }

    #[test]
    fn late_partitions_and_such_without_a_leader_are_left_out() {
        let mut loads = loads(&[Some(2), None, Some(0), Some(1)]);
        assert_weights(&loads, &[1, 0, 3, 2]);
        loads.set_available(&[0, 1, 3]);
        assert_weights(&loads, &[1, 0, 0, 2]);
        // What changes meanwhile counts later.
        loads.set(2, Some(1));
        loads.set(1, Some(2));
        loads.set_available(&[0, 1, 2, 3]);
        assert_weights(&loads, &[1, 1, 2, 2]);
        (0..4).for_each(|partition| loads.set(partition, None));
        assert_eq!(loads.choose(&mut fastrand::Rng::with_seed(1)), None);
    }

    #[test]
    fn changes_leave_it_as_if_made_anew() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut now: Vec<Option<usize>> = vec![Some(0); 9];
        let mut changed = loads(&now);
        for _ in 0..2000 {
            let partition = rng.usize(0..now.len());
            now[partition] = if rng.u8(0..4) == 0 { None } else { Some(rng.usize(0..6)) };
            changed.set(partition, now[partition]);
            let anew = loads(&now);
            let sorted = |loads: &PartitionLoads| -> Vec<Vec<u32>> {
                let mut lists = loads.by_load.clone();
                lists.iter_mut().for_each(|list| list.sort_unstable());
                lists.truncate(loads.highest + 1);
                lists.retain(|list| !list.is_empty());
                lists
            };
            assert_eq!((sorted(&changed), changed.highest), (sorted(&anew), anew.highest), "{now:?}");
        }
    }
}
