//! The life of a member of a group, answer by answer.

use super::groups::{commit, show_committed};
use super::pair::{leak, Pair, Side};
use milena::protocol::messages::join_group_request::JoinGroupRequestProtocol;
use milena::protocol::messages::leave_group_request::MemberIdentity;
use milena::protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use milena::protocol::messages::*;

pub fn one_member(pair: &mut Pair, run: &'static str) {
    joining(pair, run);
    let member = Member { run, group: leak(format!("{run}-member2")) };
    pair.each(|side| {
        let r: JoinGroupResponse<'_> = side.call(&join(member.group, ""), 9).unwrap();
        side.member = r.member_id.to_owned();
    });
    member.synchronizing(pair);
    member.described(pair);
    member.leaving(pair);
}

fn joining(pair: &mut Pair, run: &'static str) {
    for (what, change) in [
        (
            "no group",
            &(|r: &mut JoinGroupRequest<'static>| r.group_id = "") as &dyn Fn(&mut JoinGroupRequest<'static>),
        ),
        ("a short session", &|r| r.session_timeout_ms = 5),
        ("a long session", &|r| r.session_timeout_ms = i32::MAX),
        ("no protocols", &|r| r.protocols.clear()),
        ("no protocol type", &|r| r.protocol_type = ""),
        ("an unknown member", &|r| r.member_id = "nobody"),
    ] {
        let request = |_: &Side| {
            let mut request = join(leak(format!("{run}-empty")), "");
            change(&mut request);
            request
        };
        pair.compare(&format!("JoinGroup with {what}"), [0, 3, 4, 7, 9], request, show_joined);
    }
    // An id that is given and never comes back keeps a group waiting, so what follows is in another one.
    let group = leak(format!("{run}-member"));
    pair.compare("JoinGroup without an id", [4, 9], |_| join(group, ""), show_joined);
}

/// The one member of a group, on both sides.
struct Member {
    run: &'static str,
    group: &'static str,
}

impl Member {
    fn known(&self, s: &Side) -> JoinGroupRequest<'static> {
        join(self.group, leak(s.member.clone()))
    }

    fn commit(&self, s: &Side, generation: i32) -> OffsetCommitRequest<'static> {
        commit(self.run, s, self.group, leak(s.member.clone()), generation, 0)
    }

    fn commit_from_outside(&self, s: &Side) -> OffsetCommitRequest<'static> {
        commit(self.run, s, self.group, "", -1, 0)
    }

    fn describe(&self, groups: Vec<&'static str>) -> DescribeGroupsRequest<'static> {
        DescribeGroupsRequest { groups, include_authorized_operations: true }
    }

    fn synchronizing(&self, pair: &mut Pair) {
        pair.compare("JoinGroup with an id", [9], |s| self.known(s), show_joined);
        pair.compare("JoinGroup again before the sync", [9, 5], |s| self.known(s), show_joined);
        let beat = |s: &Side, generation_id| HeartbeatRequest {
            group_id: self.group,
            member_id: leak(s.member.clone()),
            generation_id,
            ..HeartbeatRequest::default()
        };
        let show_beat = |r: &HeartbeatResponse| format!("{}", r.error_code);
        pair.compare("Heartbeat before the sync", [4], |s| beat(s, 1), show_beat);
        pair.compare("OffsetCommit before the sync", [9], |s| self.commit(s, 1), show_committed);
        let sync = |s: &Side, generation_id, protocol_name| {
            let member_id = leak(s.member.clone());
            SyncGroupRequest {
                group_id: self.group,
                generation_id,
                member_id,
                protocol_type: Some("consumer"),
                protocol_name: Some(protocol_name),
                assignments: vec![SyncGroupRequestAssignment { member_id, assignment: b"mine" }],
                ..SyncGroupRequest::default()
            }
        };
        let show_sync = |r: &SyncGroupResponse<'static>| {
            format!("error {} {:?} {:?} {:?}", r.error_code, r.protocol_type, r.protocol_name, r.assignment)
        };
        pair.compare("SyncGroup of an old generation", 0..=5, |s| sync(s, 0, "range"), show_sync);
        pair.compare("SyncGroup of another protocol", [5], |s| sync(s, 1, "other"), show_sync);
        pair.compare("SyncGroup", [5], |s| sync(s, 1, "range"), show_sync);
        pair.compare("SyncGroup again", 0..=5, |s| sync(s, 1, "range"), show_sync);
        for generation in [0, 1, 2] {
            let what = format!("in generation {generation}");
            pair.compare(&format!("Heartbeat {what}"), 0..=4, |s| beat(s, generation), show_beat);
            let request = |s: &Side| self.commit(s, generation);
            pair.compare(&format!("OffsetCommit {what}"), 2..=10, request, show_committed);
        }
        pair.compare("OffsetCommit from outside", [9], |s| self.commit_from_outside(s), show_committed);
    }

    fn described(&self, pair: &mut Pair) {
        let show = |r: &DescribeGroupsResponse<'static>| {
            let mut rows: Vec<_> = r.groups.iter().map(|g| (g.group_id, show_group(g))).collect();
            rows.sort_unstable();
            format!("{rows:?}")
        };
        let names = vec![self.group, leak(format!("{}-group", self.run)), "no-such-group"];
        pair.compare("DescribeGroups", 3..=6, |_| self.describe(names.clone()), show);
        let old = |_: &Side| DescribeGroupsRequest {
            include_authorized_operations: false,
            ..self.describe(names.clone())
        };
        pair.compare("DescribeGroups", 0..=2, old, show);
        let show = |r: &ListGroupsResponse<'static>| {
            let mut rows: Vec<_> = r
                .groups
                .iter()
                .filter(|g| g.group_id.starts_with(self.run))
                .map(|g| (g.group_id, g.protocol_type, g.group_state, g.group_type))
                .collect();
            rows.sort_unstable();
            format!("{} {rows:?}", r.error_code)
        };
        // The group that only ever gave out ids is there or not as it pleases: members of it time out.
        let filter = |states: Vec<&'static str>, types: Vec<&'static str>| ListGroupsRequest {
            states_filter: states,
            types_filter: types,
        };
        pair.compare("ListGroups that are stable", 4..=5, |_| filter(vec!["stable"], vec![]), show);
        pair.compare("ListGroups of a type", [5], |_| filter(vec!["Stable"], vec!["consumer"]), show);
        pair.compare("ListGroups of no state", [5], |_| filter(vec!["strange"], vec![]), show);
    }

    fn leaving(&self, pair: &mut Pair) {
        let delete = |_: &Side| DeleteGroupsRequest { groups_names: vec![self.group, "no-such-group", ""] };
        let show_deleted = |r: &DeleteGroupsResponse<'static>| {
            let mut rows: Vec<_> = r.results.iter().map(|g| (g.group_id, g.error_code)).collect();
            rows.sort_unstable();
            format!("{rows:?}")
        };
        pair.compare("DeleteGroups with a member", 0..=3, delete, show_deleted);
        pair.compare("JoinGroup again", [9], |s| self.known(s), show_joined);
        let leave = |s: &Side| LeaveGroupRequest {
            group_id: self.group,
            members: vec![MemberIdentity { member_id: leak(s.member.clone()), ..Default::default() }],
            ..LeaveGroupRequest::default()
        };
        let show_left = |r: &LeaveGroupResponse<'static>| {
            format!("{} {:?}", r.error_code, r.members.iter().map(|m| m.error_code).collect::<Vec<_>>())
        };
        pair.compare("LeaveGroup", [5, 5], leave, show_left);
        let show = |r: &DescribeGroupsResponse<'static>| {
            let g = &r.groups[0];
            format!("{} {:?} {:?}", g.group_state, g.protocol_type, g.protocol_data)
        };
        pair.compare("DescribeGroups when empty", [6], |_| self.describe(vec![self.group]), show);
        pair.compare("OffsetCommit after leaving", [9], |s| self.commit(s, 2), show_committed);
        let outside = |s: &Side| self.commit_from_outside(s);
        pair.compare("OffsetCommit from outside when empty", [9], outside, show_committed);
        pair.compare("DeleteGroups", [2, 3], delete, show_deleted);
    }
}

fn show_group(g: &describe_groups_response::DescribedGroup<'_>) -> String {
    let members: Vec<_> = g
        .members
        .iter()
        .map(|m| (m.client_id, m.client_host, m.member_metadata.len(), m.member_assignment.len()))
        .collect();
    format!(
        "{} {} {:?} {:?} {} {members:?}",
        g.error_code, g.group_state, g.protocol_type, g.protocol_data, g.authorized_operations
    )
}

fn join(group: &'static str, member_id: &'static str) -> JoinGroupRequest<'static> {
    JoinGroupRequest {
        group_id: group,
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        member_id,
        protocol_type: "consumer",
        // An empty subscription of version 0, which a broker tries to read.
        protocols: vec![JoinGroupRequestProtocol {
            name: "range",
            metadata: &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        }],
        ..JoinGroupRequest::default()
    }
}

fn show_joined(r: &JoinGroupResponse<'static>) -> String {
    format!(
        "error {} generation {} type {:?} protocol {:?} leads {} members {} member id {}",
        r.error_code,
        r.generation_id,
        r.protocol_type,
        r.protocol_name,
        r.leader == r.member_id,
        r.members.len(),
        r.member_id.is_empty()
    )
}
