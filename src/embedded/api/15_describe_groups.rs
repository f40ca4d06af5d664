//! DescribeGroups (15): versions 0 to 6.
//!
//! A group that does not exist is "Dead": without an error before version 6, with GROUP_ID_NOT_FOUND from it on.
//! What members said and were assigned is shown while the group is stable.

use super::{GROUP_OPERATIONS, NO_OPERATIONS};
use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::group::{Group, GroupState};
use crate::protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use crate::protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use bytes::Bytes;

/// A member's metadata and assignment, kept here for the response to borrow.
type Said = Vec<(Bytes, Bytes)>;

pub(super) fn handle(call: &mut Call<'_>, request: DescribeGroupsRequest<'_>) -> Reply {
    let call = &*call;
    let said: Vec<Said> =
        request.groups.iter().map(|id| call.world.groups.get(*id).map(said).unwrap_or_default()).collect();
    let operations = if request.include_authorized_operations { GROUP_OPERATIONS } else { NO_OPERATIONS };
    let groups =
        request.groups.iter().zip(&said).map(|(id, said)| describe(call, id, said, operations)).collect();
    call.reply(&DescribeGroupsResponse { groups, ..DescribeGroupsResponse::default() })
}

fn said(group: &Group) -> Said {
    let protocol = group.protocol();
    group.members().map(|m| (m.metadata(protocol), m.assignment.clone())).collect()
}

fn describe<'c>(call: &'c Call<'_>, id: &'c str, said: &'c Said, operations: i32) -> DescribedGroup<'c> {
    let mut described =
        DescribedGroup { group_id: id, authorized_operations: NO_OPERATIONS, ..DescribedGroup::default() };
    let allowed = match call.fault_of(id) {
        Some(code) => Err(code),
        None => call.world.check_coordinator(call.broker, id),
    };
    if let Err(code) = allowed {
        described.error_code = code;
        return described;
    }
    let Some(group) = call.world.groups.get(id) else {
        described.group_state = "Dead";
        described.authorized_operations = if call.version >= 6 { NO_OPERATIONS } else { operations };
        if call.version >= 6 {
            described.error_code = GROUP_ID_NOT_FOUND;
            described.error_message = Some("The group does not exist");
        }
        return described;
    };
    let stable = group.state() == GroupState::Stable;
    described.group_state = group.state().name();
    described.protocol_type = group.protocol_type();
    described.protocol_data = if stable { group.protocol() } else { "" };
    described.authorized_operations = operations;
    let members = group.members().zip(said).map(|(member, (metadata, assignment))| DescribedGroupMember {
        member_id: &member.id,
        group_instance_id: member.instance_id.as_deref(),
        client_id: &member.client_id,
        client_host: "/127.0.0.1",
        member_metadata: if stable { metadata } else { &[] },
        member_assignment: if stable { assignment } else { &[] },
    });
    described.members = members.collect();
    described
}
