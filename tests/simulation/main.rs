//! Seeded simulation: the real client against the embedded cluster over a virtual network, in virtual time.
//!
//! `SEEDS=n` runs seeds 0 to n-1 (default 200), `SEED=n` replays one.

mod chaos;
mod choosing;
mod clock;
mod consuming;
mod feed;
mod idle;
mod producing;
mod world;

use std::panic::{catch_unwind, AssertUnwindSafe};

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(200),
    }
}

fn sweep(name: &str, run: impl Fn(u64)) {
    let mut failed = Vec::new();
    for seed in seeds() {
        if catch_unwind(AssertUnwindSafe(|| run(seed))).is_err() {
            eprintln!("{name}: seed {seed} fails; replay it with SEED={seed}");
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "{name}: {} seeds fail: {failed:?}", failed.len());
}

#[test]
fn producing() {
    sweep("producing", producing::run);
}

#[test]
fn consuming_assigned_partitions() {
    sweep("consuming_assigned_partitions", consuming::assigned);
}

#[test]
fn consuming_in_a_group() {
    sweep("consuming_in_a_group", consuming::grouped);
}

/// What these show, a few seeds show.
fn few(run: impl Fn(u64)) {
    seeds().take(10).for_each(run);
}

#[test]
fn a_slow_broker_gets_fewer_records_without_a_key() {
    few(choosing::a_slow_broker);
}

#[test]
fn a_broker_that_takes_nothing_gets_no_records_without_a_key() {
    few(choosing::a_broker_that_takes_nothing);
}

#[test]
fn an_idle_topic_is_dropped_and_found_again() {
    few(idle::a_topic_is_sent_to_again);
    few(idle::a_topic_is_not_found_again);
}
