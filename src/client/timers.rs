//! Deadlines of many things, each of which has at most one.

use crate::time::Nanos;
use std::collections::BTreeSet;

/// When which key comes up. What belongs to a key remembers its time, so that an earlier one replaces it: were it
/// left here, a timer of minutes would be left with every one of milliseconds.
#[derive(Debug)]
pub struct Timers<K>(BTreeSet<(Nanos, K)>);

impl<K: Copy + Ord> Default for Timers<K> {
    fn default() -> Self {
        Timers(BTreeSet::new())
    }
}

impl<K: Copy + Ord> Timers<K> {
    /// Has `key` come up at `at`, unless it does so earlier already. `scheduled` is when it does; `NEVER`: it does
    /// not.
    pub fn schedule(&mut self, key: K, scheduled: &mut Nanos, at: Nanos) {
        if at < *scheduled {
            self.cancel(key, scheduled);
            self.0.insert((at, key));
            *scheduled = at;
        }
    }

    /// It does not come up any more.
    pub fn cancel(&mut self, key: K, scheduled: &mut Nanos) {
        let at = std::mem::replace(scheduled, Nanos::NEVER);
        if at != Nanos::NEVER {
            self.0.remove(&(at, key));
        }
    }

    /// Takes the first that has come up; its `scheduled` is to be set to `NEVER`.
    pub fn pop_due(&mut self, now: Nanos) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, key)| key)
    }

    /// When the first comes up.
    pub fn next(&self) -> Option<Nanos> {
        self.0.first().map(|(at, _)| *at)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_there_once_with_its_earliest_time() {
        let mut timers = Timers::default();
        let (mut one, mut two) = (Nanos::NEVER, Nanos::NEVER);
        timers.schedule(1, &mut one, Nanos(50));
        timers.schedule(2, &mut two, Nanos(40));
        timers.schedule(1, &mut one, Nanos(60));
        timers.schedule(1, &mut one, Nanos(30));
        assert_eq!((timers.len(), timers.next(), one, two), (2, Some(Nanos(30)), Nanos(30), Nanos(40)));
        assert_eq!(timers.pop_due(Nanos(29)), None);
        assert_eq!(timers.pop_due(Nanos(30)), Some(1));
        timers.cancel(2, &mut two);
        assert!(timers.is_empty() && two == Nanos::NEVER);
        timers.cancel(2, &mut two);
    }
}
