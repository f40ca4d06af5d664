//! DeleteGroups (42): versions 0 to 3.
//!
//! Deletes groups without members, and their offsets.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::delete_groups_response::DeletableGroupResult;
use crate::protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

pub(super) fn handle(call: &mut Call<'_>, request: DeleteGroupsRequest<'_>) -> Reply {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for id in &request.groups_names {
        let error_code = call.fault_of(id).unwrap_or_else(|| delete(call, id));
        results.push(DeletableGroupResult { group_id: id, error_code, error_message: None });
    }
    call.reply(&DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() })
}

fn delete(call: &mut Call<'_>, id: &str) -> i16 {
    if let Err(code) = call.world.check_coordinator(call.broker, id) {
        return code;
    }
    match call.world.groups.get(id) {
        None => GROUP_ID_NOT_FOUND,
        Some(group) if group.has_members() => NON_EMPTY_GROUP,
        Some(_) => {
            call.world.groups.remove(id);
            NONE
        }
    }
}
