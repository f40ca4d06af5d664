//! What brokers refuse, and records that do not fit.

use crate::support::*;
use milena::embedded::{ClusterSettings, EmbeddedServer, Fault, FaultKind};
use milena::error::{Code, Error};
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use milena::protocol::ApiKey;
use std::time::{Duration, Instant};

fn refused(producer: &KafkaProducer, topic: &str, record: ProducerRecord<'_>) -> Error {
    let sent = producer.send(topic.as_bytes(), &mut SliceSource::new(&[record]), None);
    assert_eq!(sent.accepted, 0);
    sent.refused.expect("a reason")
}

#[test]
fn a_topic_that_is_not_there_and_not_created() {
    let cluster = cluster(1);
    let producer = producer(&cluster.bootstrap_servers(), &[("max.block.ms", "500")]);
    let begin = Instant::now();
    send(&producer, "missing", 0, &[b"value"]);
    let error = failure(&producer);
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    assert_tells(
        &error,
        Code::TIMED_OUT,
        &["topic missing", "max.block.ms (500 ms)", "UNKNOWN_TOPIC_OR_PARTITION", "create the topic"],
    );
    // It is not asked for any more, now that nothing waits for it.
    let asked = || cluster.with(|c, _| c.request_count(ApiKey::Metadata));
    let before = asked();
    assert!(before < 20, "{before} metadata requests within half a second");
    std::thread::sleep(Duration::from_millis(2500));
    assert!(asked() <= before + 1, "{} metadata requests for nothing", asked() - before);
    // And when it is there, it works.
    cluster.create_topic("missing", 1, 1, &[]).expect("a topic");
    send(&producer, "missing", 1, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
}

#[test]
fn a_topic_that_the_client_may_not_know() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    cluster.push_fault(Fault::error(ApiKey::Metadata, 29).topic("t"));
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    send(&producer, "t", 0, &[b"value"]);
    let error = failure(&producer);
    assert_tells(&error, Code::TOPIC_AUTHORIZATION_FAILED, &["topic t", "TOPIC_AUTHORIZATION_FAILED"]);
    assert!(!error.is_retriable());
    send(&producer, "t", 1, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("it is allowed now");
}

#[test]
fn a_topic_that_the_client_may_not_write_to() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    cluster.push_fault(Fault::error(ApiKey::Produce, 29).topic("t"));
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    send(&producer, "t", 0, &[b"refused"]);
    let error = failure(&producer);
    assert_tells(&error, Code::TOPIC_AUTHORIZATION_FAILED, &["t-0", "broker 1", "phase request"]);
    assert!(!error.is_retriable());
    // What follows is not held up by the number that the refused batch had.
    send(&producer, "t", 1, &[b"one", b"two"]);
    assert_eq!(deliveries(&producer, 2).into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_cluster_that_does_not_allow_idempotence() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    cluster.push_fault(Fault::error(ApiKey::InitProducerId, 31));
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    send(&producer, "t", 0, &[b"value"]);
    let error = failure(&producer);
    assert_tells(
        &error,
        Code::CLUSTER_AUTHORIZATION_FAILED,
        &["enable.idempotence=false", &cluster.bootstrap_servers()],
    );
}

#[test]
fn a_topic_that_disappears_while_it_is_written_to() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let settings = [("delivery.timeout.ms", "2500"), ("request.timeout.ms", "1000"), ("linger.ms", "0")];
    let producer = producer(&cluster.bootstrap_servers(), &settings);
    send(&producer, "t", 0, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    assert!(cluster.with(|c, now| c.delete_topic(now, "t")));
    send(&producer, "t", 1, &[b"value"]);
    let error = failure(&producer);
    assert_tells(&error, Code::DELIVERY_TIMED_OUT, &["t-0", "delivery.timeout.ms (2500 ms"]);
    assert!(error.cause_text().is_some_and(|c| c.contains("UNKNOWN_TOPIC")), "{error}");
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    send(&producer, "t", 2, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("it is there again");
}

#[test]
fn records_that_no_request_may_carry() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[("max.request.size", "1000")]);
    let large = vec![7; 2000];
    // Before the topic is known, and after.
    for token in 0..2 {
        let error = refused(&producer, "t", ProducerRecord { value: Some(&large), ..Default::default() });
        assert_tells(&error, Code::MESSAGE_TOO_LARGE, &["max.request.size (1000)", "raise max.request.size"]);
        assert!(!error.is_retriable());
        send(&producer, "t", token, &[b"fits"]);
        deliveries(&producer, 1).remove(0).expect("delivered");
    }
    assert_eq!(producer.memory_in_use(), 0);
}

#[test]
fn records_that_never_fit_into_memory() {
    let cluster = cluster(1);
    let settings = [("buffer.memory", "20000"), ("batch.size", "1000"), ("max.request.size", "100000")];
    let producer = producer(&cluster.bootstrap_servers(), &settings);
    let large = vec![7; 30_000];
    let error = refused(&producer, "t", ProducerRecord { value: Some(&large), ..Default::default() });
    assert_tells(&error, Code::MESSAGE_TOO_LARGE, &["buffer.memory is 20000", "raise buffer.memory"]);
}

#[test]
fn a_partition_or_topic_that_can_not_be() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    let record = ProducerRecord { value: Some(b"v"), partition: 5, ..Default::default() };
    // While the topic is not known, the record is accepted, and fails later.
    let sent = producer.send(b"t", &mut SliceSource::new(&[record]), None);
    assert_eq!(sent.accepted, 1);
    assert_tells(&failure(&producer), Code::UNKNOWN_TOPIC_OR_PARTITION, &["topic t has no partition 5"]);
    // Once a record was delivered, the partitions are known for sure.
    send(&producer, "t", 0, &[b"v"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    assert_tells(&refused(&producer, "t", record), Code::UNKNOWN_TOPIC_OR_PARTITION, &["no partition 5"]);
    assert_tells(&refused(&producer, "no spaces", record), Code::INVALID_TOPIC_EXCEPTION, &["position 2"]);
    assert_eq!(producer.memory_in_use(), 0);
}

#[test]
fn batches_that_are_too_large_for_the_topic_are_split() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[("max.message.bytes", "700")]).expect("a topic");
    for compression in ["none", "gzip"] {
        let before = stored(&cluster, "t").len();
        let settings = [("linger.ms", "50"), ("batch.size", "16384"), ("compression.type", compression)];
        let producer = producer(&cluster.bootstrap_servers(), &settings);
        let mut rng = fastrand::Rng::with_seed(1);
        let values: Vec<Vec<u8>> = (0..200).map(|_| (0..50).map(|_| rng.u8(..)).collect()).collect();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        send(&producer, "t", 0, &slices);
        let offsets: Vec<i64> = deliveries(&producer, 200).into_iter().map(Result::unwrap).collect();
        assert_eq!(offsets, (before as i64..before as i64 + 200).collect::<Vec<_>>(), "{compression}");
        assert!(stored(&cluster, "t")[before..] == values, "{compression}: all are there, in order");
        assert_eq!(producer.memory_in_use(), 0);
    }
}

#[test]
fn one_record_that_is_too_large_for_the_topic() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[("max.message.bytes", "700")]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[("linger.ms", "20")]);
    let large = vec![7; 1000];
    send(&producer, "t", 0, &[b"before", &large, b"after"]);
    let outcomes = deliveries(&producer, 3);
    let error = outcomes[1].as_ref().expect_err("it is too large");
    assert_tells(error, Code::MESSAGE_TOO_LARGE, &["t-0", "broker 1"]);
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(stored(&cluster, "t"), [b"before".to_vec(), b"after".to_vec()]);
}

#[test]
fn a_lost_acknowledgement_does_not_write_twice() {
    for fault in
        [FaultKind::DisconnectAfter, FaultKind::DropAnswer, FaultKind::Error(7), FaultKind::Error(20)]
    {
        let cluster = cluster(1);
        cluster.create_topic("t", 1, 1, &[]).expect("a topic");
        cluster.push_fault(Fault::new(fault).api(ApiKey::Produce).times(3));
        let settings = [("request.timeout.ms", "500"), ("linger.ms", "0"), ("batch.size", "100")];
        let producer = producer(&cluster.bootstrap_servers(), &settings);
        let values: Vec<Vec<u8>> = (0..50).map(|i| vec![i; 20]).collect();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        send(&producer, "t", 0, &slices);
        for outcome in deliveries(&producer, 50) {
            outcome.expect("delivered");
        }
        assert!(stored(&cluster, "t") == values, "{fault:?}: each is there once, in order");
    }
}

#[test]
fn without_idempotence_retries_end() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    cluster.push_fault(Fault::error(ApiKey::Produce, 19).times(Fault::FOREVER));
    let settings = [("enable.idempotence", "false"), ("retries", "2"), ("retry.backoff.ms", "10")];
    let producer = producer(&cluster.bootstrap_servers(), &settings);
    send(&producer, "t", 0, &[b"value"]);
    let words = ["after 3 attempts (retries=2)", "NOT_ENOUGH_REPLICAS", "t-0"];
    assert_tells(&failure(&producer), Code::NOT_ENOUGH_REPLICAS, &words);
    assert_eq!(cluster.with(|c, _| c.request_count(ApiKey::Produce)), 3);
}

#[test]
fn without_acknowledgements_everything_is_written_before_the_end() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let settings = [("acks", "0"), ("linger.ms", "5"), ("buffer.memory", "67108864")];
    let producer = producer(&cluster.bootstrap_servers(), &settings);
    let value = vec![7; 1000];
    let batch: Vec<&[u8]> = vec![&value; 500];
    for i in 0..40 {
        send(&producer, "t", i * 500, &batch);
    }
    // More than the sockets' buffers take at once.
    producer.close(LONG).expect("all is written");
    let outcomes = deliveries(&producer, 20_000);
    assert!(outcomes.iter().all(Result::is_ok));
    drop(producer);
    let begin = Instant::now();
    while stored(&cluster, "t").len() < 20_000 {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{} of 20000 arrived",
            stored(&cluster, "t").len()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_acknowledgements_a_broker_that_is_down_is_told_all_the_same() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let settings =
        [("acks", "0"), ("delivery.timeout.ms", "1500"), ("request.timeout.ms", "1000"), ("linger.ms", "0")];
    let producer = producer(&cluster.bootstrap_servers(), &settings);
    send(&producer, "t", 0, &[b"value"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    cluster.broker_down(1).expect("a broker");
    std::thread::sleep(Duration::from_millis(100));
    send(&producer, "t", 1, &[b"value"]);
    let address = cluster.bootstrap_servers();
    assert_tells(
        &failure(&producer),
        Code::DELIVERY_TIMED_OUT,
        &["Connection refused", "phase tcp", &address],
    );
}

#[test]
fn a_leader_that_dies_is_followed_by_another() {
    let settings = ClusterSettings { brokers: 3, auto_create_topics: false, ..ClusterSettings::default() };
    let cluster = EmbeddedServer::start(settings, 0).expect("a cluster");
    cluster.create_topic("t", 1, 3, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[("linger.ms", "0")]);
    for round in 0..3u64 {
        send(&producer, "t", round, &[&[round as u8]]);
        deliveries(&producer, 1).remove(0).expect("delivered");
        let (leader, _) = cluster.with(|c, _| c.leader("t", 0)).expect("a leader");
        if round < 2 {
            cluster.broker_down(leader).expect("a broker");
        }
    }
    assert_eq!(stored(&cluster, "t"), [[0], [1], [2]]);
}

/// Each record has a time of its own at which it is too old, also when its partition has no leader all the while.
#[test]
fn without_a_leader_every_record_is_reported_in_time() {
    let settings = ClusterSettings { brokers: 3, auto_create_topics: false, ..ClusterSettings::default() };
    let cluster = EmbeddedServer::start(settings, 0).expect("a cluster");
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let times = [("linger.ms", "0"), ("request.timeout.ms", "500"), ("delivery.timeout.ms", "1500")];
    let producer = producer(&cluster.bootstrap_servers(), &times);
    send(&producer, "t", 0, &[b"a"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    let (leader, _) = cluster.with(|c, _| c.leader("t", 0)).expect("a leader");
    cluster.broker_down(leader).expect("a broker");
    for round in 1..4 {
        send(&producer, "t", round, &[b"b"]);
        assert_eq!(failure(&producer).code(), Code::DELIVERY_TIMED_OUT);
    }
    assert_eq!(producer.memory_in_use(), 0);
}
