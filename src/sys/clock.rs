//! The one place that reads the clocks.

use crate::time::{Nanos, Now};
use std::sync::OnceLock;

/// Reads both clocks. The monotonic one counts from the first call in this process; it does not stop or jump
/// when the wall clock is set. No system call on the usual systems.
pub fn now() -> Now {
    Now { mono: mono(), wall_ms: wall_ms() }
}

/// The monotonic clock alone: for who is called too often to read both.
pub fn mono() -> Nanos {
    static ORIGIN: OnceLock<u64> = OnceLock::new();
    let time = read(libc::CLOCK_MONOTONIC);
    let nanos = (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64);
    Nanos(nanos.saturating_sub(*ORIGIN.get_or_init(|| nanos)))
}

/// Milliseconds since the Unix epoch, negative before it.
pub fn wall_ms() -> i64 {
    let time = read(libc::CLOCK_REALTIME);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for the result. Every Unix has these clocks, so the call does not fail.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_never_goes_back_and_wall_is_today() {
        let mut last = now();
        for _ in 0..10_000 {
            let next = now();
            assert!(next.mono >= last.mono);
            last = next;
        }
        // 2020-01-01; earlier means seconds were taken for milliseconds.
        assert!(last.wall_ms > 1_577_836_800_000, "{last:?}");
    }
}
