//! Consumers in a troubled world.
//!
//! With partitions of its own a consumer reads every record once and in order, whatever happens to the network. In
//! a group every record is read by somebody, and no member begins behind a record that nobody has read.

use crate::chaos::Chaos;
use crate::feed::{Feed, TOPIC};
use crate::world::{ClientId, World};
use milena::client::request::NoWake;
use milena::config::{parse, Config, ConsumerConfig};
use milena::consumer::{Event, KafkaConsumer, OffsetAndMetadata, Polled};
use milena::serialization::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};

const GROUP: &str = "g";

fn config(world: &mut World, group: bool) -> ConsumerConfig {
    let mut config = Config::new();
    config.set("bootstrap.servers", world.bootstrap());
    config.set("auto.offset.reset", "earliest");
    config.set("request.timeout.ms", "6000");
    config.set("fetch.max.wait.ms", world.rng.u32(1..500).to_string());
    config.set("max.partition.fetch.bytes", ["300", "5000", "1048576"][world.rng.usize(0..3)]);
    config.set("fetch.max.bytes", ["1000", "20000", "52428800"][world.rng.usize(0..3)]);
    config.set("log.level", "off");
    if std::env::var("TRACE").is_ok() {
        config.set("log.level", "debug").set("debug", "all");
    }
    if group {
        config.set("group.id", GROUP);
        config.set("session.timeout.ms", "6000");
        config.set("heartbeat.interval.ms", "1500");
        config.set("auto.commit.interval.ms", "700");
        config.set("enable.auto.commit", if world.rng.bool() { "true" } else { "false" });
        let assignors = ["range", "roundrobin", "cooperative-sticky"];
        config.set("partition.assignment.strategy", assignors[(world.rng_seed() % 3) as usize]);
    }
    parse::consumer(&config).expect("valid configuration").value
}

fn partition(index: i32) -> TopicPartition {
    TopicPartition::new(TOPIC, index)
}

fn world(seed: u64) -> (World, i32) {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0xc0de);
    let mut world = World::new(seed, 1 + rng.u32(0..3), 20 + rng.u64(0..20_000));
    let partitions = rng.i32(1..8);
    world.cluster.create_topic(TOPIC, partitions, 1, &[]).expect("topic");
    world.run_cluster();
    (world, partitions)
}

// ---- partitions of its own

pub fn assigned(seed: u64) {
    let (mut world, partitions) = world(seed);
    let mut feed = Feed::new(&mut world, partitions, 600, seed);
    let config = config(&mut world, false);
    let (mut consumer, machine) = KafkaConsumer::parts(&config, seed, NoWake::shared());
    let client = world.add(machine);
    let all: Vec<TopicPartition> = (0..partitions).map(partition).collect();
    consumer.assign(&all).expect("assign");
    let mut chaos = Chaos::new(&world, world.rng.clone().u64(1..15), &[(TOPIC, partitions)], &[]);
    let mut next: BTreeMap<i32, i64> = (0..partitions).map(|p| (p, 0)).collect();
    let mut limit = None;
    loop {
        if !feed.is_sent() {
            feed.send(&mut world);
        }
        pass_time(&mut world, &mut chaos);
        poll_assigned(&mut world, &mut consumer, client, &mut next);
        maybe_seek(&mut world, &mut consumer, &mut next);
        if !feed.is_sent() || !chaos.is_over() || !feed.is_there(&mut world) {
            continue;
        }
        if next.iter().all(|(p, n)| world.cluster.offsets(TOPIC, *p).expect("there").1 == *n) {
            return;
        }
        let limit = *limit.get_or_insert(world.clock.mono.plus_ms(200_000));
        assert!(world.clock.mono < limit, "stuck at {next:?}");
    }
}

fn pass_time(world: &mut World, chaos: &mut Chaos) {
    let until = world.clock.mono.plus_ms(world.rng.u64(0..100));
    while world.clock.mono < until {
        world.step(until);
        chaos.run(world);
    }
}

fn poll_assigned(
    world: &mut World,
    consumer: &mut KafkaConsumer,
    client: ClientId,
    next: &mut BTreeMap<i32, i64>,
) {
    let most = world.rng.usize(1..200);
    let polled = consumer.poll_step(world.now(), most);
    world.poll(client);
    match polled {
        Ok(Some(Polled::Records(batch))) => {
            for chunk in &batch.chunks {
                let expected = next.get_mut(&chunk.partition).expect("own partition");
                for record in chunk.records() {
                    assert_eq!(record.offset, *expected, "partition {}", chunk.partition);
                    *expected += 1;
                }
                assert_eq!(chunk.next_offset, *expected);
            }
        }
        Ok(_) => {}
        Err(error) => assert!(error.is_retriable(), "{error}"),
    }
    world.poll(client);
}

fn maybe_seek(world: &mut World, consumer: &mut KafkaConsumer, next: &mut BTreeMap<i32, i64>) {
    if world.rng.u32(0..60) != 0 {
        return;
    }
    let index = world.rng.i32(0..next.len() as i32);
    let to = world.rng.i64(0..=next[&index]);
    consumer.seek(&partition(index), &OffsetAndMetadata::new(to)).expect("seek");
    next.insert(index, to);
}

// ---- a group

struct Member {
    consumer: KafkaConsumer,
    client: ClientId,
    auto_commit: bool,
    /// Where it reads next, by partition; nothing before the first record after an assignment.
    next: BTreeMap<i32, Option<i64>>,
}

/// What the group has read: by partition, the offset up to which every record was handed out.
struct Read {
    upto: BTreeMap<i32, i64>,
    beyond: BTreeMap<i32, BTreeSet<i64>>,
}

impl Read {
    fn add(&mut self, partition: i32, offset: i64) {
        let upto = self.upto.get_mut(&partition).expect("partition");
        let beyond = self.beyond.entry(partition).or_default();
        if offset >= *upto {
            beyond.insert(offset);
        }
        while beyond.remove(upto) {
            *upto += 1;
        }
    }
}

pub fn grouped(seed: u64) {
    let (mut world, partitions) = world(seed);
    let mut feed = Feed::new(&mut world, partitions, 500, seed);
    let mut chaos = Chaos::new(&world, world.rng.clone().u64(1..15), &[(TOPIC, partitions)], &[GROUP]);
    let mut read = Read { upto: (0..partitions).map(|p| (p, 0)).collect(), beyond: BTreeMap::new() };
    let mut members = vec![join(&mut world, seed)];
    let mut joined = 1;
    let mut limit = None;
    loop {
        if !feed.is_sent() {
            feed.send(&mut world);
        }
        pass_time(&mut world, &mut chaos);
        for member in &mut members {
            poll_member(&mut world, member, &mut read);
        }
        if joined < 4 && world.rng.u32(0..40) == 0 {
            joined += 1;
            members.push(join(&mut world, seed + joined));
        }
        if members.len() > 1 && !chaos.is_over() && world.rng.u32(0..80) == 0 {
            let leaving = members.swap_remove(0);
            leave(&mut world, leaving, &mut chaos);
        }
        if !feed.is_sent() || !chaos.is_over() || !feed.is_there(&mut world) {
            continue;
        }
        if read.upto.iter().all(|(p, n)| world.cluster.offsets(TOPIC, *p).expect("there").1 == *n) {
            break;
        }
        let limit = *limit.get_or_insert(world.clock.mono.plus_ms(300_000));
        assert!(world.clock.mono < limit, "stuck at {:?} with {} members", read.upto, members.len());
    }
    for member in members {
        leave(&mut world, member, &mut chaos);
    }
}

fn join(world: &mut World, seed: u64) -> Member {
    let config = config(world, true);
    let (mut consumer, machine) = KafkaConsumer::parts(&config, seed, NoWake::shared());
    let client = world.add(machine);
    consumer.subscribe(&[TOPIC]).expect("subscribe");
    world.poll(client);
    Member { consumer, client, auto_commit: config.auto_commit, next: BTreeMap::new() }
}

fn leave(world: &mut World, mut member: Member, chaos: &mut Chaos) {
    let pending = member.consumer.start_close(std::time::Duration::from_secs(30));
    world.poll(member.client);
    let limit = world.clock.mono.plus_ms(31_000);
    while pending.try_take().is_none() {
        assert!(world.clock.mono < limit, "a close does not return by its deadline");
        world.step(limit);
        chaos.run(world);
    }
}

fn poll_member(world: &mut World, member: &mut Member, read: &mut Read) {
    if world.rng.u32(0..4) == 0 {
        return;
    }
    let most = world.rng.usize(1..100);
    let polled = member.consumer.poll_step(world.now(), most);
    world.poll(member.client);
    match polled {
        Ok(Some(Polled::Records(batch))) => {
            for chunk in &batch.chunks {
                let next = member.next.get_mut(&chunk.partition);
                let next =
                    next.unwrap_or_else(|| panic!("records of {} without an assignment", chunk.partition));
                for record in chunk.records() {
                    match next {
                        Some(next) => assert_eq!(record.offset, *next, "partition {}", chunk.partition),
                        None => assert!(
                            record.offset <= read.upto[&chunk.partition],
                            "partition {} begins at {}, {} was not read",
                            chunk.partition,
                            record.offset,
                            read.upto[&chunk.partition]
                        ),
                    }
                    *next = Some(record.offset + 1);
                    read.add(chunk.partition, record.offset);
                }
            }
        }
        Ok(Some(Polled::Event(event))) => on_event(member, event),
        Ok(_) => {}
        Err(error) => assert!(!error.is_fatal(), "{error}"),
    }
    if !member.auto_commit && world.rng.u32(0..10) == 0 {
        // During a rebalance it is refused; the records are then read again.
        let _ = member.consumer.commit_async(None);
    }
    world.poll(member.client);
}

fn on_event(member: &mut Member, event: Event) {
    match event {
        Event::Assigned(partitions) => {
            for p in partitions {
                member.next.insert(p.partition, None);
            }
        }
        Event::Revoked(partitions) | Event::Lost { partitions, .. } => {
            for p in partitions {
                member.next.remove(&p.partition);
            }
        }
        Event::Committed { .. } => {}
    }
}
