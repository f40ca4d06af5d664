//! Tests against a real Kafka. They are ignored in a plain `cargo test`; the stages of `scripts/test.sh` whose names
//! begin with `kafka` start brokers and run them.

mod broker;
mod static_members;

use std::io::{Read, Write};

/// What `kafka_cluster.py` starts is a broker: it answers ApiVersions, and offers Produce and Fetch.
#[test]
#[ignore = "needs a broker, MILENA_BROKER"]
fn broker_answers_api_versions() {
    let mut stream = broker::connect();
    // length; API key 18, version 0, correlation id 7, no client id
    stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]).expect("write");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("read the length");
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).expect("read the body");
    assert_eq!(body[..4], [0, 0, 0, 7], "correlation id");
    assert_eq!(body[4..6], [0, 0], "error code");
    let keys: Vec<i16> = body[10..].chunks_exact(6).map(|row| i16::from_be_bytes([row[0], row[1]])).collect();
    assert!(keys.contains(&0) && keys.contains(&1), "Produce and Fetch are offered: {keys:?}");
}
