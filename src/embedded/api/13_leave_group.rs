//! LeaveGroup (13): versions 0 to 5; 3 and newer name several members, by member id or by instance id.
//!
//! The members that stay rebalance at once.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::leave_group_response::MemberResponse;
use crate::protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

pub(super) fn handle(call: &mut Call<'_>, request: LeaveGroupRequest<'_>) -> Reply {
    let allowed = match call.fault_of(request.group_id) {
        Some(code) => Err(code),
        None if request.group_id.is_empty() => Err(INVALID_GROUP_ID),
        None => call.world.check_coordinator(call.broker, request.group_id),
    };
    let mut response = LeaveGroupResponse::default();
    match allowed {
        Err(code) => response.error_code = code,
        Ok(()) if call.version < 3 => {
            response.error_code = leave(call, request.group_id, request.member_id, None);
        }
        Ok(()) => {
            for member in &request.members {
                let instance = member.group_instance_id;
                response.members.push(MemberResponse {
                    member_id: member.member_id,
                    group_instance_id: instance,
                    error_code: leave(call, request.group_id, member.member_id, instance),
                });
            }
        }
    }
    call.reply(&response)
}

fn leave(call: &mut Call<'_>, group: &str, member: &str, instance: Option<&str>) -> i16 {
    let world = &mut *call.world;
    match world.groups.get_mut(group) {
        None => UNKNOWN_MEMBER_ID,
        Some(group) => group.leave(call.now.mono, member, instance, &mut world.completions),
    }
}
