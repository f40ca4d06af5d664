//! Static members of a group (KIP-345) against a broker: what is said of them is the broker's to keep.

use crate::broker;
use milena::admin::{AdminClient, NewTopic};
use milena::config::{parse, Config};
use milena::consumer::{Event, KafkaConsumer, Polled};
use milena::serialization::TopicPartition;
use milena::{Code, Error};
use std::time::{Duration, Instant};

/// Only a failing test waits that long.
const LONG: Duration = Duration::from_secs(60);
/// How long a restart may take before the others have to do without that member.
const SESSION_MS: u64 = 45_000;

/// A topic and a group of this name, used once.
fn topic(name: &str, partitions: i32) -> String {
    let stamp =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos();
    let name = format!("{name}-{stamp}");
    let mut config = Config::new();
    config.set("bootstrap.servers", broker::bootstrap_servers());
    let admin = AdminClient::new(&parse::admin(&config).expect("a configuration").value).expect("a client");
    let made = admin
        .create_topics(
            vec![NewTopic { replication_factor: 1, ..NewTopic::new(&name, partitions) }],
            false,
            Some(LONG),
        )
        .expect("an answer");
    assert!(made[0].error.is_none(), "{:?}", made[0].error);
    name
}

/// A consumer that subscribed to the topic of its group's name.
fn member(name: &str, instance: &str) -> KafkaConsumer {
    let mut config = Config::new();
    config.set("bootstrap.servers", broker::bootstrap_servers()).set("group.id", name);
    config.set("group.instance.id", instance).set("client.id", instance).set("enable.auto.commit", "false");
    config.set("session.timeout.ms", SESSION_MS.to_string()).set("heartbeat.interval.ms", "200");
    config.set("log.sink", "poll").set("log.level", "info");
    let config = parse::consumer(&config).expect("a valid configuration").value;
    let mut consumer = KafkaConsumer::new(&config).expect("a consumer");
    consumer.subscribe(&[name]).expect("a subscription");
    consumer
}

/// Polls once; adds what it was told.
fn poll(consumer: &mut KafkaConsumer, what: &mut Vec<String>) -> Result<(), Error> {
    if let Polled::Event(event) = consumer.poll(Duration::from_millis(20), 10)? {
        what.push(format!("{event:?}"));
    }
    Ok(())
}

/// The group's generation as this member saw it last, if it was told of one since this was asked last.
fn generation(consumer: &KafkaConsumer) -> Option<u32> {
    let lines = consumer.logger().drain();
    let said = lines.iter().rev().find_map(|l| l.text.strip_prefix("generation "))?;
    said.split(' ').next()?.parse().ok()
}

/// Polls all until each has partitions, `partitions` in all, and was told so.
fn balance(members: &mut [&mut KafkaConsumer], partitions: usize) {
    let until = Instant::now() + LONG;
    loop {
        let counts: Vec<usize> = members.iter().map(|m| m.assignment().len()).collect();
        let balanced = !counts.contains(&0) && counts.iter().sum::<usize>() == partitions;
        assert!(Instant::now() < until, "{counts:?}");
        // What is assigned is known before it is told.
        let mut told = Vec::new();
        for member in members.iter_mut() {
            for _ in 0..10 {
                poll(member, &mut told).expect("no error");
            }
        }
        if balanced && told.is_empty() {
            return;
        }
    }
}

fn assigned(consumer: &mut KafkaConsumer) -> Vec<TopicPartition> {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        if let Polled::Event(Event::Assigned(partitions)) =
            consumer.poll(Duration::from_secs(1), 10).expect("no error")
        {
            return partitions;
        }
    }
    panic!("nothing was assigned");
}

fn has_static_members() -> bool {
    std::env::var("MILENA_KAFKA_VERSION").map_or(true, |version| !version.starts_with("1."))
}

#[test]
#[ignore = "needs a broker, MILENA_BROKER"]
fn a_static_member_restarts_without_a_rebalance() {
    if !has_static_members() {
        return;
    }
    let group = topic("static", 4);
    let (mut one, mut two) = (member(&group, "one"), member(&group, "two"));
    balance(&mut [&mut one, &mut two], 4);
    let generations = (generation(&one), generation(&two));
    assert!(generations.0.is_some() && generations.0 == generations.1, "{generations:?}");
    // One of them is the leader.
    for instance in ["one", "two"] {
        let (gone, stays) = if instance == "one" { (&mut one, &mut two) } else { (&mut two, &mut one) };
        let before = gone.assignment();
        gone.close(LONG).expect("closed");
        let mut told = Vec::new();
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            poll(stays, &mut told).expect("no error");
        }
        *gone = member(&group, instance);
        assert_eq!(assigned(gone), before, "{instance}");
        assert_eq!(generation(gone), generations.0, "{instance}");
        // Some heartbeats more, which would tell of a rebalance.
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            poll(stays, &mut told).expect("no error");
            poll(gone, &mut told).expect("no error");
        }
        assert!(told.is_empty(), "{instance}: {told:?}");
        assert_eq!(generation(stays), None, "{instance}");
    }
    for member in [&mut one, &mut two] {
        member.close(LONG).expect("closed");
    }
}

#[test]
#[ignore = "needs a broker, MILENA_BROKER"]
fn the_second_of_an_instance_fences_the_first() {
    if !has_static_members() {
        return;
    }
    let group = topic("fenced", 2);
    let mut first = member(&group, "i");
    assert_eq!(assigned(&mut first).len(), 2);
    let mut second = member(&group, "i");
    assert_eq!(assigned(&mut second).len(), 2);
    let (mut told, until) = (Vec::new(), Instant::now() + LONG);
    let error = loop {
        if let Err(error) = poll(&mut first, &mut told) {
            break error;
        }
        assert!(Instant::now() < until && told.len() < 10, "{told:?}");
    };
    assert_eq!((error.code(), error.is_fatal()), (Code::FENCED_INSTANCE_ID, true), "{error}");
    assert!(error.broker_id().is_some() && error.broker_address().is_some(), "{error}");
    first.close(LONG).expect("closed");
    assert!(poll(&mut second, &mut told).is_ok());
    assert_eq!(second.assignment().len(), 2);
    second.close(LONG).expect("closed");
}

#[test]
#[ignore = "needs a broker, MILENA_BROKER"]
fn a_broker_that_is_too_old_for_static_members_is_an_error() {
    if has_static_members() {
        return;
    }
    let group = topic("old", 1);
    let mut consumer = member(&group, "i");
    let until = Instant::now() + LONG;
    let error = loop {
        match poll(&mut consumer, &mut Vec::new()) {
            Ok(()) => assert!(Instant::now() < until, "no error"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.is_fatal()), (Code::NO_COMMON_VERSION, true), "{error}");
    assert!(error.hint_text().is_some_and(|h| h.contains("group.instance.id")), "{error}");
    assert!(error.broker_id().is_some(), "{error}");
    consumer.close(LONG).expect("closed");
}
