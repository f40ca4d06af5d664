//! A producer in a troubled world: nothing lost, nothing twice, order kept, everything reported once.

use crate::chaos::Chaos;
use crate::world::World;
use bytes::Bytes;
use milena::client::request::NoWake;
use milena::config::{parse, Config};
use milena::producer::deliveries::DeliveryChunk;
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::record::{BatchReader, Decompressor};
use std::collections::HashMap;

const TOPICS: &[(&str, i32)] = &[("a", 3), ("b", 1), ("c", 7)];

/// What became of a record.
#[derive(Clone, Debug)]
enum Fate {
    Accepted,
    Delivered { partition: i32, offset: i64 },
    Failed(String),
}

struct Sent {
    topic: &'static str,
    fate: Fate,
}

pub fn run(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let mut world = World::new(seed, 1 + rng.u32(0..3), 20 + rng.u64(0..20_000));
    for (topic, partitions) in TOPICS {
        if rng.bool() {
            world.cluster.create_topic(topic, *partitions, 1, &[]).expect("topic");
        }
    }
    let config = config(&mut rng, &world.bootstrap());
    let (producer, machine) = KafkaProducer::parts(&config, Vec::new(), seed, NoWake::shared());
    let client = world.add(machine);
    world.poll(client);
    let mut chaos = Chaos::new(&world, rng.u64(1..20), TOPICS, &[]);
    let mut sent: Vec<Sent> = Vec::new();
    let records = rng.usize(200..1500);
    while sent.len() < records || !chaos.is_over() {
        if sent.len() < records {
            send_some(&mut rng, &world, &producer, &mut sent);
            world.poll(client);
        }
        let until = world.clock.mono.plus_ms(rng.u64(0..60));
        while world.clock.mono < until {
            world.step(until);
            chaos.run(&mut world);
        }
        take_reports(&producer, &mut sent);
    }
    let flush = producer.begin_flush();
    world.poll(client);
    let limit = world.clock.mono.plus_ms(300_000);
    while !producer.is_flushed(flush) {
        assert!(world.clock.mono < limit, "a flush does not end: {} records left", unreported(&sent));
        world.step(limit);
    }
    producer.end_flush();
    take_reports(&producer, &mut sent);
    check(&config, &world, &sent);
    assert_eq!(producer.memory_in_use(), 0, "memory is given back");
}

fn config(rng: &mut fastrand::Rng, bootstrap: &str) -> milena::config::ProducerConfig {
    let mut config = Config::new();
    config.set("bootstrap.servers", bootstrap);
    if std::env::var("TRACE").is_ok() {
        config.set("debug", "all");
    }
    config.set("linger.ms", rng.u32(0..20).to_string());
    config.set("batch.size", [200, 1000, 16384][rng.usize(0..3)].to_string());
    config.set("compression.type", ["none", "gzip", "snappy", "lz4", "zstd"][rng.usize(0..5)]);
    config.set("request.timeout.ms", "5000");
    config.set("delivery.timeout.ms", "240000");
    config.set("buffer.memory", "1000000");
    config.set("max.block.ms", "200000");
    config.set("max.in.flight.requests.per.connection", rng.u32(1..6).to_string());
    if rng.u32(0..5) == 0 {
        config.set("enable.idempotence", "false");
    }
    if rng.bool() {
        config.set("metadata.max.idle.ms", "5000");
    }
    if rng.bool() {
        config.set("partitioner.availability.timeout.ms", rng.u32(1..2000).to_string());
    }
    parse::producer(&config).expect("valid configuration").value
}

fn send_some(rng: &mut fastrand::Rng, world: &World, producer: &KafkaProducer, sent: &mut Vec<Sent>) {
    let (topic, partitions) = TOPICS[rng.usize(0..TOPICS.len())];
    let known = world.cluster.topics().iter().any(|t| t == topic);
    let count = rng.usize(1..40);
    let values: Vec<Vec<u8>> = (0..count)
        .map(|i| {
            let mut value = ((sent.len() + i) as u64).to_le_bytes().to_vec();
            value.resize(8 + rng.usize(0..200), 7);
            value
        })
        .collect();
    let keys: Vec<Vec<u8>> = (0..count).map(|_| vec![rng.u8(0..20)]).collect();
    let records: Vec<ProducerRecord<'_>> = (0..count)
        .map(|i| ProducerRecord {
            partition: if known && rng.u32(0..4) == 0 && partitions == 1 { 0 } else { -1 },
            key: rng.bool().then_some(&keys[i][..]),
            value: Some(&values[i]),
            token: (sent.len() + i) as u64,
            ..Default::default()
        })
        .collect();
    let result = producer.send_step(world.now(), topic, &mut SliceSource::new(&records));
    for _ in 0..result.accepted {
        sent.push(Sent { topic, fate: Fate::Accepted });
    }
}

fn take_reports(producer: &KafkaProducer, sent: &mut [Sent]) {
    for chunk in producer.poll_step(usize::MAX) {
        let DeliveryChunk { topic, partition, base_offset, error, tokens, .. } = chunk;
        for (i, token) in tokens.into_iter().enumerate() {
            let record = &mut sent[token as usize];
            assert_eq!(record.topic, &*topic, "record {token} is reported for its topic");
            assert!(
                matches!(record.fate, Fate::Accepted),
                "record {token} is reported twice: {:?}",
                record.fate
            );
            record.fate = match &error {
                None => Fate::Delivered { partition, offset: base_offset + i as i64 },
                Some(error) => Fate::Failed(error.to_string()),
            };
        }
    }
}

fn unreported(sent: &[Sent]) -> usize {
    sent.iter().filter(|s| matches!(s.fate, Fate::Accepted)).count()
}

/// Where each record (by its number) is in the log: partition and offset.
fn log_of(world: &World, topic: &str, partitions: i32) -> Vec<(usize, i32, i64)> {
    let mut found = Vec::new();
    let mut decompressor = Decompressor::new();
    for partition in 0..partitions {
        for batch in world.cluster.log_batches(topic, partition).unwrap_or_default() {
            for batch in BatchReader::new(Bytes::from(batch.to_vec()), true) {
                let batch = batch.expect("sound batch");
                let mut records = batch.records(&mut decompressor, 1 << 24).expect("sound records");
                while let Some(record) = records.next() {
                    let record = record.expect("sound record");
                    let value = record.value.get(records.block()).expect("value");
                    let number = u64::from_le_bytes(value[..8].try_into().expect("number"));
                    found.push((number as usize, partition, record.offset));
                }
            }
        }
    }
    found
}

fn check(config: &milena::config::ProducerConfig, world: &World, sent: &[Sent]) {
    assert_eq!(unreported(sent), 0, "every accepted record is reported");
    for (topic, _) in TOPICS {
        let partitions = if world.cluster.topics().iter().any(|t| t == topic) { 20 } else { 0 };
        let log = log_of(world, topic, partitions);
        let mut places: HashMap<usize, Vec<(i32, i64)>> = HashMap::new();
        for (number, partition, offset) in &log {
            places.entry(*number).or_default().push((*partition, *offset));
        }
        if std::env::var("TRACE").is_ok() {
            let mut l = log.clone();
            l.sort_by_key(|e| (e.1, e.2));
            for (number, partition, offset) in l {
                eprintln!("{topic}-{partition} {offset}: {number} {:?}", sent[number].fate);
            }
        }
        let mut last: HashMap<i32, i64> = HashMap::new();
        for (number, record) in sent.iter().enumerate().filter(|(_, s)| s.topic == *topic) {
            let found = places.remove(&number).unwrap_or_default();
            match &record.fate {
                Fate::Delivered { partition, offset } => {
                    if *offset >= 0 {
                        assert!(
                            found.contains(&(*partition, *offset)),
                            "record {number} is at its offset {offset} of {topic}-{partition}: {found:?}"
                        );
                    }
                    assert!(!found.is_empty(), "record {number} is lost");
                    if config.idempotence {
                        assert_eq!(found.len(), 1, "record {number} is there once: {found:?}");
                        let (partition, offset) = found[0];
                        let before = last.insert(partition, offset).unwrap_or(-1);
                        assert!(
                            before < offset,
                            "record {number} at {topic}-{partition} {offset} is behind {before}"
                        );
                    }
                }
                Fate::Failed(error) => panic!("record {number} failed: {error}"),
                Fate::Accepted => unreachable!("checked above"),
            }
        }
        assert!(places.is_empty(), "records that nobody sent: {places:?}");
    }
}
