//! JoinGroup (11): versions 0 to 9.
//!
//! A new member of version 4 and newer is given an id first and has to come back with it (MEMBER_ID_REQUIRED). The
//! answer waits until all members have joined or the rebalance timeout has passed; the first join of an empty
//! group waits for `group_initial_rebalance_delay_ms`. Static members (5 and newer) keep their place when they
//! come back with the same protocols.

use crate::embedded::call::{Call, Outcome, Reply};
use crate::embedded::errors::*;
use crate::embedded::group::{Completion, JoinAnswer, JoinParams};
use crate::protocol::messages::join_group_response::JoinGroupResponseMember;
use crate::protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use crate::protocol::{encode_response, EncodeError};
use bytes::Bytes;

pub(super) fn handle(call: &mut Call<'_>, request: JoinGroupRequest<'_>) -> Reply {
    let refused = call.fault_of(request.group_id).or_else(|| refusal(call, &request));
    if let Some(error) = refused {
        let answer = JoinAnswer {
            error,
            generation: -1,
            member_id: request.member_id.to_owned(),
            ..JoinAnswer::default()
        };
        return Ok(Outcome::Answer(respond(&answer, call.version, call.correlation)?));
    }
    let world = &mut *call.world;
    let client_id = if call.client_id.is_empty() { "member" } else { call.client_id };
    let uuid = world.new_uuid();
    let params = JoinParams {
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        client_id: call.client_id,
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: match request.rebalance_timeout_ms {
            ms if ms < 0 => request.session_timeout_ms,
            ms => ms,
        },
        protocol_type: request.protocol_type,
        protocols: request.protocols.iter().map(|p| (p.name, p.metadata)).collect(),
        needs_known_id: call.version >= 4,
        can_skip_assignment: call.version >= 9,
        new_id: new_member_id(request.group_instance_id.unwrap_or(client_id), uuid.0),
    };
    let mut completions: Vec<Completion> = Vec::new();
    world.group_mut(request.group_id).join(call.now.mono, &params, call.ticket, &mut completions);
    world.completions.append(&mut completions);
    Ok(Outcome::Wait(None))
}

fn refusal(call: &Call<'_>, request: &JoinGroupRequest<'_>) -> Option<i16> {
    if request.group_id.is_empty() {
        return Some(INVALID_GROUP_ID);
    }
    if let Err(code) = call.world.check_coordinator(call.broker, request.group_id) {
        return Some(code);
    }
    // A name that nobody knows must not make a group.
    let unknown = !request.member_id.is_empty() && !call.world.groups.contains_key(request.group_id);
    unknown.then_some(UNKNOWN_MEMBER_ID)
}

/// The member's own name and a UUID, as Kafka makes it.
fn new_member_id(name: &str, uuid: [u8; 16]) -> String {
    let hex = u128::from_be_bytes(uuid);
    let mut text = format!("{hex:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    // Strings on the wire have at most 32767 bytes.
    let name: String = name.chars().take(1000).collect();
    format!("{name}-{text}")
}

/// The frame for an answer.
pub(in crate::embedded) fn respond(
    answer: &JoinAnswer,
    version: i16,
    correlation: i32,
) -> Result<Vec<Bytes>, EncodeError> {
    let members = answer.members.iter().map(|(id, instance, metadata)| JoinGroupResponseMember {
        member_id: id,
        group_instance_id: instance.as_deref(),
        metadata,
    });
    let response = JoinGroupResponse {
        error_code: answer.error,
        generation_id: answer.generation,
        protocol_type: answer.protocol_type.as_deref(),
        protocol_name: answer.protocol.as_deref().or(if version < 7 { Some("") } else { None }),
        leader: &answer.leader,
        skip_assignment: answer.skip_assignment,
        member_id: &answer.member_id,
        members: members.collect(),
        ..JoinGroupResponse::default()
    };
    encode_response(&response, version, correlation)
}
