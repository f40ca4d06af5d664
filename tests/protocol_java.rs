//! The bytes of every message in every version are those of Kafka's own classes, in the releases whose schemas the
//! messages come from: they read what we wrote to the last byte, and write the same bytes again.

mod protocol_samples;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use protocol_samples::{Case, Gen, CASES};

const SEEDS: u64 = 25;

/// What the classes of one jar say of each line: "ok", "absent" for a version that it lacks, or what is wrong.
fn ask(jar: &Path, lines: &str) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol_java/Oracle.java");
    let mut java = Command::new("java")
        .arg("-cp")
        .arg(format!("{}:{}", jar.display(), jar.with_file_name("slf4j-api-1.7.36.jar").display()))
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("java runs");
    java.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = java.wait_with_output().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs Java and the jars of cargo xtask jars"]
fn bytes_are_equal_to_those_of_kafka() {
    let (mut lines, mut asked): (String, Vec<(&Case, i16, u64)>) = Default::default();
    for case in CASES {
        for v in case.min..=case.max {
            for seed in 0..SEEDS {
                let _ = write!(lines, "{} {v} ", case.name);
                for byte in (case.encode)(&mut Gen::new(seed), v).unwrap() {
                    let _ = write!(lines, "{byte:02x}");
                }
                lines.push('\n');
                asked.push((case, v, seed));
            }
        }
    }
    let (mut failures, mut confirmed) = (Vec::new(), BTreeSet::new());
    for version in ["3.9.1", "4.4.0"] {
        let jar = format!("target/kafka-clients/kafka-clients-{version}.jar");
        let jar = Path::new(env!("CARGO_MANIFEST_DIR")).join(jar);
        assert!(jar.exists(), "{} is missing: run cargo xtask jars", jar.display());
        let answers = ask(&jar, &lines);
        assert_eq!(answers.len(), asked.len());
        for ((case, v, seed), answer) in asked.iter().zip(answers) {
            match answer.as_str() {
                "ok" => drop(confirmed.insert((case.name, *v))),
                "absent" => {}
                wrong => failures.push(format!("{version}: {} v{v} seed {seed}: {wrong}", case.name)),
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    for (case, v, _) in asked {
        assert!(confirmed.contains(&(case.name, v)), "{} v{v} is in no release", case.name);
    }
}
