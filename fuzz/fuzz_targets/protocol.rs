//! The protocol decoder under libFuzzer.
#![no_main]
#[path = "../../tests/protocol_samples/mod.rs"]
mod protocol_samples;
#[path = "../targets/protocol.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
