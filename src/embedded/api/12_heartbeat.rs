//! Heartbeat (12): versions 0 to 4.
//!
//! Keeps a member's session alive. While members are to join again the answer is REBALANCE_IN_PROGRESS.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::{HeartbeatRequest, HeartbeatResponse};

pub(super) fn handle(call: &mut Call<'_>, request: HeartbeatRequest<'_>) -> Reply {
    let error_code = call.fault_of(request.group_id).unwrap_or_else(|| heartbeat(call, &request));
    call.reply(&HeartbeatResponse { error_code, ..HeartbeatResponse::default() })
}

fn heartbeat(call: &mut Call<'_>, request: &HeartbeatRequest<'_>) -> i16 {
    if request.group_id.is_empty() {
        return INVALID_GROUP_ID;
    }
    if let Err(code) = call.world.check_coordinator(call.broker, request.group_id) {
        return code;
    }
    let now = call.now.mono;
    match call.world.groups.get_mut(request.group_id) {
        None => UNKNOWN_MEMBER_ID,
        Some(group) => {
            group.heartbeat(now, request.member_id, request.group_instance_id, request.generation_id)
        }
    }
}
