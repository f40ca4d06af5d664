//! `metadata.max.idle.ms`: a topic that nothing is sent to is no longer asked about, and is found again.

use crate::world::{ClientId, World};
use milena::client::request::NoWake;
use milena::config::{parse, Config};
use milena::embedded::Fault;
use milena::error::{Code, Error};
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::protocol::ApiKey;

const BUSY: &str = "busy-topic";
const QUIET: &str = "quiet-topic";
const PARTITIONS: i32 = 1;

struct Sender {
    producer: KafkaProducer,
    client: ClientId,
}

impl Sender {
    fn new(world: &mut World, seed: u64) -> Sender {
        for topic in [BUSY, QUIET] {
            world.cluster.create_topic(topic, PARTITIONS, 1, &[]).expect("topic");
        }
        let mut config = Config::new();
        config.set("bootstrap.servers", world.bootstrap()).set("log.level", "off");
        config.set("metadata.max.idle.ms", "5000").set("metadata.max.age.ms", "300");
        config.set("request.timeout.ms", "1000").set("delivery.timeout.ms", "3000");
        let config = parse::producer(&config).expect("valid configuration").value;
        let (producer, machine) = KafkaProducer::parts(&config, Vec::new(), seed, NoWake::shared());
        let client = world.add(machine);
        world.poll(client);
        Sender { producer, client }
    }

    /// Sends one record and waits until it is delivered, or why not.
    fn send(&self, world: &mut World, topic: &str) -> Result<i64, Error> {
        let record = ProducerRecord { value: Some(b"value"), ..Default::default() };
        let source = &mut SliceSource::new(std::slice::from_ref(&record));
        assert_eq!(self.producer.send_step(world.now(), topic, source).accepted, 1);
        world.poll(self.client);
        let limit = world.clock.mono.plus_ms(20_000);
        while world.clock.mono < limit {
            world.step(limit);
            if let Some(chunk) = self.producer.poll_step(usize::MAX).pop() {
                assert_eq!((&*chunk.topic, chunk.partition, chunk.tokens.len()), (topic, 0, 1));
                return chunk.error.map_or(Ok(chunk.base_offset), Err);
            }
        }
        panic!("the record to {topic} is not reported");
    }

    /// Sends to the busy topic for so long.
    fn keep_busy(&self, world: &mut World, milliseconds: u64) {
        let until = world.clock.mono.plus_ms(milliseconds);
        while world.clock.mono < until {
            self.send(world, BUSY).expect("delivered");
            let next = world.clock.mono.plus_ms(250);
            while world.clock.mono < next {
                world.step(next);
            }
        }
    }
}

/// In how many of the requests for metadata since the last time the topic was named.
fn asked(world: &World, topic: &str) -> usize {
    let names = |request: &[u8]| request.windows(topic.len()).any(|w| w == topic.as_bytes());
    world.metadata_requests.iter().filter(|request| names(request)).count()
}

/// A sender whose quiet topic was dropped.
fn dropped(world: &mut World, seed: u64) -> Sender {
    let sender = Sender::new(world, seed);
    sender.send(world, QUIET).expect("delivered");
    sender.keep_busy(world, 4_000);
    world.metadata_requests.clear();
    sender.keep_busy(world, 900);
    assert!(asked(world, QUIET) > 0, "it is not idle yet");
    sender.keep_busy(world, 2_000);
    world.metadata_requests.clear();
    sender.keep_busy(world, 5_000);
    assert!(asked(world, BUSY) > 5, "everything in use is asked about");
    assert_eq!(asked(world, QUIET), 0, "what is idle is not");
    sender
}

/// It is found again, at its new leader and without a detour.
pub fn a_topic_is_sent_to_again(seed: u64) {
    let mut world = World::new(seed, 3, 1_000);
    let sender = dropped(&mut world, seed);
    let (leader, _) = world.cluster.leader(QUIET, 0).expect("a leader");
    let now = world.now();
    world.cluster.move_leader(now, QUIET, 0, leader % 3 + 1).expect("moved");
    world.run_cluster();
    world.metadata_requests.clear();
    let produced = world.cluster.request_count(ApiKey::Produce);
    assert_eq!(sender.send(&mut world, QUIET).expect("delivered"), 1);
    assert_eq!(world.cluster.request_count(ApiKey::Produce), produced + 1, "only the new leader was asked");
    assert_eq!(asked(&world, QUIET), 1);
    // And dropped again.
    sender.keep_busy(&mut world, 6_000);
    world.metadata_requests.clear();
    sender.keep_busy(&mut world, 1_000);
    assert_eq!(asked(&world, QUIET), 0);
}

/// It is gone, and then it may not be known: the record says so, and later ones ask again.
pub fn a_topic_is_not_found_again(seed: u64) {
    let mut world = World::new(seed, 1, 1_000);
    let sender = dropped(&mut world, seed);
    let unknown = Fault::error(ApiKey::Metadata, 3).topic(QUIET).times(Fault::FOREVER);
    world.cluster.push_fault(unknown);
    let error = sender.send(&mut world, QUIET).expect_err("nobody knows the topic");
    assert_eq!(error.code(), Code::DELIVERY_TIMED_OUT, "{error}");
    assert!(error.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"), "{error}");
    world.cluster.clear_faults();
    assert_eq!(sender.send(&mut world, QUIET).expect("delivered"), 1);

    sender.keep_busy(&mut world, 6_000);
    let refused = Fault::error(ApiKey::Metadata, 29).topic(QUIET).times(Fault::FOREVER);
    world.cluster.push_fault(refused);
    let begin = world.clock.mono;
    let error = sender.send(&mut world, QUIET).expect_err("nobody may know the topic");
    assert_eq!(error.code(), Code::TOPIC_AUTHORIZATION_FAILED, "{error}");
    assert!(world.clock.mono < begin.plus_ms(1_000), "it does not wait for delivery.timeout.ms");
    world.cluster.clear_faults();
    assert_eq!(sender.send(&mut world, QUIET).expect("delivered"), 2);
    assert_eq!(sender.producer.memory_in_use(), 0);
}
