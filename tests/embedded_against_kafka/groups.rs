//! Groups as one meets them from outside: coordinators, strangers, and committed offsets.

use super::pair::{leak, Pair, Side};
use milena::protocol::messages::leave_group_request::MemberIdentity;
use milena::protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use milena::protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use milena::protocol::messages::*;
use milena::protocol::Uuid;
use std::time::{Duration, Instant};

pub fn groups(pair: &mut Pair, run: &'static str) {
    let group = leak(format!("{run}-group"));
    coordinators(pair, group);
    strangers(pair, run, group);
    committing(pair, run, group);
    fetching_offsets(pair, run, group);
}

fn coordinators(pair: &mut Pair, group: &'static str) {
    let find = |key, key_type| FindCoordinatorRequest { key: "", key_type, coordinator_keys: vec![key] };
    pair.each(|side| {
        let begin = Instant::now();
        while side.call::<_, FindCoordinatorResponse<'_>>(&find(group, 0), 4).unwrap().coordinators[0]
            .error_code
            != 0
        {
            assert!(begin.elapsed() < Duration::from_secs(30), "no coordinator");
            std::thread::sleep(Duration::from_millis(200));
        }
        while side
            .call::<_, HeartbeatResponse>(&HeartbeatRequest { group_id: group, ..Default::default() }, 4)
            .unwrap()
            .error_code
            == 14
        {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let show = |r: &FindCoordinatorResponse<'static>| {
        let many: Vec<_> = r.coordinators.iter().map(|c| (c.key, c.error_code, c.host.is_empty())).collect();
        format!("error {} {many:?}", r.error_code)
    };
    let old = |_: &Side| FindCoordinatorRequest { key: group, ..FindCoordinatorRequest::default() };
    pair.compare("FindCoordinator", 0..=3, old, show);
    pair.compare("FindCoordinator", 4..=6, |_| find(group, 0), show);
    pair.compare("FindCoordinator of no group", 4..=6, |_| find("", 0), show);
    pair.compare("FindCoordinator of no kind", 4..=6, |_| find(group, 9), show);
}

fn strangers(pair: &mut Pair, run: &'static str, group: &'static str) {
    let beat = |member_id, generation_id| HeartbeatRequest {
        group_id: group,
        member_id,
        generation_id,
        ..Default::default()
    };
    let show = |r: &HeartbeatResponse| format!("{}", r.error_code);
    pair.compare("Heartbeat of a stranger", 0..=4, |_| beat("x", 1), show);
    let nameless = |_: &Side| HeartbeatRequest { group_id: "", ..beat("x", 1) };
    pair.compare("Heartbeat without a group", 0..=4, nameless, show);
    let nameless = |_: &Side| SyncGroupRequest { group_id: "", member_id: "x", ..Default::default() };
    pair.compare("SyncGroup without a group", 0..=4, nameless, |r: &SyncGroupResponse<'static>| {
        r.error_code.to_string()
    });
    let nameless = |_: &Side| LeaveGroupRequest { group_id: "", member_id: "x", ..Default::default() };
    pair.compare("LeaveGroup without a group", 0..=2, nameless, |r: &LeaveGroupResponse<'static>| {
        r.error_code.to_string()
    });
    pair.compare("OffsetCommit without a group", [2, 9], |s| commit(run, s, "", "", -1, 0), show_committed);
    pair.compare(
        "OffsetCommit of a member without a group",
        [2, 9],
        |s| commit(run, s, "", "x", 1, 0),
        show_committed,
    );
    let sync = SyncGroupRequest {
        group_id: group,
        member_id: "x",
        generation_id: 1,
        protocol_type: Some("consumer"),
        protocol_name: Some("range"),
        ..Default::default()
    };
    pair.compare(
        "SyncGroup of a stranger",
        0..=5,
        |_| sync.clone(),
        |r: &SyncGroupResponse<'static>| format!("{}", r.error_code),
    );
    let leave = |_: &Side| LeaveGroupRequest {
        group_id: group,
        member_id: "x",
        members: vec![MemberIdentity { member_id: "x", ..Default::default() }],
    };
    let show = |r: &LeaveGroupResponse<'static>| {
        format!("{} {:?}", r.error_code, r.members.iter().map(|m| m.error_code).collect::<Vec<_>>())
    };
    let old = |s: &Side| LeaveGroupRequest { members: Vec::new(), ..leave(s) };
    pair.compare("LeaveGroup of a stranger", 0..=2, old, show);
    let new = |s: &Side| LeaveGroupRequest { member_id: "", ..leave(s) };
    pair.compare("LeaveGroup of a stranger", 3..=5, new, show);
}

fn committing(pair: &mut Pair, run: &'static str, group: &'static str) {
    pair.compare("OffsetCommit", 2..=10, |s| commit(run, s, group, "", -1, 0), show_committed);
    pair.compare(
        "OffsetCommit to an unknown partition",
        [2, 9, 10],
        |s| commit(run, s, group, "", -1, 9),
        show_committed,
    );
    pair.compare(
        "OffsetCommit of a stranger",
        [2, 9, 10],
        |s| commit(run, s, group, "x", 3, 0),
        show_committed,
    );
    let fresh = leak(format!("{run}-fresh"));
    pair.compare(
        "OffsetCommit of a stranger to a new group",
        [2, 9],
        |s| commit(run, s, fresh, "x", 3, 0),
        show_committed,
    );
    let unknown = |s: &Side| {
        let mut request = commit(run, s, group, "", -1, 0);
        (request.topics[0].name, request.topics[0].topic_id) = ("unknown", Uuid([9; 16]));
        request
    };
    pair.compare("OffsetCommit to an unknown topic", [2, 9, 10], unknown, show_committed);
    let large = |s: &Side| {
        let mut request = commit(run, s, group, "", -1, 0);
        request.topics[0].partitions[0].committed_metadata = Some(leak("m".repeat(5000)));
        request
    };
    pair.compare("OffsetCommit with much metadata", [2, 9, 10], large, show_committed);
}

fn fetching_offsets(pair: &mut Pair, run: &'static str, group: &'static str) {
    let log = leak(format!("{run}-log"));
    let show = |r: &OffsetFetchResponse<'static>| {
        let mut out = format!("error {}", r.error_code);
        for p in r.topics.iter().flat_map(|t| &t.partitions) {
            out += &format!(
                "; {} {} {} {:?} {}",
                p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata, p.error_code
            );
        }
        for g in &r.groups {
            out += &format!("; group error {}", g.error_code);
            for p in g.topics.iter().flat_map(|t| &t.partitions) {
                out += &format!(
                    " {} {} {} {:?} {}",
                    p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata, p.error_code
                );
            }
        }
        out
    };
    let old = |id: &'static str, name: &'static str| OffsetFetchRequest {
        group_id: id,
        topics: Some(vec![OffsetFetchRequestTopic { name, partition_indexes: vec![0, 1, 9] }]),
        ..OffsetFetchRequest::default()
    };
    let new = |s: &Side, id: &'static str, name: &'static str| {
        let topic_id = if name == log { s.topic_id } else { Uuid([9; 16]) };
        let topics =
            Some(vec![OffsetFetchRequestTopics { name, topic_id, partition_indexes: vec![0, 1, 9] }]);
        let group = OffsetFetchRequestGroup { group_id: id, topics, ..Default::default() };
        OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
    };
    for (id, name) in [(group, log), (group, "unknown"), ("no-such-group", log), ("", log)] {
        let what = format!("OffsetFetch of {id} {name}");
        pair.compare(&what, 1..=7, |_| old(id, name), show);
        pair.compare(&what, 8..=10, |s| new(s, id, name), show);
    }
    let all =
        |id: &'static str| OffsetFetchRequest { group_id: id, topics: None, ..OffsetFetchRequest::default() };
    pair.compare("OffsetFetch of all", 2..=7, |_| all(group), show);
    let all = |_: &Side| {
        let group = OffsetFetchRequestGroup { group_id: group, topics: None, ..Default::default() };
        OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
    };
    pair.compare("OffsetFetch of all", 8..=10, all, show);
}

pub fn commit(
    run: &'static str,
    s: &Side,
    group: &'static str,
    member: &'static str,
    generation: i32,
    index: i32,
) -> OffsetCommitRequest<'static> {
    let partition = OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: 5,
        committed_leader_epoch: 0,
        committed_metadata: Some("meta"),
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: leak(format!("{run}-log")),
        topic_id: s.topic_id,
        partitions: vec![partition],
    };
    OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: generation,
        member_id: member,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    }
}

pub fn show_committed(r: &OffsetCommitResponse<'static>) -> String {
    format!(
        "{:?}",
        r.topics
            .iter()
            .flat_map(|t| &t.partitions)
            .map(|p| (p.partition_index, p.error_code))
            .collect::<Vec<_>>()
    )
}
