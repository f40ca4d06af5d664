//! What brokers and logs can do to a consumer, and what it makes of it.

mod consumer_support;

use consumer_support::*;
use milena::config::{OffsetReset, Serde};
use milena::consumer::{KafkaConsumer, OffsetAndMetadata, Polled};
use milena::embedded::{Fault, FaultKind};
use milena::protocol::ApiKey;
use milena::record::Compression;
use milena::Code;

fn assigned(world: &mut World, config: &milena::config::ConsumerConfig) -> KafkaConsumer {
    let mut consumer = world.consumer(config);
    consumer.assign(&[tp("t", 0)]).unwrap();
    consumer
}

#[test]
fn errors_that_pass_are_waited_out() {
    for code in [
        Code::NOT_LEADER_OR_FOLLOWER,
        Code::FENCED_LEADER_EPOCH,
        Code::UNKNOWN_LEADER_EPOCH,
        Code::UNKNOWN_TOPIC_OR_PARTITION,
        Code::UNKNOWN_TOPIC_ID,
        Code::KAFKA_STORAGE_ERROR,
        Code::OFFSET_NOT_AVAILABLE,
        Code::UNKNOWN_SERVER_ERROR,
    ] {
        let mut world = World::new(1);
        world.topic("t", 1);
        world.produce("t", 0, &["a"]);
        world.cluster.push_fault(Fault::error(ApiKey::Fetch, code.0 as i16).times(3));
        world.cluster.push_fault(Fault::error(ApiKey::ListOffsets, code.0 as i16).times(2));
        let mut consumer = assigned(&mut world, &config(None));
        assert_eq!(values(&world.records(&mut consumer)), ["a"], "{code:?}");
        assert_eq!(world.cluster.faults_left(), 0);
    }
}

#[test]
fn whatever_happens_to_an_answer_the_records_come() {
    for kind in [
        FaultKind::DisconnectBefore,
        FaultKind::DisconnectAfter,
        FaultKind::DropAnswer,
        FaultKind::Garbage,
        FaultKind::HugeLength,
        FaultKind::CutOff,
        FaultKind::Truncated,
        FaultKind::WrongCorrelation,
        FaultKind::Delay(2_000),
    ] {
        for api in [ApiKey::Fetch, ApiKey::ListOffsets, ApiKey::Metadata, ApiKey::FindCoordinator] {
            let mut world = World::new(1);
            world.topic("t", 1);
            world.produce("t", 0, &["a"]);
            world.cluster.push_fault(Fault::new(kind).api(api).times(2));
            let mut consumer = assigned(&mut world, &config(Some("g")));
            let got = loop {
                match world.poll(&mut consumer, 120_000, 10) {
                    Ok(Polled::Records(batch)) => break values(&batch),
                    Ok(other) => panic!("{kind:?} {api:?}: {other:?}"),
                    // Garbage may be an error that the application sees, but never the end.
                    Err(error) => assert!(!error.is_fatal(), "{error}"),
                }
            };
            assert_eq!(got, ["a"], "{kind:?} {api:?}");
        }
    }
}

#[test]
fn what_is_not_allowed_is_said_again_and_again() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    let code = Code::TOPIC_AUTHORIZATION_FAILED;
    world.cluster.push_fault(Fault::error(ApiKey::Fetch, code.0 as i16).times(2));
    let mut consumer = assigned(&mut world, &config(None));
    for _ in 0..2 {
        let error = world.error(&mut consumer);
        assert_eq!(error.code(), code);
        assert!(error.message().contains("t-0"), "{error}");
    }
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
}

#[test]
fn an_offset_that_is_gone_is_reset_or_an_error() {
    let mut world = World::new(1);
    world.topic("t", 1);
    for i in 0..4 {
        world.produce("t", 0, &[&i.to_string()]);
    }
    let now = world.now;
    world.cluster.delete_records(now, "t", 0, 2).unwrap();
    let mut consumer = assigned(&mut world, &config(None));
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(0)).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["2", "3"]);
    let mut strict = config(None);
    strict.offset_reset = OffsetReset::None;
    let mut consumer = assigned(&mut world, &strict);
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(100)).unwrap();
    let error = world.error(&mut consumer);
    assert_eq!(error.code(), Code::NO_OFFSET);
    assert!(error.message().contains("t-0") && error.message().contains("100"), "{error}");
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(3)).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["3"]);
}

#[test]
fn a_leader_that_moves_is_followed() {
    let mut world = World::new(3);
    world.topic("t", 1);
    let mut consumer = assigned(&mut world, &config(None));
    for i in 0..12 {
        let now = world.now;
        world.cluster.move_leader(now, "t", 0, i % 3 + 1).unwrap();
        world.produce("t", 0, &[&i.to_string()]);
        assert_eq!(values(&world.records(&mut consumer)), [i.to_string()]);
    }
}

#[test]
fn a_broker_that_dies_is_left_and_found_again() {
    let mut world = World::new(2);
    world.topic("t", 1);
    let (leader, _) = world.cluster.leader("t", 0).unwrap();
    let mut consumer = assigned(&mut world, &config(None));
    world.produce("t", 0, &["a"]);
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
    let now = world.now;
    world.cluster.broker_down(now, leader).unwrap();
    assert!(matches!(world.poll(&mut consumer, 20_000, 10), Ok(Polled::Nothing)));
    let now = world.now;
    world.cluster.broker_up(now, leader).unwrap();
    world.produce("t", 0, &["b"]);
    assert_eq!(values(&world.records(&mut consumer)), ["b"]);
}

#[test]
fn a_corrupt_batch_is_an_error_that_can_be_passed_by() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a", "b"]);
    world.produce("t", 0, &["c", "d"]);
    world.produce("t", 0, &["e"]);
    world.cluster.corrupt_batch("t", 0, 1).unwrap();
    let mut consumer = assigned(&mut world, &config(None));
    assert_eq!(values(&world.records(&mut consumer)), ["a", "b"]);
    for _ in 0..3 {
        let error = world.error(&mut consumer);
        assert_eq!(error.code(), Code::CORRUPT_MESSAGE);
        assert!(error.message().contains("t-0") && error.message().contains("offset 2"), "{error}");
        assert!(error.hint_text().unwrap().contains("offset 4"), "{error}");
        assert_eq!(consumer.try_position(&tp("t", 0)).unwrap(), Some(2));
    }
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(4)).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["e"]);
}

#[test]
fn a_record_that_a_deserializer_refuses_is_an_error_that_can_be_passed_by() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let records = [
        full_record(None, Some(b"fine"), &[]),
        full_record(None, Some(b"\xff\xfe"), &[]),
        full_record(None, None, &[]),
    ];
    world.produce_batch("t", 0, &batch_of(&records, Compression::None));
    let mut config = config(None);
    config.value_deserializer = Serde::Utf8;
    let mut consumer = assigned(&mut world, &config);
    assert_eq!(values(&world.records(&mut consumer)), ["fine"]);
    let error = world.error(&mut consumer);
    assert!(error.message().contains("t-0") && error.message().contains("offset 1"), "{error}");
    assert!(error.hint_text().unwrap().contains("offset 2"), "{error}");
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(2)).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["<null>"]);
}

#[test]
fn held_batches_fill_the_budget_and_poll_says_so() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let value = "x".repeat(10_000);
    for _ in 0..40 {
        world.produce("t", 0, &[value.as_str(); 10]);
    }
    let mut config = config(None);
    config.fetch_buffer_memory = 1_000_000;
    config.max_partition_fetch_bytes = 200_000;
    let mut consumer = assigned(&mut world, &config);
    let mut held = Vec::new();
    let error = loop {
        match world.poll(&mut consumer, 60_000, 1000) {
            Ok(Polled::Records(batch)) => held.push(batch),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::BATCHES_HELD);
    let bytes: usize = held.iter().map(|b| b.len() * 10_000).sum();
    assert!((500_000..1_300_000).contains(&bytes), "{bytes}");
    let mut count: usize = held.iter().map(|b| b.len()).sum();
    drop(held);
    while count < 400 {
        count += world.records(&mut consumer).len();
    }
    assert_eq!(count, 400);
}

#[test]
fn compressed_batches_that_are_held_count_as_what_they_became() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let value = "x".repeat(100_000);
    for _ in 0..40 {
        world.produce_batch("t", 0, &batch(&[&value], Compression::Zstd));
    }
    let mut config = config(None);
    config.fetch_buffer_memory = 1_000_000;
    let mut consumer = assigned(&mut world, &config);
    let mut held = Vec::new();
    let error = loop {
        match world.poll(&mut consumer, 60_000, 1) {
            Ok(Polled::Records(batch)) => held.push(batch),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::BATCHES_HELD);
    assert!((5..15).contains(&held.len()), "{}", held.len());
    let mut count = held.len();
    drop(held);
    while count < 40 {
        count += world.records(&mut consumer).len();
    }
}

#[test]
fn a_record_larger_than_the_budget_comes_through() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let value = "x".repeat(500_000);
    world.produce("t", 0, &[&value]);
    world.produce_batch("t", 0, &batch(&[&value], Compression::Gzip));
    world.produce("t", 0, &["small"]);
    let mut config = config(None);
    config.fetch_buffer_memory = 1_000;
    config.fetch_max_bytes = 1_000;
    config.max_partition_fetch_bytes = 1_000;
    let mut consumer = assigned(&mut world, &config);
    let mut sizes = Vec::new();
    while sizes.len() < 3 {
        sizes.extend(values(&world.records(&mut consumer)).iter().map(String::len));
    }
    assert_eq!(sizes, [500_000, 500_000, 5]);
}

#[test]
fn what_paused_partitions_hold_does_not_starve_the_others() {
    let mut world = World::new(1);
    world.topic("t", 2);
    let value = "x".repeat(10_000);
    for p in 0..2 {
        for _ in 0..40 {
            world.produce("t", p, &[value.as_str(); 10]);
        }
    }
    let mut config = config(None);
    config.fetch_buffer_memory = 400_000;
    config.max_partition_fetch_bytes = 200_000;
    let mut consumer = world.consumer(&config);
    consumer.assign(&[tp("t", 0), tp("t", 1)]).unwrap();
    world.run_ms(1_000);
    consumer.pause(&[tp("t", 0)]).unwrap();
    let mut count = 0;
    while count < 400 {
        let batch = world.records(&mut consumer);
        assert!(batch.chunks.iter().all(|c| c.partition == 1));
        count += batch.len();
    }
    consumer.resume(&[tp("t", 0)]).unwrap();
    while count < 800 {
        count += world.records(&mut consumer).len();
    }
}

#[test]
fn a_topic_that_may_not_be_read_is_an_error() {
    let mut world = World::new(1);
    let code = Code::TOPIC_AUTHORIZATION_FAILED;
    world.topic("t", 1);
    world.cluster.push_fault(Fault::error(ApiKey::Metadata, code.0 as i16).topic("t").times(1));
    let mut consumer = assigned(&mut world, &config(None));
    let error = world.error(&mut consumer);
    assert_eq!(error.code(), code);
    assert!(error.message().contains('t'), "{error}");
}

#[test]
fn a_group_that_may_not_be_used_is_an_error() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let code = Code::GROUP_AUTHORIZATION_FAILED;
    for api in [ApiKey::FindCoordinator, ApiKey::JoinGroup, ApiKey::SyncGroup, ApiKey::OffsetFetch] {
        world.cluster.push_fault(Fault::error(api, code.0 as i16));
        let mut consumer = world.consumer(&config(Some("g")));
        consumer.subscribe(&["t"]).unwrap();
        let error = loop {
            match world.poll(&mut consumer, 60_000, 10) {
                Ok(Polled::Event(_)) => {}
                Ok(other) => panic!("{api:?}: {other:?}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), code, "{api:?}");
        let pending = consumer.start_close(std::time::Duration::from_secs(5));
        world.answer(&pending).unwrap();
    }
}

#[test]
fn a_batch_that_the_broker_finds_corrupt_is_named() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    let mut consumer = assigned(&mut world, &config(None));
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
    world.produce("t", 0, &["b"]);
    world.cluster.push_fault(Fault::error(ApiKey::Fetch, Code::CORRUPT_MESSAGE.0 as i16).times(2));
    let error = world.error(&mut consumer);
    assert_eq!((error.code(), error.is_retriable()), (Code::CORRUPT_MESSAGE, false), "{error}");
    let place = error.place().expect("a place, for programs");
    assert_eq!((&*place.topic, place.partition, place.next_offset), ("t", 0, -1));
    consumer.seek(&tp("t", 0), &milena::consumer::OffsetAndMetadata::new(1)).unwrap();
    world.cluster.clear_faults();
    assert_eq!(values(&world.records(&mut consumer)), ["b"]);
}

#[test]
fn an_idle_consumer_asks_for_no_more_than_its_long_polls() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = assigned(&mut world, &config(None));
    world.run_ms(1_000);
    let before = world.cluster.request_count(ApiKey::Fetch);
    assert!(matches!(world.poll(&mut consumer, 10_000, 1), Ok(Polled::Nothing)));
    let fetches = world.cluster.request_count(ApiKey::Fetch) - before;
    assert!((19..=21).contains(&fetches), "{fetches}");
}

#[test]
fn fetching_runs_ahead_of_the_application_but_not_without_end() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let value = "x".repeat(1_000);
    for _ in 0..100 {
        world.produce("t", 0, &[value.as_str(); 10]);
    }
    let mut config = config(None);
    config.max_partition_fetch_bytes = 20_000;
    let mut consumer = assigned(&mut world, &config);
    world.run_ms(10_000);
    assert_eq!(world.cluster.request_count(ApiKey::Fetch), 2, "one to be read and one ahead");
    let mut count = 0;
    while count < 1000 {
        count += world.records(&mut consumer).len();
    }
}

/// What a look-up says that does not end in time.
fn late_lookup(world: &mut World, consumer: &mut KafkaConsumer, partition: i32) -> milena::Error {
    let targets = vec![(tp("t", partition), -1)];
    let timeout = std::time::Duration::from_secs(20);
    let pending = consumer.start_find_offsets(targets, timeout).unwrap();
    world.answer(&pending).unwrap_err()
}

#[test]
fn a_lookup_without_a_leader_blames_no_broker_that_has_nothing_to_do_with_it() {
    let mut world = World::new(3);
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    world.cluster.create_topic("u", 3, 1, &[]).unwrap();
    let mut consumer = world.consumer(&config(None));
    // Another broker, that it reads from, ends the connection again and again.
    let (leader, _) = world.cluster.leader("t", 0).unwrap();
    let of = |p: &i32| world.cluster.leader("u", *p).unwrap().0;
    let (partition, other) = (0..3).map(|p| (p, of(&p))).find(|(_, id)| *id != leader).unwrap();
    consumer.assign(&[tp("u", partition)]).unwrap();
    let fault = Fault::new(FaultKind::DisconnectBefore).api(ApiKey::Fetch);
    world.cluster.push_fault(fault.times(Fault::FOREVER));
    world.run_ms(1_000);
    let error = late_lookup(&mut world, &mut consumer, 7);
    let cause = error.cause_text().unwrap_or_default().to_owned();
    assert!(cause.contains("1 partitions") && error.broker_id() != Some(other), "{error}");
    world.cluster.broker_down(world.now, leader).unwrap();
    let error = late_lookup(&mut world, &mut consumer, 0);
    let cause = error.cause_text().unwrap_or_default().to_owned();
    assert!(cause.contains("LEADER_NOT_AVAILABLE") && error.broker_id() != Some(other), "{error}");
}

#[test]
fn a_lookup_that_is_not_answered_names_the_broker_that_was_asked() {
    let mut world = World::new(3);
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    world.cluster.create_topic("u", 3, 1, &[]).unwrap();
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0), tp("u", 0), tp("u", 1), tp("u", 2)]).unwrap();
    world.run_ms(1_000);
    let (leader, _) = world.cluster.leader("t", 0).unwrap();
    world.cluster.broker_down(world.now, leader % 3 + 1).unwrap();
    world.run_ms(1_000);
    world.cluster.pause(leader).unwrap();
    let error = late_lookup(&mut world, &mut consumer, 0);
    assert_eq!((error.code(), error.broker_id()), (Code::TIMED_OUT, Some(leader)), "{error}");
    assert!(error.message().contains("1 partitions") && error.message().contains("t-0"), "{error}");
}
