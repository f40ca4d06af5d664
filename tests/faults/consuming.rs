//! Batches that can't be read.

use crate::support::*;
use milena::consumer::{KafkaConsumer, OffsetAndMetadata, Polled};
use milena::error::{Code, Error};
use milena::serialization::TopicPartition;
use std::time::Instant;

/// Values that poll gives, up to an error.
fn read(consumer: &mut KafkaConsumer, most: usize) -> (Vec<Vec<u8>>, Option<Error>) {
    let end = Instant::now() + LONG;
    let mut values = Vec::new();
    while values.len() < most {
        assert!(Instant::now() < end, "{} records came", values.len());
        match consumer.poll(SECOND, 0) {
            Ok(Polled::Records(batch)) => {
                for chunk in &batch.chunks {
                    values
                        .extend(chunk.records().iter().map(|r| chunk.value(r).unwrap_or_default().to_vec()));
                }
            }
            Ok(_) => {}
            Err(error) => return (values, Some(error)),
        }
    }
    (values, None)
}

#[test]
fn a_corrupt_batch_is_named_and_can_be_passed() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer =
        producer(&cluster.bootstrap_servers(), &[("linger.ms", "10000"), ("delivery.timeout.ms", "60000")]);
    for batch in 0..5u8 {
        let values: Vec<Vec<u8>> = (0..10).map(|i| vec![batch, i]).collect();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        send(&producer, "t", u64::from(batch) * 10, &slices);
        producer.flush(LONG).expect("flushed");
    }
    cluster.with(|c, _| c.corrupt_batch("t", 0, 2)).expect("a batch");
    let mut consumer = consumer(
        &cluster.bootstrap_servers(),
        &[("auto.offset.reset", "earliest"), ("retry.backoff.ms", "10")],
    );
    let partition = TopicPartition::new("t", 0);
    consumer.assign(std::slice::from_ref(&partition)).expect("an assignment");
    let (values, error) = read(&mut consumer, 50);
    assert_eq!(values, (0..20).map(|i| vec![i / 10, i % 10]).collect::<Vec<_>>(), "what is before it");
    let error = error.expect("a corrupt batch");
    assert_tells(&error, Code::CORRUPT_MESSAGE, &["t-0", "offset 20", "checksum", "seek to offset 30"]);
    let place = error.place().expect("a place, for programs");
    assert_eq!((&*place.topic, place.partition, place.offset, place.next_offset), ("t", 0, 20, 30));
    assert_eq!(consumer.position(&partition, SECOND).expect("a position"), 20, "the position stays");
    let (values, again) = read(&mut consumer, 1);
    assert!(values.is_empty());
    assert_tells(&again.expect("it is still corrupt"), Code::CORRUPT_MESSAGE, &["offset 20"]);
    consumer.seek(&partition, &OffsetAndMetadata::new(place.next_offset)).expect("a seek");
    let (values, error) = read(&mut consumer, 20);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(values, (30..50).map(|i| vec![i / 10, i % 10]).collect::<Vec<_>>(), "what is behind it");
}

#[test]
fn without_checks_it_is_read() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    send(&producer, "t", 0, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    cluster.with(|c, _| c.corrupt_batch("t", 0, 0)).expect("a batch");
    let settings = [("auto.offset.reset", "earliest"), ("check.crcs", "false")];
    let mut consumer = consumer(&cluster.bootstrap_servers(), &settings);
    consumer.assign(&[TopicPartition::new("t", 0)]).expect("an assignment");
    let (values, error) = read(&mut consumer, 1);
    // The bit that was turned is the last one: the number of headers.
    assert!(values.len() + usize::from(error.is_some()) > 0, "{error:?}");
}
