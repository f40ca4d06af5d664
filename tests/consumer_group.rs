//! Groups: join, rebalance, commit, leave, against the embedded cluster.

mod consumer_support;

use consumer_support::*;
use milena::config::{Assignor, ConsumerConfig, OffsetReset};
use milena::consumer::{Event, KafkaConsumer, OffsetAndMetadata, Polled};
use milena::embedded::{ClusterSettings, Fault, FaultKind};
use milena::protocol::ApiKey;
use milena::Code;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn cooperative() -> ConsumerConfig {
    let mut config = config(Some("g"));
    config.assignors = vec![Assignor::CooperativeSticky];
    config
}

/// The events among what was polled.
fn events(polled: &[Polled]) -> Vec<String> {
    polled.iter().filter_map(|p| if let Polled::Event(e) = p { Some(shown(e)) } else { None }).collect()
}

fn subscribed(world: &mut World, config: &ConsumerConfig) -> KafkaConsumer {
    let mut consumer = world.consumer(config);
    consumer.subscribe(&["t"]).unwrap();
    consumer
}

#[test]
fn one_member_gets_everything_and_commits() {
    let mut world = World::new(3);
    world.topic("t", 2);
    world.produce("t", 0, &["a", "b"]);
    world.produce("t", 1, &["c"]);
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0 t-1");
    let mut got = world.values(&mut consumer, 2_000);
    got.sort();
    assert_eq!(got, ["a", "b", "c"]);
    let pending = consumer.start_commit(None, MINUTE).unwrap();
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.committed("g", "t", 0), Some(2));
    assert_eq!(world.cluster.committed("g", "t", 1), Some(1));
    let with = OffsetAndMetadata { offset: 1, leader_epoch: -1, metadata: Some("note".into()) };
    let pending = consumer.start_commit(Some(&vec![(tp("t", 0), with.clone())]), MINUTE).unwrap();
    world.answer(&pending).unwrap();
    let pending = consumer.start_committed(&[tp("t", 0), tp("t", 9)], MINUTE).unwrap();
    assert_eq!(world.answer(&pending).unwrap(), [(tp("t", 0), Some(with)), (tp("t", 9), None)]);
    let pending = consumer.start_close(MINUTE);
    world.answer(&pending).unwrap();
    assert!(world.all_finished());
    assert_eq!(world.cluster.group("g").unwrap().members.len(), 0);
    // The next consumer of the group goes on where this one stopped.
    let mut next = subscribed(&mut world, &config(Some("g")));
    assert!(matches!(world.event(&mut next), Event::Assigned(_)));
    assert_eq!(world.values(&mut next, 2_000), ["b"]);
}

#[test]
fn an_eager_group_revokes_everything_before_it_shares_anew() {
    let mut world = World::new(1);
    world.topic("t", 4);
    let mut a = subscribed(&mut world, &config(Some("g")));
    assert_eq!(shown(&world.event(&mut a)), "assigned t-0 t-1 t-2 t-3");
    let mut b = subscribed(&mut world, &config(Some("g")));
    let got = world.poll_all(&mut [&mut a, &mut b], 10_000);
    assert_eq!(events(&got[0]).len(), 2, "{got:?}");
    assert_eq!(events(&got[0])[0], "revoked t-0 t-1 t-2 t-3");
    let mut all: Vec<_> = a.assignment().into_iter().chain(b.assignment()).collect();
    all.sort();
    assert_eq!(names(&all), "t-0 t-1 t-2 t-3");
    assert_eq!((a.assignment().len(), b.assignment().len()), (2, 2));
    let pending = b.start_close(MINUTE);
    world.answer(&pending).unwrap();
    let got = world.poll_all(&mut [&mut a], 10_000);
    assert_eq!(events(&got[0]).last().unwrap(), "assigned t-0 t-1 t-2 t-3");
}

#[test]
fn a_cooperative_group_moves_only_what_must_move() {
    let mut world = World::new(1);
    world.topic("t", 4);
    let mut a = subscribed(&mut world, &cooperative());
    assert_eq!(shown(&world.event(&mut a)), "assigned t-0 t-1 t-2 t-3");
    let mut b = subscribed(&mut world, &cooperative());
    let got = world.poll_all(&mut [&mut a, &mut b], 20_000);
    let revoked: Vec<String> = events(&got[0]).into_iter().filter(|e| e.starts_with("revoked")).collect();
    assert_eq!(revoked, ["revoked t-2 t-3"], "{got:?}");
    assert_eq!((names(&a.assignment()), names(&b.assignment())), ("t-0 t-1".into(), "t-2 t-3".into()));
    // What stays is read through the rebalance without a break.
    world.produce("t", 0, &["x"]);
    world.produce("t", 3, &["y"]);
    assert_eq!(world.values(&mut a, 1_000), ["x"]);
    assert_eq!(world.values(&mut b, 1_000), ["y"]);
}

#[test]
fn the_application_can_commit_between_the_revoked_event_and_the_next_poll() {
    let mut world = World::new(1);
    world.topic("t", 2);
    world.produce("t", 0, &["a", "b", "c"]);
    let mut a = subscribed(&mut world, &config(Some("g")));
    world.event(&mut a);
    assert_eq!(world.records(&mut a).len(), 3);
    let mut b = subscribed(&mut world, &config(Some("g")));
    let event = loop {
        world.settle();
        b.poll_step(world.now, 10).unwrap();
        if let Polled::Event(event) = world.poll(&mut a, 500, 10).unwrap() {
            break event;
        }
    };
    assert_eq!(shown(&event), "revoked t-0 t-1");
    assert!(a.assignment().is_empty());
    // Heartbeats go on while the application takes its time, longer than a session.
    world.run_ms(60_000);
    let offsets = vec![(tp("t", 0), OffsetAndMetadata::new(3))];
    let pending = a.start_commit(Some(&offsets), MINUTE).unwrap();
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.committed("g", "t", 0), Some(3));
    let got = world.poll_all(&mut [&mut a, &mut b], 10_000);
    assert!(events(&got[0]).iter().any(|e| e.starts_with("assigned")), "{got:?}");
    assert!(got.iter().flatten().all(|p| !matches!(p, Polled::Records(_))), "{got:?}");
}

#[test]
fn who_does_not_poll_leaves_and_comes_back_with_the_next_poll() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.max_poll_interval_ms = 30_000;
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    world.run_ms(29_000);
    assert_eq!(world.cluster.group("g").unwrap().members.len(), 1);
    world.run_ms(2_000);
    assert_eq!(world.cluster.group("g").unwrap().members.len(), 0);
    let lost = world.event(&mut consumer);
    assert_eq!(shown(&lost), "lost t-0 TIMED_OUT");
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
}

#[test]
fn a_member_that_was_taken_out_loses_its_partitions_and_joins_again() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    world.event(&mut consumer);
    world.cluster.push_fault(Fault::error(ApiKey::Heartbeat, Code::UNKNOWN_MEMBER_ID.0 as i16));
    assert_eq!(shown(&world.event(&mut consumer)), "lost t-0 UNKNOWN_MEMBER_ID");
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
    world.cluster.push_fault(Fault::error(ApiKey::Heartbeat, Code::ILLEGAL_GENERATION.0 as i16));
    assert_eq!(shown(&world.event(&mut consumer)), "lost t-0 ILLEGAL_GENERATION");
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
}

#[test]
fn the_own_commit_takes_only_what_a_former_poll_gave() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a", "b"]);
    let mut config = config(Some("g"));
    config.auto_commit = true;
    config.auto_commit_interval_ms = 1_000;
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    let Polled::Records(batch) = world.poll(&mut consumer, 10_000, 1).unwrap() else { panic!() };
    assert_eq!(values(&batch), ["a"]);
    world.run_ms(10_000);
    assert_ne!(world.cluster.committed("g", "t", 0), Some(1), "it may still be worked on");
    let Polled::Records(batch) = world.poll(&mut consumer, 10_000, 1).unwrap() else { panic!() };
    assert_eq!(values(&batch), ["b"]);
    world.run_ms(2_000);
    assert_eq!(world.cluster.committed("g", "t", 0), Some(1));
    let pending = consumer.start_close(MINUTE);
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.committed("g", "t", 0), Some(2), "closing says that the rest is done");
}

#[test]
fn polls_of_one_record_give_each_once_when_partitions_move() {
    let mut world = World::new(1);
    world.topic("t", 2);
    (0..2).for_each(|partition| world.produce("t", partition, &["x"; 100]));
    let mut config = config(Some("g"));
    config.auto_commit = true;
    config.auto_commit_interval_ms = 3_600_000;
    let mut got: Vec<(i32, i64)> = Vec::new();
    let mut one = |world: &mut World, consumer: &mut KafkaConsumer| {
        world.settle();
        match consumer.poll_step(world.now, 1).unwrap() {
            Some(Polled::Records(batch)) => got.push((batch.chunks[0].partition, offsets(&batch)[0])),
            Some(Polled::Event(_)) => {}
            _ => world.run_ms(10),
        }
    };
    let mut a = subscribed(&mut world, &config);
    (0..60).for_each(|_| one(&mut world, &mut a));
    let mut b = subscribed(&mut world, &config);
    (0..5_000).for_each(|_| (one(&mut world, &mut a), one(&mut world, &mut b)).0);
    assert_eq!((a.assignment().len(), b.assignment().len()), (1, 1));
    got.sort();
    assert_eq!(got, (0..2).flat_map(|p| (0..100).map(move |o| (p, o))).collect::<Vec<_>>());
}

#[test]
fn the_own_commit_comes_before_partitions_are_given_up() {
    let mut world = World::new(1);
    world.topic("t", 2);
    world.produce("t", 0, &["a", "b"]);
    world.produce("t", 1, &["c"]);
    let mut config = config(Some("g"));
    config.auto_commit = true;
    config.auto_commit_interval_ms = 3_600_000;
    let mut a = subscribed(&mut world, &config);
    world.event(&mut a);
    world.values(&mut a, 1_000);
    let mut b = subscribed(&mut world, &config);
    let got = world.poll_all(&mut [&mut a, &mut b], 10_000);
    assert_eq!((a.assignment().len(), b.assignment().len()), (1, 1));
    assert!(got.iter().flatten().all(|p| !matches!(p, Polled::Records(_))), "twice: {got:?}");
    assert_eq!(world.cluster.committed("g", "t", 0), Some(2));
    assert_eq!(world.cluster.committed("g", "t", 1), Some(1));
}

#[test]
fn an_asynchronous_commit_ends_in_an_event() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = world.consumer(&config(Some("g")));
    consumer.assign(&[tp("t", 0)]).unwrap();
    consumer.commit_async(Some(&vec![(tp("t", 0), OffsetAndMetadata::new(7))])).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "committed t-0@7");
    let code = Code::TOPIC_AUTHORIZATION_FAILED;
    world.cluster.push_fault(Fault::error(ApiKey::OffsetCommit, code.0 as i16));
    consumer.commit_async(Some(&vec![(tp("t", 0), OffsetAndMetadata::new(8))])).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "committed t-0@8 TOPIC_AUTHORIZATION_FAILED");
    assert_eq!(world.cluster.committed("g", "t", 0), Some(7));
}

#[test]
fn commits_are_retried_where_that_helps() {
    let mut world = World::new(3);
    world.topic("t", 1);
    let mut consumer = world.consumer(&config(Some("g")));
    consumer.assign(&[tp("t", 0)]).unwrap();
    for code in [Code::COORDINATOR_LOAD_IN_PROGRESS, Code::NOT_COORDINATOR, Code::COORDINATOR_NOT_AVAILABLE] {
        world.cluster.push_fault(Fault::error(ApiKey::OffsetCommit, code.0 as i16));
        world.cluster.push_fault(Fault::error(ApiKey::OffsetFetch, code.0 as i16));
    }
    for code in [Code::COORDINATOR_LOAD_IN_PROGRESS, Code::COORDINATOR_NOT_AVAILABLE] {
        world.cluster.push_fault(Fault::error(ApiKey::FindCoordinator, code.0 as i16));
    }
    let pending =
        consumer.start_commit(Some(&vec![(tp("t", 0), OffsetAndMetadata::new(5))]), MINUTE).unwrap();
    world.answer(&pending).unwrap();
    let pending = consumer.start_committed(&[tp("t", 0)], MINUTE).unwrap();
    assert_eq!(world.answer(&pending).unwrap()[0].1.as_ref().unwrap().offset, 5);
    world.cluster.move_coordinator("g", 2).unwrap();
    let pending =
        consumer.start_commit(Some(&vec![(tp("t", 0), OffsetAndMetadata::new(6))]), MINUTE).unwrap();
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.committed("g", "t", 0), Some(6));
}

#[test]
fn a_commit_outside_of_the_group_is_refused_at_once() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    let pending =
        consumer.start_commit(Some(&vec![(tp("t", 0), OffsetAndMetadata::new(5))]), MINUTE).unwrap();
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.is_retriable()), (Code::REBALANCE_IN_PROGRESS, true));
    world.event(&mut consumer);
    let code = Code::UNKNOWN_MEMBER_ID;
    world.cluster.push_fault(Fault::error(ApiKey::OffsetCommit, code.0 as i16));
    let pending = consumer.start_commit(None, MINUTE).unwrap();
    assert_eq!(world.answer(&pending).unwrap_err().code(), code);
    assert_eq!(shown(&world.event(&mut consumer)), "lost t-0 UNKNOWN_MEMBER_ID");
}

/// From its join on a member's generation is the old one: its commits would make it look like one that was taken out.
#[test]
fn a_commit_while_joining_is_refused_and_costs_nothing() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.topic("u", 1);
    world.produce("t", 0, &["a"]);
    let mut consumer = subscribed(&mut world, &cooperative());
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
    assert_eq!(world.values(&mut consumer, 2_000), ["a"]);
    let slow = Fault::new(FaultKind::Delay(1_000));
    world.cluster.push_fault(slow.clone().api(ApiKey::JoinGroup));
    world.cluster.push_fault(slow.api(ApiKey::SyncGroup));
    consumer.subscribe(&["t", "u"]).unwrap();
    for _ in 0..2 {
        world.run_ms(500);
        let pending = consumer.start_commit(None, MINUTE).unwrap();
        let error = world.answer(&pending).unwrap_err();
        assert_eq!((error.code(), error.is_retriable()), (Code::REBALANCE_IN_PROGRESS, true));
        world.run_ms(500);
    }
    assert_eq!(shown(&world.event(&mut consumer)), "assigned u-0");
    let pending = consumer.start_commit(None, MINUTE).unwrap();
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.committed("g", "t", 0), Some(1));
}

#[test]
fn without_an_offset_and_a_policy_poll_says_so_until_someone_seeks() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    let mut config = config(Some("g"));
    config.offset_reset = OffsetReset::None;
    let mut consumer = world.consumer(&config);
    consumer.assign(&[tp("t", 0)]).unwrap();
    for _ in 0..2 {
        let error = world.error(&mut consumer);
        assert_eq!(error.code(), Code::NO_OFFSET);
        assert!(error.message().contains("t-0"), "{error}");
    }
    assert_eq!(consumer.try_position(&tp("t", 0)).unwrap_err().code(), Code::NO_OFFSET);
    consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(0)).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
}

#[test]
fn a_seek_takes_the_missing_offset_back() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    for group in [None, Some("g")] {
        let mut config = config(group);
        config.offset_reset = OffsetReset::None;
        let mut consumer = world.consumer(&config);
        consumer.assign(&[tp("t", 0)]).unwrap();
        let place = world.error(&mut consumer).place().cloned().expect("a place, for programs");
        assert_eq!((&*place.topic, place.partition, place.offset), ("t", 0, -1));
        // Found missing again, and not told yet.
        world.run_ms(5_000);
        consumer.seek(&tp("t", 0), &OffsetAndMetadata::new(0)).unwrap();
        assert_eq!(values(&world.records(&mut consumer)), ["a"], "{group:?}");
    }
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let mut world = World::new(1);
    world.topic("t", 2);
    let member =
        |instance: &str| ConsumerConfig { group_instance_id: Some(instance.to_owned()), ..config(Some("g")) };
    let mut one = subscribed(&mut world, &member("one"));
    let mut two = subscribed(&mut world, &member("two"));
    world.poll_all(&mut [&mut one, &mut two], 30_000);
    assert_eq!((names(&one.assignment()), names(&two.assignment())), ("t-0".to_owned(), "t-1".to_owned()));
    let (generation, joins) = (world.cluster.group("g").unwrap().generation, 2);
    assert!(world.cluster.request_count(ApiKey::JoinGroup) >= joins);
    for again in ["one", "two"] {
        // One of them is the leader.
        let gone = if again == "one" { &mut one } else { &mut two };
        let pending = gone.start_close(MINUTE);
        world.answer(&pending).unwrap();
        world.run_ms(10_000);
        assert_eq!(world.cluster.request_count(ApiKey::LeaveGroup), 0, "a static member does not leave");
        let mut back = subscribed(&mut world, &member(again));
        let place = if again == "one" { "t-0" } else { "t-1" };
        assert_eq!(shown(&world.event(&mut back)), format!("assigned {place}"));
        *gone = back;
        assert_eq!(world.cluster.group("g").unwrap().generation, generation, "nobody else noticed");
    }
    // The leader still looks after its topics.
    world.cluster.create_partitions("t", 3).unwrap();
    let got = world.poll_all(&mut [&mut one, &mut two], 400_000);
    let all = names(&one.assignment()) + " " + &names(&two.assignment());
    assert!(all.contains("t-2"), "{all}: {:?} {:?}", events(&got[0]), events(&got[1]));
}

#[test]
fn a_static_member_whose_name_is_taken_is_told_so_for_good() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let config = ConsumerConfig { group_instance_id: Some("i".to_owned()), ..config(Some("g")) };
    let mut first = subscribed(&mut world, &config);
    assert_eq!(shown(&world.event(&mut first)), "assigned t-0");
    let mut second = subscribed(&mut world, &config);
    assert_eq!(shown(&world.event(&mut second)), "assigned t-0");
    let mut told = Vec::new();
    let error = loop {
        match world.poll(&mut first, 60_000, 100) {
            Ok(Polled::Event(event)) => told.push(shown(&event)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
        assert!(told.len() < 10, "{told:?}");
    };
    assert_eq!((error.code(), error.is_fatal()), (Code::FENCED_INSTANCE_ID, true), "{error}");
    assert!(error.hint_text().unwrap().contains("group.instance.id"), "{error}");
    let joins = world.cluster.request_count(ApiKey::JoinGroup);
    world.run_ms(60_000);
    assert_eq!(world.cluster.request_count(ApiKey::JoinGroup), joins, "they do not fight for it");
    assert_eq!(names(&second.assignment()), "t-0");
}

#[test]
fn a_broker_without_static_members_is_an_error() {
    let max_versions = vec![(ApiKey::JoinGroup, 4)];
    let mut world = World::with(ClusterSettings { max_versions, ..settings(1) });
    world.topic("t", 1);
    let config = ConsumerConfig { group_instance_id: Some("i".to_owned()), ..config(Some("g")) };
    let mut consumer = subscribed(&mut world, &config);
    let error = world.error(&mut consumer);
    assert_eq!(error.code(), Code::NO_COMMON_VERSION, "{error}");
    assert!(error.hint_text().unwrap().contains("group.instance.id"), "{error}");
}

#[test]
fn a_poll_that_is_due_is_announced_and_one_that_is_late_is_warned_of() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.max_poll_interval_ms = 30_000;
    config.client.log.sink = milena::log::Sink::Poll;
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    assert!(consumer.poll_step(world.now, 1).unwrap().is_none());
    consumer.logger().drain();
    let fd = consumer.fd().unwrap();
    world.run_ms(19_000);
    assert!(!is_readable(fd), "there is nothing");
    world.run_ms(2_000);
    assert!(is_readable(fd), "whoever polls when the descriptor says so stays in the group");
    let warned = |consumer: &KafkaConsumer| {
        let lines = consumer.logger().drain();
        lines.iter().filter(|l| l.text.contains("80 % of max.poll.interval.ms")).count()
    };
    assert_eq!(warned(&consumer), 0);
    world.run_ms(4_000);
    assert_eq!(warned(&consumer), 1);
    assert!(consumer.poll_step(world.now, 1).unwrap().is_none());
    world.run_ms(19_000);
    assert_eq!(warned(&consumer), 0);
}

#[test]
fn a_commit_says_what_keeps_it_from_its_group() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.max_poll_interval_ms = 30_000;
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    let offsets = vec![(tp("t", 0), OffsetAndMetadata::new(0))];
    // The rebalance was faster than the commit: nothing is lost.
    let mut other = subscribed(&mut world, &config);
    let end = world.now.mono.plus_ms(20_000);
    while !matches!(consumer.poll_step(world.now, 1), Ok(Some(Polled::Event(Event::Revoked(_))))) {
        assert!(world.now.mono < end);
        world.run_ms(10);
    }
    // The next poll lets it join; it has not heard of the new generation when it commits in the old one.
    world.cluster.push_fault(Fault::new(FaultKind::Delay(3_000)).api(ApiKey::JoinGroup));
    consumer.poll_step(world.now, 1).unwrap();
    world.run_ms(100);
    let before = world.now.mono;
    let pending = consumer.start_commit(Some(&offsets), MINUTE).unwrap();
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.is_retriable()), (Code::REBALANCE_IN_PROGRESS, true), "{error}");
    assert!(world.now.mono.ms_since(before) < 1_000, "it does not wait for the join");
    let got = world.poll_all(&mut [&mut consumer, &mut other], 10_000);
    assert!(!events(&got[0]).iter().any(|e| e.starts_with("lost")), "{:?}", events(&got[0]));
    // Nobody polls for too long.
    world.run_ms(40_000);
    let pending = consumer.start_commit(Some(&offsets), MINUTE).unwrap();
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.is_retriable()), (Code::UNKNOWN_MEMBER_ID, false), "{error}");
    assert!(error.to_string().contains("max.poll.interval.ms"), "{error}");
}

#[test]
fn a_topic_that_is_not_there_is_told_in_the_log_once() {
    let mut world = World::with(ClusterSettings { auto_create_topics: false, ..settings(1) });
    let mut config = config(Some("g"));
    config.client.log.sink = milena::log::Sink::Poll;
    let mut consumer = subscribed(&mut world, &config);
    world.poll_all(&mut [&mut consumer], 60_000);
    let lines = consumer.logger().drain();
    let told: Vec<&str> = lines.iter().map(|l| &*l.text).filter(|l| l.contains("does not exist")).collect();
    assert!(told.len() == 1 && told[0].contains("topic t ") && told[0].contains("UNKNOWN_TOPIC"), "{told:?}");
}

#[test]
fn the_leader_shares_anew_when_partitions_are_added() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.client.metadata_max_age_ms = 10_000;
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    world.cluster.create_partitions("t", 3).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "revoked t-0");
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0 t-1 t-2");
}

#[test]
fn a_topic_that_comes_later_is_assigned_then() {
    let mut world = World::with(ClusterSettings { auto_create_topics: false, ..settings(1) });
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    assert_eq!(shown(&world.event(&mut consumer)), "assigned");
    world.topic("t", 1);
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
}

#[test]
fn a_changed_subscription_is_a_rebalance() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.topic("u", 1);
    let mut consumer = subscribed(&mut world, &cooperative());
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
    consumer.subscribe(&["t", "u"]).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "assigned u-0");
    consumer.subscribe(&["u"]).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "revoked t-0");
    assert_eq!(shown(&world.event(&mut consumer)), "assigned");
    assert_eq!(names(&consumer.assignment()), "u-0");
    consumer.unsubscribe().unwrap();
    world.run_ms(10_000);
    assert_eq!(world.cluster.group("g").unwrap().members.len(), 0);
    consumer.subscribe(&["t"]).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
}

#[test]
fn a_group_of_incompatible_members_is_an_error() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.assignors = vec![Assignor::RoundRobin];
    let mut a = subscribed(&mut world, &config);
    world.event(&mut a);
    let mut b = subscribed(&mut world, &cooperative());
    let error = world.error(&mut b);
    assert_eq!((error.code(), error.is_fatal()), (Code::INCONSISTENT_GROUP_PROTOCOL, true));
}

#[test]
fn closing_takes_no_longer_than_it_may() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut config = config(Some("g"));
    config.auto_commit = true;
    world.produce("t", 0, &["a"]);
    let mut consumer = subscribed(&mut world, &config);
    world.event(&mut consumer);
    world.values(&mut consumer, 100);
    world.cluster.pause(1).unwrap();
    let begin = world.now.mono;
    let pending = consumer.start_close(Duration::from_millis(2_000));
    let error = world.answer(&pending).unwrap_err();
    assert!(world.now.mono.ms_since(begin) <= 2_000);
    assert_eq!(error.code(), Code::TIMED_OUT);
    assert!(error.message().contains("1 partitions") && error.message().contains("leaves"), "{error}");
    world.settle();
    assert!(world.all_finished());
}

#[test]
fn a_group_lives_through_the_loss_of_its_coordinator() {
    let mut world = World::new(3);
    world.topic("t", 3);
    let mut a = subscribed(&mut world, &cooperative());
    let mut b = subscribed(&mut world, &cooperative());
    world.poll_all(&mut [&mut a, &mut b], 20_000);
    assert_eq!(a.assignment().len() + b.assignment().len(), 3);
    let coordinator = world.cluster.coordinator("g").unwrap();
    world.cluster.broker_down(world.now, coordinator).unwrap();
    world.poll_all(&mut [&mut a, &mut b], 60_000);
    assert_eq!(a.assignment().len() + b.assignment().len(), 3);
    world.cluster.broker_up(world.now, coordinator).unwrap();
    for p in 0..3 {
        world.produce("t", p, &[&p.to_string()]);
    }
    let got = world.poll_all(&mut [&mut a, &mut b], 20_000);
    let mut all: Vec<String> = got
        .iter()
        .flatten()
        .filter_map(|p| if let Polled::Records(b) = p { Some(values(b)) } else { None })
        .flatten()
        .collect();
    all.sort();
    assert_eq!(all, ["0", "1", "2"]);
}
