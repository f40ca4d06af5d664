//! Faults, and brokers that go and come.

use crate::embedded::errors::*;
use crate::embedded::testing::{plain_batch, produce_request, World};
use crate::embedded::{Fault, FaultKind, Refused};
use crate::protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, HeartbeatRequest, HeartbeatResponse, MetadataRequest,
    MetadataResponse, ProduceResponse,
};
use crate::protocol::{ApiKey, FrameReader};

fn world(brokers: u32, replication: i16) -> World {
    let mut world = World::new(brokers);
    world.cluster.create_topic("t", brokers as i32, replication, &[]).unwrap();
    world
}

fn all_topics() -> MetadataRequest<'static> {
    MetadataRequest { topics: None, ..MetadataRequest::default() }
}

#[test]
fn errors_come_as_scripted() {
    let mut world = world(1, 1);
    let conn = world.connect(1);
    world.cluster.push_fault(Fault::error(ApiKey::Produce, NOT_LEADER_OR_FOLLOWER).times(2));
    world.cluster.push_fault(Fault::error(ApiKey::Produce, REQUEST_TIMED_OUT));
    world.cluster.push_fault(Fault::error(ApiKey::Heartbeat, REBALANCE_IN_PROGRESS));
    let codes: Vec<i16> = (0..4).map(|_| world.produce(conn, "t", 0, &plain_batch(1)).0).collect();
    assert_eq!(codes, [NOT_LEADER_OR_FOLLOWER, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NONE]);
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 2), "a time-out leaves the records appended");
    let beat = HeartbeatRequest { group_id: "g", ..Default::default() };
    assert_eq!(world.call::<_, HeartbeatResponse>(conn, &beat, 4).error_code, REBALANCE_IN_PROGRESS);
    assert_eq!(world.call::<_, HeartbeatResponse>(conn, &beat, 4).error_code, UNKNOWN_MEMBER_ID);
    assert_eq!(world.cluster.faults_left(), 0);
}

#[test]
fn errors_can_be_about_one_partition_or_topic() {
    let mut world = world(1, 1);
    world.cluster.create_topic("u", 2, 1, &[]).unwrap();
    let conn = world.connect(1);
    world.cluster.push_fault(Fault::error(ApiKey::Produce, 19).topic("u").partition(1));
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(1)).0, NONE);
    assert_eq!(world.produce(conn, "u", 0, &plain_batch(1)).0, NONE);
    assert_eq!(world.produce(conn, "u", 1, &plain_batch(1)).0, 19);
    assert_eq!(world.produce(conn, "u", 1, &plain_batch(1)).0, NONE);
    world.cluster.push_fault(Fault::error(ApiKey::Metadata, LEADER_NOT_AVAILABLE).topic("t"));
    let response: MetadataResponse<'_> = world.call(conn, &all_topics(), 9);
    let codes: Vec<i16> = response.topics.iter().map(|t| t.error_code).collect();
    assert_eq!(codes, [LEADER_NOT_AVAILABLE, NONE]);
    world.cluster.push_fault(Fault::error(ApiKey::CreateTopics, 41).times(Fault::FOREVER));
    world.cluster.clear_faults();
    let _: CreateTopicsResponse<'_> = world.call(conn, &CreateTopicsRequest::default(), 7);
}

#[test]
fn delayed_answers_hold_back_what_follows() {
    let mut world = world(1, 1);
    let conn = world.connect(1);
    world.cluster.push_fault(Fault::new(FaultKind::Delay(300)).api(ApiKey::Produce).broker(1));
    let bytes = plain_batch(1);
    world.send(conn, &produce_request("t", 0, &bytes), 9);
    world.send(conn, &all_topics(), 9);
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 1), "it is carried out at once");
    world.pass_ms(299);
    assert!(world.frame(conn).is_none());
    world.pass_ms(1);
    assert!(world.answer::<ProduceResponse<'_>>(conn, 9).is_some());
    assert!(world.answer::<MetadataResponse<'_>>(conn, 9).is_some());
}

#[test]
fn connections_break_before_and_after() {
    let mut world = world(1, 1);
    for (kind, end) in [(FaultKind::DisconnectBefore, 0), (FaultKind::DisconnectAfter, 1)] {
        let conn = world.connect(1);
        world.cluster.push_fault(Fault::new(kind).api(ApiKey::Produce));
        let bytes = plain_batch(1);
        world.send(conn, &all_topics(), 9);
        assert!(world.frame(conn).is_some());
        world.send(conn, &produce_request("t", 0, &bytes), 9);
        assert!(world.frame(conn).is_none());
        assert_eq!(world.closed.pop(), Some(conn));
        assert_eq!(world.cluster.offsets("t", 0).unwrap().1, end);
    }
    let conns = [world.connect(1), world.connect(1)];
    world.cluster.disconnect(Some(1));
    world.pass_ms(0);
    assert_eq!(world.closed, conns);
}

#[test]
fn answers_can_be_lost_and_spoiled() {
    let mut world = world(1, 1);
    let silent = world.connect(1);
    world.cluster.push_fault(Fault::new(FaultKind::DropAnswer));
    let bytes = plain_batch(1);
    world.send(silent, &produce_request("t", 0, &bytes), 9);
    world.send(silent, &all_topics(), 9);
    world.pass_ms(100_000);
    assert!(world.frame(silent).is_none());
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 1));

    let mut spoiled = |kind| {
        let conn = world.connect(1);
        world.cluster.push_fault(Fault::new(kind));
        world.send(conn, &all_topics(), 9);
        let closed = world.closed.pop() == Some(conn);
        (std::mem::replace(world.received(conn), FrameReader::new(1 << 20)), closed)
    };
    let (mut huge, _) = spoiled(FaultKind::HugeLength);
    assert!(huge.next_frame().is_err());
    let (mut cut, closed) = spoiled(FaultKind::CutOff);
    assert!(cut.next_frame().unwrap().is_none() && cut.pending() > 4 && closed);
    let (mut truncated, closed) = spoiled(FaultKind::Truncated);
    assert!(truncated.next_frame().unwrap().is_some() && !closed);
    let (mut wrong, _) = spoiled(FaultKind::WrongCorrelation);
    assert_ne!(wrong.next_frame().unwrap().unwrap()[..4], 77i32.to_be_bytes());
    let (garbage, _) = spoiled(FaultKind::Garbage);
    assert_eq!(garbage.pending(), 64);
}

#[test]
fn leaders_move_when_a_broker_goes_down() {
    let mut world = world(3, 2);
    let (old, epoch) = world.cluster.leader("t", 0).unwrap();
    let conn = world.connect(old);
    let now = world.now;
    world.cluster.broker_down(now, old).unwrap();
    world.pass_ms(0);
    assert_eq!(world.closed, [conn]);
    assert_eq!(world.cluster.connect(old), Err(Refused));
    let (new, newer) = world.cluster.leader("t", 0).unwrap();
    assert!(new != old && newer == epoch + 1);
    let conn = world.connect(new);
    let response: MetadataResponse<'_> = world.call(conn, &all_topics(), 9);
    assert_eq!(response.brokers.len(), 2);
    let p = &response.topics[0].partitions[0];
    assert_eq!((&p.isr_nodes[..], &p.offline_replicas[..]), (&[new][..], &[old][..]));
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(1)), (NONE, 0));
    world.cluster.broker_up(now, old).unwrap();
    assert_eq!(world.cluster.leader("t", 0).unwrap(), (new, newer), "the new leader stays");
    assert!(world.cluster.connect(old).is_ok());
}

#[test]
fn a_partition_without_replicas_has_no_leader_until_its_broker_is_back() {
    let mut world = world(2, 1);
    let (leader, _) = world.cluster.leader("t", 0).unwrap();
    let now = world.now;
    world.cluster.broker_down(now, leader).unwrap();
    assert_eq!(world.cluster.leader("t", 0).unwrap().0, -1);
    let conn = world.connect(3 - leader);
    let response: MetadataResponse<'_> = world.call(conn, &all_topics(), 9);
    assert_eq!(response.topics[0].partitions[0].error_code, LEADER_NOT_AVAILABLE);
    world.cluster.broker_up(now, leader).unwrap();
    assert_eq!(world.cluster.leader("t", 0).unwrap(), (leader, 2));
    assert!(world.cluster.broker_down(now, 9).is_err());
}

#[test]
fn a_paused_broker_answers_later() {
    let mut world = world(2, 1);
    let conn = world.connect(1);
    let waiting = world.connect(1);
    let fetch =
        crate::protocol::messages::FetchRequest { max_wait_ms: 100, min_bytes: 1, ..Default::default() };
    world.send(waiting, &fetch, 12);
    world.frame(waiting);
    world.cluster.pause(1).unwrap();
    world.send(conn, &all_topics(), 9);
    world.pass_ms(5_000);
    assert!(world.frame(conn).is_none());
    let late = world.connect(1);
    world.send(late, &all_topics(), 9);
    assert!(world.frame(late).is_none());
    assert!(!world.cluster.takes_frames(late) && world.cluster.is_stuck(late));
    let now = world.now;
    world.cluster.resume(now, 1).unwrap();
    assert!(world.answer::<MetadataResponse<'_>>(conn, 9).is_some());
    assert!(world.answer::<MetadataResponse<'_>>(late, 9).is_some());
}

#[test]
fn a_stored_batch_can_be_corrupted() {
    let mut world = world(1, 1);
    let conn = world.connect(1);
    world.produce(conn, "t", 0, &plain_batch(1));
    world.cluster.corrupt_batch("t", 0, 0).unwrap();
    assert!(world.cluster.corrupt_batch("t", 0, 1).is_err());
    let stored = world.cluster.log_batches("t", 0).unwrap();
    assert!(crate::record::BatchReader::new(stored[0].clone(), true).next().unwrap().is_err());
}
