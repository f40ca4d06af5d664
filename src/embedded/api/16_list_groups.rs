//! ListGroups (16): versions 0 to 5; 4 and newer filter by state, 5 by type.
//!
//! Lists the groups that this broker coordinates. All are of type "classic".

use crate::embedded::call::{Call, Reply};
use crate::protocol::messages::list_groups_response::ListedGroup;
use crate::protocol::messages::{ListGroupsRequest, ListGroupsResponse};

pub(super) fn handle(call: &mut Call<'_>, request: ListGroupsRequest<'_>) -> Reply {
    let call = &*call;
    if let Some(error_code) = call.fault_at_all() {
        return call.reply(&ListGroupsResponse { error_code, ..ListGroupsResponse::default() });
    }
    let picks = |filter: &[&str], value: &str| {
        filter.is_empty() || filter.iter().any(|f| f.eq_ignore_ascii_case(value))
    };
    let here = call.world.groups.iter().filter(|(id, group)| {
        call.world.coordinator(id) == Some(call.broker)
            && picks(&request.states_filter, group.state().name())
            && picks(&request.types_filter, "classic")
    });
    let groups = here.map(|(id, group)| ListedGroup {
        group_id: id,
        protocol_type: group.protocol_type(),
        group_state: group.state().name(),
        group_type: "classic",
    });
    let groups = groups.collect();
    call.reply(&ListGroupsResponse { groups, ..ListGroupsResponse::default() })
}
