//! Clients and clusters for the tests, and what is asked of every error.

use milena::admin::AdminClient;
use milena::config::{parse, Config};
use milena::consumer::KafkaConsumer;
use milena::embedded::{ClusterSettings, EmbeddedServer};
use milena::error::{Code, Error};
use milena::producer::deliveries::DeliveryChunk;
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::record::{BatchReader, Decompressor};
use std::time::{Duration, Instant};

/// Only a failing test waits that long.
pub const LONG: Duration = Duration::from_secs(60);

pub const SECOND: Duration = Duration::from_secs(1);

fn config(bootstrap: &str, entries: &[(&str, &str)]) -> Config {
    let mut config = Config::new();
    config.set("bootstrap.servers", bootstrap).set("log.sink", "poll");
    for (name, value) in entries {
        config.set(name, *value);
    }
    config
}

pub fn producer(bootstrap: &str, entries: &[(&str, &str)]) -> KafkaProducer {
    let config = parse::producer(&config(bootstrap, entries)).expect("a valid configuration").value;
    KafkaProducer::new(&config).expect("a producer")
}

pub fn consumer(bootstrap: &str, entries: &[(&str, &str)]) -> KafkaConsumer {
    let config = parse::consumer(&config(bootstrap, entries)).expect("a valid configuration").value;
    KafkaConsumer::new(&config).expect("a consumer")
}

pub fn admin(bootstrap: &str, entries: &[(&str, &str)]) -> AdminClient {
    let config = parse::admin(&config(bootstrap, entries)).expect("a valid configuration").value;
    AdminClient::new(&config).expect("an admin client")
}

pub fn cluster(brokers: u32) -> EmbeddedServer {
    let settings = ClusterSettings { brokers, auto_create_topics: false, ..ClusterSettings::default() };
    EmbeddedServer::start(settings, 0).expect("a cluster")
}

/// Sends records with these values to partition 0, their tokens counted from `first`.
pub fn send(producer: &KafkaProducer, topic: &str, first: u64, values: &[&[u8]]) {
    let records: Vec<ProducerRecord<'_>> = (first..)
        .zip(values)
        .map(|(token, value)| ProducerRecord {
            partition: 0,
            value: Some(value),
            token,
            ..Default::default()
        })
        .collect();
    let sent = producer.send(topic.as_bytes(), &mut SliceSource::new(&records), None);
    assert!(sent.refused.is_none(), "{:?}", sent.refused);
    assert_eq!(sent.accepted, values.len());
}

/// Deliveries of `records` records, with what came of each in the order of its token; no token comes twice.
pub fn deliveries(producer: &KafkaProducer, records: usize) -> Vec<Result<i64, Error>> {
    let end = Instant::now() + LONG;
    let mut found: Vec<(u64, Result<i64, Error>)> = Vec::new();
    while found.len() < records {
        assert!(Instant::now() < end, "{} of {records} records were reported", found.len());
        for DeliveryChunk { base_offset, error, tokens, .. } in producer.poll(SECOND, usize::MAX) {
            for (i, token) in (0..).zip(tokens) {
                let outcome = error.clone().map_or(Ok(base_offset + i), Err);
                found.push((token, outcome));
            }
        }
    }
    found.sort_by_key(|f| f.0);
    let tokens: Vec<u64> = found.iter().map(|f| f.0).collect();
    let first = tokens.first().copied().unwrap_or(0);
    assert_eq!(tokens, (first..first + records as u64).collect::<Vec<_>>(), "each is reported once");
    found.into_iter().map(|f| f.1).collect()
}

/// The one delivery of one record, which fails.
pub fn failure(producer: &KafkaProducer) -> Error {
    deliveries(producer, 1).remove(0).expect_err("the record can't be delivered")
}

/// An error says what is expected of it, all in the one line that an application prints.
#[track_caller]
pub fn assert_tells(error: &Error, code: Code, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.code(), code, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// Values of the records in a partition of an embedded cluster.
pub fn stored(server: &EmbeddedServer, topic: &str) -> Vec<Vec<u8>> {
    let batches = server.with(|cluster, _| cluster.log_batches(topic, 0)).expect("a partition");
    let mut decompressor = Decompressor::new();
    let mut values = Vec::new();
    for region in batches {
        for batch in BatchReader::new(region, true) {
            let mut records = batch.expect("sound").records(&mut decompressor, 1 << 24).expect("sound");
            while let Some(record) = records.next() {
                let value = record.expect("sound").value.get(records.block()).unwrap_or_default();
                values.push(value.to_vec());
            }
        }
    }
    values
}

/// Memory of this process in use at most so far, in bytes.
pub fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("a line of memory");
    let kilobytes: usize = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kilobytes * 1024
}
