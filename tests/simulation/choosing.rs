//! Where records without a key go when one of two brokers is slower, or takes nothing at all.

use crate::world::{ClientId, World};
use milena::client::request::NoWake;
use milena::config::{parse, Config};
use milena::embedded::{Fault, FaultKind};
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::protocol::ApiKey;

const TOPIC: &str = "t";
const PARTITIONS: i32 = 8;
const SLOW: i32 = 1;

/// A producer that sends more than the slow broker takes.
struct Load {
    producer: KafkaProducer,
    client: ClientId,
    /// By token: when it was sent, in milliseconds, and whether the slow broker got it.
    sent: Vec<(u64, Option<bool>)>,
}

impl Load {
    fn new(world: &mut World, seed: u64, settings: &[(&str, &str)]) -> Load {
        world.cluster.create_topic(TOPIC, PARTITIONS, 1, &[]).expect("topic");
        let mut config = Config::new();
        config.set("bootstrap.servers", world.bootstrap());
        config.set("batch.size", "1000").set("linger.ms", "0").set("log.level", "off");
        for (name, value) in settings {
            config.set(name, *value);
        }
        let config = parse::producer(&config).expect("valid configuration").value;
        let (producer, machine) = KafkaProducer::parts(&config, Vec::new(), seed, NoWake::shared());
        let client = world.add(machine);
        world.poll(client);
        Load { producer, client, sent: Vec::new() }
    }

    /// For so many milliseconds, every millisecond two batches' worth of records.
    fn send(&mut self, world: &mut World, milliseconds: u64) {
        for _ in 0..milliseconds {
            for _ in 0..10 {
                let token = self.sent.len() as u64;
                let record = ProducerRecord { value: Some(&[7; 200]), token, ..Default::default() };
                let source = &mut SliceSource::new(std::slice::from_ref(&record));
                assert_eq!(self.producer.send_step(world.now(), TOPIC, source).accepted, 1);
                self.sent.push((world.clock.mono.0 / 1_000_000, None));
            }
            world.poll(self.client);
            self.run(world, 1);
        }
    }

    fn run(&mut self, world: &mut World, milliseconds: u64) {
        let until = world.clock.mono.plus_ms(milliseconds);
        while world.clock.mono < until {
            world.step(until);
        }
        for chunk in self.producer.poll_step(usize::MAX) {
            assert!(chunk.error.is_none(), "{:?}", chunk.error);
            let (leader, _) = world.cluster.leader(TOPIC, chunk.partition).expect("a partition");
            for token in chunk.tokens {
                self.sent[token as usize].1 = Some(leader == SLOW);
            }
        }
    }

    /// Waits until all is delivered.
    fn finish(&mut self, world: &mut World) {
        let limit = world.clock.mono.plus_ms(100_000);
        while self.sent.iter().any(|(_, slow)| slow.is_none()) {
            assert!(world.clock.mono < limit, "not everything is delivered");
            self.run(world, 100);
        }
    }

    /// The share of the slow broker in what was sent from `since` on and before `until`, in percent.
    fn share(&self, since: u64, until: u64) -> usize {
        let sent = self.sent.iter().filter(|(at, _)| (since..until).contains(at));
        let (slow, all) =
            sent.fold((0, 0), |(slow, all), (_, s)| (slow + usize::from(*s == Some(true)), all + 1));
        assert!(all > 0, "nothing was sent from {since} to {until}");
        slow * 100 / all
    }
}

fn now_ms(world: &World) -> u64 {
    world.clock.mono.0 / 1_000_000
}

fn slow_share(seed: u64, adaptive: &str) -> usize {
    let mut world = World::new(seed, 2, 1_000);
    let settings = [("partitioner.adaptive.partitioning.enable", adaptive)];
    let mut load = Load::new(&mut world, seed, &settings);
    let slow = Fault::new(FaultKind::Delay(100)).api(ApiKey::Produce).broker(SLOW).times(Fault::FOREVER);
    world.cluster.push_fault(slow);
    load.send(&mut world, 1_500);
    let until = now_ms(&world);
    world.cluster.clear_faults();
    load.finish(&mut world);
    load.share(0, until)
}

/// A broker that answers slowly gets less.
pub fn a_slow_broker(seed: u64) {
    let (adaptive, even) = (slow_share(seed, "true"), slow_share(seed, "false"));
    assert!((40..=60).contains(&even), "{even} % of the records went to the slow broker, without adapting");
    assert!(adaptive < 20, "{adaptive} % of the records went to the slow broker ({even} % without adapting)");
}

/// One that takes nothing gets nothing, once `partitioner.availability.timeout.ms` is over, and its share again
/// when it is back.
pub fn a_broker_that_takes_nothing(seed: u64) {
    let mut world = World::new(seed, 2, 1_000);
    let settings = [("partitioner.availability.timeout.ms", "400")];
    let mut load = Load::new(&mut world, seed, &settings);
    load.send(&mut world, 300);
    world.cluster.pause(SLOW).expect("a broker");
    let paused = now_ms(&world);
    load.send(&mut world, 2_000);
    let resumed = now_ms(&world);
    let now = world.now();
    world.cluster.resume(now, SLOW).expect("a broker");
    world.run_cluster();
    load.send(&mut world, 1_000);
    let end = now_ms(&world);
    load.finish(&mut world);
    let before = load.share(0, paused);
    assert!((40..=60).contains(&before), "{before} % before");
    // Its connection's requests in flight and its partitions' first batches fill up before it is late.
    assert!(load.share(paused, paused + 400) > 0, "it is not left out before its time");
    assert_eq!(load.share(paused + 700, resumed), 0);
    let after = load.share(resumed + 500, end);
    assert!((35..=65).contains(&after), "{after} % afterwards");
}
