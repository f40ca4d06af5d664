//! The frame reader under libFuzzer.
#![no_main]
#[path = "../targets/frames.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
