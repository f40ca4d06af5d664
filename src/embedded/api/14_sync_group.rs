//! SyncGroup (14): versions 0 to 5.
//!
//! The members' answers wait for the leader's request, which brings the assignments. Who does not send it within
//! the rebalance timeout is out of the group.

use crate::embedded::call::{Call, Outcome, Reply};
use crate::embedded::errors::*;
use crate::embedded::group::{SyncAnswer, SyncParams};
use crate::protocol::messages::{SyncGroupRequest, SyncGroupResponse};
use crate::protocol::{encode_response, EncodeError};
use bytes::Bytes;

pub(super) fn handle(call: &mut Call<'_>, request: SyncGroupRequest<'_>) -> Reply {
    let allowed = match call.fault_of(request.group_id) {
        Some(code) => Err(code),
        None if request.group_id.is_empty() => Err(INVALID_GROUP_ID),
        None => call.world.check_coordinator(call.broker, request.group_id),
    };
    let params = SyncParams {
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        generation: request.generation_id,
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments: request.assignments.iter().map(|a| (a.member_id, a.assignment)).collect(),
    };
    let world = &mut *call.world;
    let error = match (allowed, world.groups.get_mut(request.group_id)) {
        (Err(code), _) => code,
        (Ok(()), None) => UNKNOWN_MEMBER_ID,
        (Ok(()), Some(group)) => {
            group.sync(call.now.mono, &params, call.ticket, &mut world.completions);
            return Ok(Outcome::Wait(None));
        }
    };
    let answer = SyncAnswer { error, ..SyncAnswer::default() };
    Ok(Outcome::Answer(respond(&answer, call.version, call.correlation)?))
}

/// The frame for an answer.
pub(in crate::embedded) fn respond(
    answer: &SyncAnswer,
    version: i16,
    correlation: i32,
) -> Result<Vec<Bytes>, EncodeError> {
    let response = SyncGroupResponse {
        error_code: answer.error,
        protocol_type: answer.protocol_type.as_deref(),
        protocol_name: answer.protocol.as_deref(),
        assignment: &answer.assignment,
        ..SyncGroupResponse::default()
    };
    encode_response(&response, version, correlation)
}
