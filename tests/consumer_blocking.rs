//! Calls of a consumer that block: with brokers that say nothing, each ends when its time is over, and by a wakeup.

use milena::config::{parse, Config};
use milena::consumer::{KafkaConsumer, OffsetAndMetadata, Polled};
use milena::embedded::{ClusterSettings, EmbeddedServer, Fault, FaultKind};
use milena::serialization::TopicPartition;
use milena::{Code, Error};
use std::time::{Duration, Instant};

/// Only a failing test waits that long.
const LONG: Duration = Duration::from_secs(60);
/// What a call is given when it is to end by itself, and how late it may be on a machine that has much to do.
const TIMEOUT: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(20);

type Call = fn(&mut KafkaConsumer, Duration) -> Result<(), Error>;

const CALLS: &[(&str, Call)] = &[
    ("poll", |c, timeout| match c.poll(timeout, 0)? {
        Polled::Nothing => Err(Error::new(Code::TIMED_OUT, "a poll without anything")),
        other => panic!("{other:?}"),
    }),
    ("position", |c, timeout| c.position(&partition(1), timeout).map(drop)),
    ("committed", |c, timeout| c.committed(&[partition(0)], timeout).map(drop)),
    ("beginning_offsets", |c, timeout| c.beginning_offsets(&[partition(0)], timeout).map(drop)),
    ("end_offsets", |c, timeout| c.end_offsets(&[partition(0)], timeout).map(drop)),
    ("offsets_for_times", |c, timeout| c.offsets_for_times(&[(partition(0), 1)], timeout).map(drop)),
    ("commit_sync", |c, timeout| c.commit_sync(None, timeout)),
];

fn partition(index: i32) -> TopicPartition {
    TopicPartition::new("t", index)
}

/// A consumer of partition 0 and its broker, which falls silent before the consumer asks about partition 1.
fn silenced() -> (EmbeddedServer, KafkaConsumer) {
    let server = EmbeddedServer::start(ClusterSettings::default(), 0).expect("a cluster");
    server.create_topic("t", 2, 1, &[]).expect("a topic");
    let mut config = Config::new();
    config.set("bootstrap.servers", server.bootstrap_servers()).set("group.id", "g").set("log.sink", "poll");
    config.set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    let config = parse::consumer(&config).expect("a valid configuration").value;
    let mut consumer = KafkaConsumer::new(&config).expect("a consumer");
    consumer.assign(&[partition(0)]).expect("an assignment");
    assert_eq!(consumer.position(&partition(0), LONG).expect("a position"), 0);
    server.push_fault(Fault::new(FaultKind::Delay(600_000)).times(Fault::FOREVER));
    consumer.assign(&[partition(0), partition(1)]).expect("an assignment");
    consumer.seek(&partition(0), &OffsetAndMetadata::new(0)).expect("a seek");
    (server, consumer)
}

#[test]
fn each_ends_when_its_time_is_over() {
    let (_server, mut consumer) = silenced();
    for (name, call) in CALLS {
        for timeout in [Duration::ZERO, TIMEOUT] {
            let begin = Instant::now();
            let error = call(&mut consumer, timeout).expect_err("nobody answers");
            let took = begin.elapsed();
            assert_eq!(error.code(), Code::TIMED_OUT, "{name}: {error}");
            assert!(took >= timeout && took < timeout + LATE, "{name} took {took:?} of {timeout:?}");
        }
    }
    let begin = Instant::now();
    let closed = consumer.close(TIMEOUT);
    assert!(begin.elapsed() < TIMEOUT + LATE, "close took {:?}", begin.elapsed());
    // There is nothing to commit, and no group to leave.
    if let Err(error) = closed {
        assert_eq!(error.code(), Code::TIMED_OUT, "{error}");
    }
    for (name, call) in CALLS {
        let error = call(&mut consumer, LONG).expect_err("it is closed");
        assert_eq!(error.code(), Code::CLOSED, "{name}: {error}");
    }
}

#[test]
fn each_is_ended_by_a_wakeup() {
    let (_server, mut consumer) = silenced();
    let waker = consumer.waker();
    for (name, call) in CALLS {
        // Before the call, and while it blocks: one wakeup ends one call.
        for pause in [Duration::ZERO, Duration::from_millis(200)] {
            let begin = Instant::now();
            let error = std::thread::scope(|scope| {
                let waking = scope.spawn(|| {
                    std::thread::sleep(pause);
                    waker.wakeup();
                });
                if pause.is_zero() {
                    waking.join().expect("no panic");
                }
                call(&mut consumer, LONG).expect_err("nobody answers")
            });
            assert_eq!(error.code(), Code::WAKEUP, "{name}: {error}");
            assert!(begin.elapsed() < LATE, "{name} took {:?}", begin.elapsed());
        }
        let error = call(&mut consumer, Duration::from_millis(10)).expect_err("nobody answers");
        assert_eq!(error.code(), Code::TIMED_OUT, "{name}: the wakeup is used up: {error}");
    }
}

/// A member of a group has to tell the broker that it leaves.
#[test]
fn close_waits_no_longer_than_it_may() {
    let server = EmbeddedServer::start(ClusterSettings::default(), 0).expect("a cluster");
    server.create_topic("t", 1, 1, &[]).expect("a topic");
    let mut config = Config::new();
    config.set("bootstrap.servers", server.bootstrap_servers()).set("group.id", "g").set("log.sink", "poll");
    let config = parse::consumer(&config).expect("a valid configuration").value;
    let mut consumer = KafkaConsumer::new(&config).expect("a consumer");
    consumer.subscribe(&["t"]).expect("a subscription");
    let begin = Instant::now();
    while !matches!(consumer.poll(Duration::from_secs(1), 0).expect("no error"), Polled::Event(_)) {
        assert!(begin.elapsed() < LONG);
    }
    server.push_fault(Fault::new(FaultKind::Delay(600_000)).times(Fault::FOREVER));
    // A wakeup is for calls that can be made again.
    consumer.waker().wakeup();
    let begin = Instant::now();
    let error = consumer.close(TIMEOUT).expect_err("the group was not told");
    let took = begin.elapsed();
    assert_eq!(error.code(), Code::TIMED_OUT, "{error}");
    assert!(error.message().contains("closed") && error.message().contains("group"), "{error}");
    assert!(took >= TIMEOUT / 2 && took < TIMEOUT + LATE, "{took:?}");
    consumer.close(LONG).expect("closed already");
}
