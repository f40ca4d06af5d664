//! `cargo xtask`: chores of this repository that need more than a line of shell.

mod config_doc;
mod header;
mod protocol;

use std::process::ExitCode;

const USAGE: &str = "usage:
cargo xtask protocol [--check] [OLD.jar NEW.jar]
  writes src/protocol/messages, src/protocol/api.rs and the samples of the tests from the schemas in the
  kafka-clients jars, which Maven downloads into target/ unless two jars are named;
  --check writes nothing and fails if the checked-in files differ
cargo xtask config-doc [--check]
  writes CONFIGURATION.md from the table of properties; --check as above
cargo xtask header [--check]
  writes include/milena.h from src/ffi; --check as above
cargo xtask jars
  downloads into target/ what the test against Kafka's own classes needs";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("header") => header::run(&args[1..]),
        Some("protocol") => protocol::run(&args[1..]),
        Some("config-doc") => config_doc::run(&args[1..]),
        Some("jars") => protocol::jars(),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Errors of a chore are texts for the person who ran it.
type Result<T> = std::result::Result<T, String>;
