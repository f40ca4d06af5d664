//! What goes wrong between a consumer and its group's coordinator, and who is told: leaving, fencing, commits beside
//! a group, a coordinator that is not found.

mod consumer_support;

use consumer_support::*;
use milena::config::ConsumerConfig;
use milena::consumer::{KafkaConsumer, OffsetAndMetadata, Polled};
use milena::embedded::{Fault, FaultKind};
use milena::error::Phase;
use milena::log::Level;
use milena::protocol::ApiKey;
use milena::{Code, Error};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn logged() -> ConsumerConfig {
    let mut config = config(Some("g"));
    config.client.log.sink = milena::log::Sink::Poll;
    config
}

fn subscribed(world: &mut World, config: &ConsumerConfig) -> KafkaConsumer {
    let mut consumer = world.consumer(config);
    consumer.subscribe(&["t"]).unwrap();
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
    consumer
}

/// The warnings since the last call that say this.
fn warnings(consumer: &KafkaConsumer, about: &str) -> Vec<String> {
    let lines = consumer.logger().drain();
    let texts = lines.iter().filter(|l| l.level == Level::Warning).map(|l| l.text.to_string());
    texts.filter(|l| l.contains(about)).collect()
}

/// The next error of poll, whatever events come before it.
fn error(world: &mut World, consumer: &mut KafkaConsumer) -> Error {
    for _ in 0..10 {
        match world.poll(consumer, 60_000, 100) {
            Ok(Polled::Event(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => return error,
        }
    }
    panic!("no error");
}

#[test]
fn who_closes_leaves_again_where_that_helps() {
    let code = |code: Code| FaultKind::Error(code.0 as i16);
    for kind in [
        code(Code::NOT_COORDINATOR),
        code(Code::COORDINATOR_NOT_AVAILABLE),
        code(Code::COORDINATOR_LOAD_IN_PROGRESS),
        FaultKind::DisconnectBefore,
        FaultKind::DisconnectAfter,
        FaultKind::CutOff,
        FaultKind::Garbage,
    ] {
        let mut world = World::new(3);
        world.topic("t", 1);
        let mut consumer = subscribed(&mut world, &config(Some("g")));
        world.cluster.push_fault(Fault::new(kind).api(ApiKey::LeaveGroup).times(3));
        let pending = consumer.start_close(MINUTE);
        world.answer(&pending).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!(world.cluster.group("g").unwrap().members.len(), 0, "{kind:?}");
        assert!(world.all_finished());
    }
}

#[test]
fn who_closes_while_the_coordinator_moves_leaves_with_the_new_one() {
    let mut world = World::new(3);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    let coordinator = world.cluster.coordinator("g").unwrap();
    world.cluster.move_coordinator("g", coordinator % 3 + 1).unwrap();
    let pending = consumer.start_close(MINUTE);
    world.answer(&pending).unwrap();
    assert_eq!(world.cluster.group("g").unwrap().members.len(), 0);
}

#[test]
fn a_leave_that_is_refused_is_told() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &logged());
    let code = Code::GROUP_AUTHORIZATION_FAILED;
    world.cluster.push_fault(Fault::error(ApiKey::LeaveGroup, code.0 as i16));
    let pending = consumer.start_close(MINUTE);
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.broker_id()), (code, Some(1)), "{error}");
    assert!(error.message().contains("leaves"), "{error}");
    let told = warnings(&consumer, "leaves");
    assert!(told.len() == 1 && told[0].contains("broker 1") && told[0].contains(code.name()), "{told:?}");
}

#[test]
fn leaving_in_vain_takes_no_longer_than_closing_may() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &logged());
    let fault = Fault::new(FaultKind::DisconnectBefore).api(ApiKey::LeaveGroup);
    world.cluster.push_fault(fault.times(Fault::FOREVER));
    let begin = world.now.mono;
    let pending = consumer.start_close(Duration::from_secs(5));
    let error = world.answer(&pending).unwrap_err();
    assert!((4_000..=5_000).contains(&world.now.mono.ms_since(begin)));
    assert_eq!((error.code(), error.broker_id()), (Code::TIMED_OUT, Some(1)), "{error}");
    assert_eq!(warnings(&consumer, "leaves").len(), 1);
    assert!(world.all_finished());
}

#[test]
fn a_coordinator_that_does_not_answer_a_leave_is_named() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &logged());
    world.cluster.pause(1).unwrap();
    let pending = consumer.start_close(Duration::from_secs(2));
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.broker_id()), (Code::TIMED_OUT, Some(1)), "{error}");
    let told = warnings(&consumer, "leaves");
    assert!(told.len() == 1 && told[0].contains("broker 1"), "{told:?}");
}

#[test]
fn own_commits_beside_a_group_that_lives_are_told() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    let _member = subscribed(&mut world, &config(Some("g")));
    let mut config = config(Some("g"));
    config.auto_commit = true;
    config.auto_commit_interval_ms = 1_000;
    let mut consumer = world.consumer(&config);
    consumer.assign(&[tp("t", 0)]).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
    assert_eq!(shown(&world.event(&mut consumer)), "committed t-0@1 UNKNOWN_MEMBER_ID");
    let pending = consumer.start_commit(None, MINUTE).unwrap();
    let error = world.answer(&pending).unwrap_err();
    assert_eq!((error.code(), error.broker_id()), (Code::UNKNOWN_MEMBER_ID, Some(1)), "{error}");
    let hint = error.hint_text().unwrap();
    assert!(hint.contains("group.id") && !hint.contains("max.poll.interval.ms"), "{error}");
}

#[test]
fn an_answer_belongs_to_the_commit_that_asked() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let mut consumer = subscribed(&mut world, &config(Some("g")));
    let offsets = vec![(tp("t", 0), OffsetAndMetadata::new(0))];
    // While the first commit waits for its answer, the coordinator is lost, and then not to be had for good.
    world.cluster.push_fault(Fault::error(ApiKey::Heartbeat, Code::NOT_COORDINATOR.0 as i16));
    world.cluster.push_fault(Fault::new(FaultKind::Delay(1_000)).api(ApiKey::Heartbeat));
    world.cluster.push_fault(Fault::new(FaultKind::Delay(10_000)).api(ApiKey::OffsetCommit));
    let code = Code::GROUP_AUTHORIZATION_FAILED;
    world.cluster.push_fault(Fault::error(ApiKey::FindCoordinator, code.0 as i16));
    let beats = world.cluster.request_count(ApiKey::Heartbeat);
    while world.cluster.request_count(ApiKey::Heartbeat) == beats {
        world.run_ms(10);
    }
    let first = consumer.start_commit(Some(&offsets), MINUTE).unwrap();
    assert_eq!(error(&mut world, &mut consumer).code(), code);
    let refused = Code::OFFSET_METADATA_TOO_LARGE;
    world.cluster.push_fault(Fault::error(ApiKey::OffsetCommit, refused.0 as i16));
    let second = consumer.start_commit(Some(&offsets), MINUTE).unwrap();
    let second = world.answer(&second);
    assert_eq!(second.unwrap_err().code(), refused);
    world.answer(&first).unwrap();
}

#[test]
fn who_is_fenced_is_told_by_which_broker() {
    for api in [ApiKey::Heartbeat, ApiKey::OffsetCommit, ApiKey::SyncGroup, ApiKey::JoinGroup] {
        let mut world = World::new(1);
        world.topic("t", 1);
        let mut config = config(Some("g"));
        config.group_instance_id = Some("i".to_owned());
        let mut consumer = subscribed(&mut world, &config);
        world.cluster.push_fault(Fault::error(api, Code::FENCED_INSTANCE_ID.0 as i16));
        if matches!(api, ApiKey::SyncGroup | ApiKey::JoinGroup) {
            world.cluster.push_fault(Fault::error(ApiKey::Heartbeat, Code::REBALANCE_IN_PROGRESS.0 as i16));
        }
        if api == ApiKey::OffsetCommit {
            let offsets = vec![(tp("t", 0), OffsetAndMetadata::new(0))];
            let pending = consumer.start_commit(Some(&offsets), MINUTE).unwrap();
            let error = world.answer(&pending).unwrap_err();
            assert_eq!((error.code(), error.broker_id()), (Code::FENCED_INSTANCE_ID, Some(1)), "{error}");
        }
        let error = error(&mut world, &mut consumer);
        assert_eq!((error.code(), error.is_fatal()), (Code::FENCED_INSTANCE_ID, true), "{api:?}: {error}");
        assert_eq!((error.broker_id(), error.failed_phase()), (Some(1), Some(Phase::Request)), "{api:?}");
        assert!(error.broker_address().is_some() && error.hint_text().is_some(), "{api:?}: {error}");
    }
}

#[test]
fn a_coordinator_that_is_not_found_is_told_in_the_log_now_and_then() {
    let mut world = World::new(1);
    world.topic("t", 1);
    let code = Code::COORDINATOR_NOT_AVAILABLE;
    world.cluster.push_fault(Fault::error(ApiKey::FindCoordinator, code.0 as i16).times(Fault::FOREVER));
    let mut consumer = world.consumer(&logged());
    consumer.subscribe(&["t"]).unwrap();
    world.run_ms(1_000);
    assert!(warnings(&consumer, "coordinator").is_empty(), "that much is usual in a new cluster");
    assert!(matches!(world.poll(&mut consumer, 29_000, 1), Ok(Polled::Nothing)));
    let told = warnings(&consumer, "coordinator");
    assert!((1..=3).contains(&told.len()), "{told:?}");
    assert!(told[0].contains("phase request") && told[0].contains(code.name()), "{told:?}");
    assert!(matches!(world.poll(&mut consumer, 3_600_000, 1), Ok(Polled::Nothing)));
    let later = warnings(&consumer, "coordinator").len();
    assert!((5..=20).contains(&later), "{later} in an hour");
    world.cluster.clear_faults();
    assert_eq!(shown(&world.event(&mut consumer)), "assigned t-0");
}
