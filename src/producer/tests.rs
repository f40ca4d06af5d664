//! Moments between two threads, each played step by step on one.

use super::accumulator::{AppendContext, RecordAccumulator};
use super::record::{ProducerRecord, SliceSource};
use super::topic::Partition;
use super::KafkaProducer;
use crate::client::request::NoWake;
use crate::client::wire::Machine;
use crate::config::{parse, Config};
use crate::error::{Code, Error};
use crate::time::{Nanos, Now};
use std::sync::Arc;
use std::time::Duration;

const NOW: Now = Now { mono: Nanos(1_000_000_000), wall_ms: 1_700_000_000_000 };

fn producer() -> (KafkaProducer, Box<dyn Machine>) {
    let mut config = Config::new();
    config.set("bootstrap.servers", "127.0.0.1:1");
    config.set("linger.ms", "60000");
    config.set("log.level", "off");
    let config = parse::producer(&config).unwrap().value;
    KafkaProducer::parts(&config, Vec::new(), 1, NoWake::shared())
}

fn send(producer: &KafkaProducer, topic: &str, token: u64) -> Result<(), Error> {
    let record = ProducerRecord { partition: 0, value: Some(b"v"), token, ..Default::default() };
    let sent = producer.send_step(NOW, topic, &mut SliceSource::new(&[record]));
    sent.refused.map_or(Ok(()), Err)
}

/// Gives a topic that was sent to a partition, as if the metadata had named it.
fn publish(accumulator: &RecordAccumulator, topic: &str) -> Arc<Partition> {
    let topic = accumulator.find(topic).unwrap();
    accumulator.make_partitions(&topic, 1);
    topic.partitions.publish(1);
    topic.partitions.get(0).unwrap().clone()
}

/// The tokens of what is reported, all of it failed with this code.
fn failed(producer: &KafkaProducer, code: Code) -> Vec<u64> {
    let chunks = producer.poll_step(usize::MAX);
    let mut tokens = Vec::new();
    for chunk in &chunks {
        assert_eq!(chunk.error.as_ref().map(Error::code), Some(code));
        tokens.extend(&chunk.tokens);
    }
    tokens.sort_unstable();
    tokens
}

#[test]
fn a_lost_io_thread_leaves_no_record_unreported() {
    let (producer, mut machine) = producer();
    let accumulator = producer.accumulator.clone();
    // In a batch that is being sealed, in one behind it that is sealed, and in an open one.
    send(&producer, "t", 1).unwrap();
    let partition = publish(&accumulator, "t");
    send(&producer, "t", 2).unwrap();
    let (sealing, ticket) = partition.queue.lock().begin_seal().unwrap();
    send(&producer, "t", 3).unwrap();
    let (open, behind) = partition.queue.lock().begin_seal().unwrap();
    accumulator.finish_seal(&partition, open, behind);
    send(&producer, "t", 4).unwrap();
    send(&producer, "u", 5).unwrap();
    // The I/O thread took the lists and was lost before it had looked at what was on them.
    accumulator.take_listed();
    accumulator.take_listed_topics();
    let error = Error::new(Code::PANIC, "a test").fatal(true);
    machine.on_fatal(error);
    assert_eq!(failed(&producer, Code::PANIC), [1, 3, 4, 5]);
    accumulator.finish_seal(&partition, sealing, ticket);
    assert_eq!(failed(&producer, Code::PANIC), [2]);
    assert_eq!((accumulator.incomplete.left(), producer.memory_in_use()), (0, 0));
    for topic in ["t", "u", "new"] {
        let refused = send(&producer, topic, 6).unwrap_err();
        assert_eq!((refused.code(), refused.is_fatal()), (Code::PANIC, true), "{topic}");
    }
    let flushed = producer.flush(Duration::from_secs(10)).unwrap_err();
    assert_eq!((flushed.code(), flushed.is_fatal()), (Code::PANIC, true));
}

#[test]
fn who_waits_for_memory_when_the_io_thread_is_lost_is_told_why() {
    let (producer, mut machine) = producer();
    machine.on_fatal(Error::new(Code::PANIC, "a test").fatal(true));
    let clock = || NOW.mono;
    let context = AppendContext::new(NOW.wall_ms, &clock, Duration::from_secs(10));
    let record = ProducerRecord { value: Some(b"v"), ..Default::default() };
    let sent = producer.accumulator.append(b"t", &mut SliceSource::new(&[record]), &context);
    assert_eq!(sent.refused.unwrap().code(), Code::PANIC);
}
