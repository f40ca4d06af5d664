//! The fuzz targets on stable Rust: seeds are sound samples, changed by a seeded mutator, for a bounded time.
//!
//! `FUZZ_SECONDS=n` is the time per target (default 15). Iteration n of a target is the same in every run;
//! `FUZZ_SEED=n` replays one. With nightly Rust, `cargo fuzz` runs the same targets guided by coverage: see
//! fuzz/README.md.

mod corpus;
#[path = "../targets/frames.rs"]
mod frames;
mod memory;
mod mutate;
#[path = "../targets/protocol.rs"]
mod protocol;
#[path = "../../tests/protocol_samples/mod.rs"]
mod protocol_samples;
#[path = "../targets/records.rs"]
mod records;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};

/// No input takes this long, on any machine.
const TOO_LONG: Duration = Duration::from_secs(20);

struct Target {
    name: &'static str,
    /// The sound input that iteration n begins with.
    seed: Box<dyn Fn(u64) -> Vec<u8>>,
    run: fn(&[u8]),
    /// Bytes that running may hold beyond the input.
    allowed: fn(&[u8]) -> usize,
}

impl Target {
    fn input(&self, iteration: u64) -> Vec<u8> {
        let mut rng = fastrand::Rng::with_seed(iteration);
        let mut input = (self.seed)(iteration);
        let other = (self.seed)(iteration / 2);
        mutate::mutate(&mut rng, &mut input, &other);
        input
    }

    fn iterate(&self, iteration: u64) {
        let input = self.input(iteration);
        let begin = Instant::now();
        let mut held = 0;
        let result = catch_unwind(AssertUnwindSafe(|| held = memory::most_held(|| (self.run)(&input))));
        let (took, allowed) = (begin.elapsed(), (self.allowed)(&input));
        let problem = match result {
            Err(_) => "it panicked".to_owned(),
            Ok(()) if held > allowed => format!("it held {held} bytes, {allowed} are allowed"),
            Ok(()) if took > TOO_LONG => format!("it took {took:?}"),
            Ok(()) => return,
        };
        let shown: String = input.iter().take(4096).map(|byte| format!("{byte:02x}")).collect();
        panic!(
            "{}: {problem}; {} bytes of input: {shown}\nreplay it with FUZZ_SEED={iteration}",
            self.name,
            input.len()
        );
    }
}

fn fuzz(target: &Target) {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    if let Some(iteration) = number("FUZZ_SEED") {
        return target.iterate(iteration);
    }
    let seconds = number("FUZZ_SECONDS").unwrap_or(15);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut iteration = 0;
    while Instant::now() < end {
        target.iterate(iteration);
        iteration += 1;
    }
    println!("{}: {iteration} inputs in {seconds} s", target.name);
}

#[test]
fn protocol_decoder() {
    fuzz(&Target {
        name: "protocol",
        seed: Box::new(corpus::message),
        run: protocol::run,
        allowed: protocol::allowed,
    });
}

#[test]
fn record_reader() {
    let regions = corpus::regions();
    fuzz(&Target {
        name: "records",
        seed: Box::new(move |n| corpus::region(&regions, n)),
        run: records::run,
        allowed: records::allowed,
    });
}

#[test]
fn frame_reader() {
    fuzz(&Target {
        name: "frames",
        seed: Box::new(corpus::stream),
        run: frames::run,
        allowed: frames::allowed,
    });
}

/// The targets themselves hold on sound input: otherwise they would look at nothing.
#[test]
fn seeds_are_sound() {
    let regions = corpus::regions();
    for n in 0..2000 {
        protocol::run(&corpus::message(n));
        records::run(&corpus::region(&regions, n));
        frames::run(&corpus::stream(n));
    }
    let mut whole = 0;
    for region in &regions {
        let region = bytes::Bytes::from(region.clone());
        let batches = milena::record::BatchReader::new(region, true).map(|batch| batch.expect("sound"));
        let mut decompressor = milena::record::Decompressor::new();
        for batch in batches {
            whole += batch.records(&mut decompressor, 1 << 20).expect("sound").map(Result::unwrap).count();
        }
    }
    assert!(whole > 300, "{whole} records in all seeds");
}
