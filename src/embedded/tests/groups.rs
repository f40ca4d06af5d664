//! Groups over connections: two members, commits, and the coordinator.

use crate::embedded::errors::*;
use crate::embedded::testing::{settings, World};
use crate::embedded::{ClusterSettings, ServerConn};
use crate::protocol::messages::join_group_request::JoinGroupRequestProtocol;
use crate::protocol::messages::leave_group_request::MemberIdentity;
use crate::protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use crate::protocol::messages::*;

fn join<'a>(member_id: &'a str) -> JoinGroupRequest<'a> {
    JoinGroupRequest {
        group_id: "g",
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 30_000,
        member_id,
        protocol_type: "consumer",
        protocols: vec![JoinGroupRequestProtocol { name: "range", metadata: b"t" }],
        ..JoinGroupRequest::default()
    }
}

fn sync<'a>(member_id: &'a str, generation_id: i32, all: &[(&'a str, &'a [u8])]) -> SyncGroupRequest<'a> {
    let assignments =
        all.iter().map(|(member_id, assignment)| SyncGroupRequestAssignment { member_id, assignment });
    SyncGroupRequest {
        group_id: "g",
        generation_id,
        member_id,
        assignments: assignments.collect(),
        ..SyncGroupRequest::default()
    }
}

fn commit<'a>(
    group_id: &'a str,
    member_id: &'a str,
    generation: i32,
    offset: i64,
) -> OffsetCommitRequest<'a> {
    let partition = OffsetCommitRequestPartition {
        committed_offset: offset,
        committed_metadata: Some("m"),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id,
        generation_id_or_member_epoch: generation,
        member_id,
        topics: vec![OffsetCommitRequestTopic {
            name: "t",
            partitions: vec![partition],
            ..Default::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

/// A member id as the broker wants it: asked for, then used.
fn new_member(world: &mut World, conn: ServerConn, version: i16) -> String {
    let response: JoinGroupResponse<'_> = world.call(conn, &join(""), version);
    assert_eq!(response.error_code, MEMBER_ID_REQUIRED);
    assert!(response.member_id.starts_with("tester-"));
    response.member_id.to_owned()
}

#[test]
fn two_members_share_and_one_leaves() {
    let mut world = World::new(1);
    let (a, b) = (world.connect(1), world.connect(1));
    let first = new_member(&mut world, a, 9);
    let response: JoinGroupResponse<'_> = world.call(a, &join(&first), 9);
    assert_eq!((response.error_code, response.generation_id, response.leader), (NONE, 1, first.as_str()));
    assert_eq!((response.protocol_type, response.protocol_name), (Some("consumer"), Some("range")));
    let response: SyncGroupResponse<'_> = world.call(a, &sync(&first, 1, &[(&first, b"all")]), 5);
    assert_eq!((response.error_code, response.assignment), (NONE, &b"all"[..]));

    let second = new_member(&mut world, b, 9);
    world.send(b, &join(&second), 9);
    assert!(world.frame(b).is_none());
    let beat = HeartbeatRequest { group_id: "g", generation_id: 1, member_id: &first, ..Default::default() };
    let response: HeartbeatResponse = world.call(a, &beat, 4);
    assert_eq!(response.error_code, REBALANCE_IN_PROGRESS);
    let leader: JoinGroupResponse<'_> = world.call(a, &join(&first), 9);
    assert_eq!((leader.generation_id, leader.members.len()), (2, 2));
    let follower: JoinGroupResponse<'_> = world.answer(b, 9).unwrap();
    assert_eq!((follower.generation_id, follower.members.len()), (2, 0));
    world.send(b, &sync(&second, 2, &[]), 5);
    assert!(world.frame(b).is_none());
    let _: SyncGroupResponse<'_> = world.call(a, &sync(&first, 2, &[(&first, b"0"), (&second, b"1")]), 5);
    let response: SyncGroupResponse<'_> = world.answer(b, 5).unwrap();
    assert_eq!(response.assignment, b"1");
    assert_eq!(world.cluster.group("g").unwrap().state, "Stable");

    let leave = LeaveGroupRequest {
        group_id: "g",
        members: vec![
            MemberIdentity { member_id: &first, ..Default::default() },
            MemberIdentity { member_id: "stranger", ..Default::default() },
        ],
        ..Default::default()
    };
    let response: LeaveGroupResponse<'_> = world.call(a, &leave, 5);
    let codes: Vec<i16> = response.members.iter().map(|m| m.error_code).collect();
    assert_eq!(codes, [NONE, UNKNOWN_MEMBER_ID]);
    let response: JoinGroupResponse<'_> = world.call(b, &join(&second), 9);
    assert_eq!((response.generation_id, response.leader), (3, second.as_str()));
    // No heartbeat for a session timeout: the member is out.
    world.pass_ms(10_001);
    assert_eq!(world.cluster.group("g").unwrap().members, Vec::<String>::new());
}

#[test]
fn old_versions_join_at_once() {
    let mut world = World::new(1);
    let conn = world.connect(1);
    for version in 0..=3 {
        let response: JoinGroupResponse<'_> = world.call(conn, &join(""), version);
        assert_eq!((response.error_code, response.protocol_name), (NONE, Some("range")));
        let member = response.member_id.to_owned();
        let generation = response.generation_id;
        let response: SyncGroupResponse<'_> =
            world.call(conn, &sync(&member, generation, &[]), version.min(2));
        assert_eq!(response.error_code, NONE);
        let leave = LeaveGroupRequest { group_id: "g", member_id: &member, ..Default::default() };
        let response: LeaveGroupResponse<'_> = world.call(conn, &leave, version.min(2));
        assert_eq!(response.error_code, NONE);
    }
}

#[test]
fn the_initial_delay_is_a_setting() {
    let mut world = World::with(ClusterSettings { group_initial_rebalance_delay_ms: 3_000, ..settings(1) });
    let conn = world.connect(1);
    world.send(conn, &join(""), 3);
    world.pass_ms(2_999);
    assert!(world.frame(conn).is_none());
    world.pass_ms(1);
    assert!(world.answer::<JoinGroupResponse<'_>>(conn, 3).is_some());
}

#[test]
fn offsets_are_committed_and_fetched_in_all_versions() {
    let mut world = World::new(1);
    world.cluster.create_topic("t", 2, 1, &[]).unwrap();
    let conn = world.connect(1);
    let metadata: MetadataResponse<'_> =
        world.call(conn, &MetadataRequest { topics: None, ..Default::default() }, 12);
    let topic_id = metadata.topics[0].topic_id;
    for version in 2..=10 {
        let mut request = commit("g", "", -1, i64::from(version));
        request.topics[0].topic_id = topic_id;
        let response: OffsetCommitResponse<'_> = world.call(conn, &request, version);
        assert_eq!(response.topics[0].partitions[0].error_code, NONE);
        assert_eq!(world.cluster.committed("g", "t", 0), Some(i64::from(version)));
    }
    for version in 1..=7 {
        let topic = OffsetFetchRequestTopic { name: "t", partition_indexes: vec![0, 1] };
        let request = OffsetFetchRequest { group_id: "g", topics: Some(vec![topic]), ..Default::default() };
        let response: OffsetFetchResponse<'_> = world.call(conn, &request, version);
        let offsets: Vec<i64> = response.topics[0].partitions.iter().map(|p| p.committed_offset).collect();
        assert_eq!(offsets, [10, -1]);
    }
    for version in 8..=10 {
        let topics = vec![OffsetFetchRequestTopics { name: "t", topic_id, partition_indexes: vec![0] }];
        let group = |group_id, topics| OffsetFetchRequestGroup { group_id, topics, ..Default::default() };
        let groups = vec![group("g", Some(topics)), group("g", None), group("nobody", None)];
        let response: OffsetFetchResponse<'_> =
            world.call(conn, &OffsetFetchRequest { groups, ..Default::default() }, version);
        let found = &response.groups[0].topics[0].partitions[0];
        assert_eq!((found.committed_offset, found.metadata), (10, Some("m")));
        assert_eq!(response.groups[1].topics[0].partitions.len(), 1);
        assert!(response.groups[2].topics.is_empty() && response.groups[2].error_code == NONE);
    }
    let mut request = commit("g", "", -1, 1);
    request.topics[0].name = "unknown";
    let response: OffsetCommitResponse<'_> = world.call(conn, &request, 9);
    assert_eq!(response.topics[0].partitions[0].error_code, UNKNOWN_TOPIC_OR_PARTITION);
    let response: OffsetCommitResponse<'_> = world.call(conn, &commit("new", "m", 4, 1), 8);
    assert_eq!(response.topics[0].partitions[0].error_code, ILLEGAL_GENERATION);
    let response: OffsetCommitResponse<'_> = world.call(conn, &commit("new", "m", 4, 1), 9);
    assert_eq!(response.topics[0].partitions[0].error_code, GROUP_ID_NOT_FOUND);
    assert!(world.cluster.group("new").is_none());
}

#[test]
fn only_the_coordinator_answers_and_it_can_move() {
    let mut world = World::new(3);
    let any = world.connect(1);
    let find = |world: &mut World| {
        let request = FindCoordinatorRequest { coordinator_keys: vec!["g", "h"], ..Default::default() };
        let response: FindCoordinatorResponse<'_> = world.call(any, &request, 6);
        assert_eq!(response.coordinators[0].error_code, NONE);
        response.coordinators[0].node_id
    };
    let first = find(&mut world);
    for version in 0..=3 {
        let request = FindCoordinatorRequest { key: "g", ..Default::default() };
        let response: FindCoordinatorResponse<'_> = world.call(any, &request, version);
        assert_eq!((response.node_id, response.port), (first, first));
    }
    let other = if first == 1 { 2 } else { 1 };
    let wrong = world.connect(other);
    let beat = HeartbeatRequest { group_id: "g", generation_id: 1, member_id: "m", ..Default::default() };
    let response: HeartbeatResponse = world.call(wrong, &beat, 4);
    assert_eq!(response.error_code, NOT_COORDINATOR);
    let response: JoinGroupResponse<'_> = world.call(wrong, &join(""), 9);
    assert_eq!(response.error_code, NOT_COORDINATOR);
    world.cluster.move_coordinator("g", other).unwrap();
    assert_eq!(find(&mut world), other);
    new_member(&mut world, wrong, 9);
    let now = world.now;
    if other != 1 {
        world.cluster.broker_down(now, other).unwrap();
        assert_ne!(find(&mut world), other);
    }
    let transaction = FindCoordinatorRequest { key: "tx", key_type: 1, ..Default::default() };
    let response: FindCoordinatorResponse<'_> = world.call(any, &transaction, 3);
    assert_eq!(response.error_code, INVALID_REQUEST);
}

#[test]
fn groups_are_listed_described_and_deleted() {
    let mut world = World::new(1);
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    let conn = world.connect(1);
    let _: OffsetCommitResponse<'_> = world.call(conn, &commit("empty", "", -1, 1), 9);
    let joined: JoinGroupResponse<'_> = world.call(conn, &join(""), 3);
    let member = joined.member_id.to_owned();
    let _: SyncGroupResponse<'_> = world.call(conn, &sync(&member, 1, &[(&member, b"a")]), 3);
    for version in 0..=5 {
        let response: ListGroupsResponse<'_> = world.call(conn, &ListGroupsRequest::default(), version);
        let ids: Vec<&str> = response.groups.iter().map(|g| g.group_id).collect();
        assert_eq!(ids, ["empty", "g"]);
    }
    let stable = ListGroupsRequest { states_filter: vec!["stable"], types_filter: vec!["Classic"] };
    let response: ListGroupsResponse<'_> = world.call(conn, &stable, 5);
    assert_eq!((response.groups.len(), response.groups[0].group_state), (1, "Stable"));
    for version in 0..=6 {
        let request = DescribeGroupsRequest { groups: vec!["g", "empty", "none"], ..Default::default() };
        let response: DescribeGroupsResponse<'_> = world.call(conn, &request, version);
        let states: Vec<&str> = response.groups.iter().map(|g| g.group_state).collect();
        assert_eq!(states, ["Stable", "Empty", "Dead"]);
        let described = &response.groups[0].members[0];
        assert_eq!(
            (described.client_id, described.member_metadata, described.member_assignment),
            ("tester", &b"t"[..], &b"a"[..])
        );
        assert_eq!(response.groups[2].error_code, if version >= 6 { GROUP_ID_NOT_FOUND } else { NONE });
    }
    let request = DeleteGroupsRequest { groups_names: vec!["g", "empty", "none"] };
    let response: DeleteGroupsResponse<'_> = world.call(conn, &request, 2);
    let codes: Vec<i16> = response.results.iter().map(|r| r.error_code).collect();
    assert_eq!(codes, [NON_EMPTY_GROUP, NONE, GROUP_ID_NOT_FOUND]);
    assert!(world.cluster.group("empty").is_none());
}
