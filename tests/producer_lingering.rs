//! When records that linger go out after all, and what a partition that is not there yet is told: a producer against the
//! embedded cluster, in virtual time.

mod consumer_support;

use consumer_support::{settings, World, FIRST_PORT};
use milena::config::{parse, Config};
use milena::producer::deliveries::DeliveryChunk;
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::{Code, Error};

fn producer(world: &mut World, settings: &[(&str, &str)]) -> KafkaProducer {
    let mut config = Config::new();
    config.set("bootstrap.servers", format!("127.0.0.1:{FIRST_PORT}"));
    config.set("log.level", "off");
    settings.iter().for_each(|(name, value)| _ = config.set(*name, *value));
    let config = parse::producer(&config).expect("valid configuration").value;
    world.client(|seed, wake| KafkaProducer::parts(&config, Vec::new(), seed, wake))
}

fn send(world: &World, producer: &KafkaProducer, partition: i32) -> Result<(), Error> {
    let record = ProducerRecord { partition, value: Some(b"v"), ..Default::default() };
    let sent = producer.send_step(world.now, "t", &mut SliceSource::new(&[record]));
    sent.refused.map_or(Ok(()), Err)
}

fn delivered(producer: &KafkaProducer) -> usize {
    let delivered = |chunk: &DeliveryChunk| match &chunk.error {
        None => chunk.tokens.len(),
        Some(error) => panic!("{error}"),
    };
    producer.poll_step(usize::MAX).iter().map(delivered).sum()
}

#[test]
fn a_flush_without_time_has_sent_what_lingers_as_soon_as_the_leader_is_there() {
    // With one broker nothing is reached; of two, the other says that there is no leader.
    for brokers in [1, 2] {
        let mut world = World::with(settings(brokers));
        world.cluster.create_topic("t", 1, 1, &[]).unwrap();
        let producer = producer(&mut world, &[("linger.ms", "100000")]);
        send(&world, &producer, 0).unwrap();
        let flush = producer.begin_flush();
        world.run_ms(1_000);
        assert!(producer.is_flushed(flush));
        producer.end_flush();
        assert_eq!(delivered(&producer), 1);
        let (leader, _) = world.cluster.leader("t", 0).unwrap();
        world.cluster.broker_down(world.now, leader).unwrap();
        world.run_ms(1_000);
        send(&world, &producer, 0).unwrap();
        producer.begin_flush();
        world.run_ms(10);
        producer.end_flush();
        world.run_ms(1_000);
        world.cluster.broker_up(world.now, leader).unwrap();
        world.run_ms(10_000);
        assert_eq!(delivered(&producer), 1, "{brokers} brokers");
        // What comes after the flush lingers.
        send(&world, &producer, 0).unwrap();
        world.run_ms(50_000);
        assert_eq!(delivered(&producer), 0, "{brokers} brokers");
        world.run_ms(60_000);
        assert_eq!(delivered(&producer), 1, "{brokers} brokers");
    }
}

#[test]
fn a_partition_that_is_not_there_is_asked_about() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let producer = producer(&mut world, &[]);
    send(&world, &producer, 0).unwrap();
    world.run_ms(1_000);
    assert_eq!(delivered(&producer), 1);
    world.cluster.create_partitions("t", 2).unwrap();
    let error = send(&world, &producer, 1).unwrap_err();
    assert_eq!((error.code(), error.is_retriable()), (Code::UNKNOWN_TOPIC_OR_PARTITION, true), "{error}");
    world.run_ms(2_000);
    send(&world, &producer, 1).unwrap();
    world.run_ms(1_000);
    assert_eq!(delivered(&producer), 1);
}
