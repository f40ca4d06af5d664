//! The requests of the classic group protocol, and what their answers say.

use crate::client::request::{NodeKey, RequestSpec, Response, Target};
use crate::consumer::coordinator::turn::{GroupSettings, Identity};
use crate::error::{Code, Error};
use crate::protocol::messages::join_group_request::JoinGroupRequestProtocol;
use crate::protocol::messages::leave_group_request::MemberIdentity;
use crate::protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use crate::protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use crate::protocol::{ApiKey, Message, Reader};
use bytes::Bytes;
use std::sync::Arc;

pub const PROTOCOL_TYPE: &str = "consumer";

fn wire_ms(ms: u64) -> i32 {
    i32::try_from(ms).unwrap_or(i32::MAX)
}

/// `protocols`: each assignor's name and this member's subscription for it, the most wanted first.
pub fn join(
    settings: &Arc<GroupSettings>,
    node: NodeKey,
    member_id: &Arc<str>,
    protocols: Vec<(&'static str, Bytes)>,
    reason: &'static str,
) -> RequestSpec {
    let (settings, member_id) = (settings.clone(), member_id.clone());
    // The coordinator answers when all members have come, or the rebalance time-out of one has passed.
    let timeout_ms = settings.max_poll_interval_ms.saturating_add(5_000).max(settings.request_timeout_ms);
    // Static members need version 5.
    let first = if settings.instance_id.is_some() { 5 } else { 2 };
    RequestSpec::new(Target::Node(node), ApiKey::JoinGroup, (first, 9), timeout_ms, move |w, version| {
        JoinGroupRequest {
            group_id: &settings.group_id,
            session_timeout_ms: wire_ms(settings.session_timeout_ms),
            rebalance_timeout_ms: wire_ms(settings.max_poll_interval_ms),
            member_id: &member_id,
            group_instance_id: settings.instance_id.as_deref(),
            protocol_type: PROTOCOL_TYPE,
            protocols: protocols
                .iter()
                .map(|(name, metadata)| JoinGroupRequestProtocol { name, metadata })
                .collect(),
            reason: Some(reason),
        }
        .encode(w, version)
    })
}

/// `assignments`: what each member gets; empty from all but the leader.
pub fn sync(
    settings: &Arc<GroupSettings>,
    node: NodeKey,
    member: Identity,
    protocol: &'static str,
    assignments: Vec<(Arc<str>, Bytes)>,
) -> RequestSpec {
    let settings = settings.clone();
    // Followers wait for the leader, at most as long as members may take to join.
    let timeout_ms = settings.max_poll_interval_ms.saturating_add(5_000).max(settings.request_timeout_ms);
    RequestSpec::new(Target::Node(node), ApiKey::SyncGroup, (0, 5), timeout_ms, move |w, version| {
        SyncGroupRequest {
            group_id: &settings.group_id,
            generation_id: member.generation,
            member_id: &member.member_id,
            group_instance_id: settings.instance_id.as_deref(),
            protocol_type: Some(PROTOCOL_TYPE),
            protocol_name: Some(protocol),
            assignments: assignments
                .iter()
                .map(|(member_id, assignment)| SyncGroupRequestAssignment { member_id, assignment })
                .collect(),
        }
        .encode(w, version)
    })
}

pub fn heartbeat(settings: &Arc<GroupSettings>, node: NodeKey, member: Identity) -> RequestSpec {
    let settings = settings.clone();
    // An answer that takes longer than the session is worth nothing.
    let timeout_ms = settings.request_timeout_ms.min(settings.session_timeout_ms);
    RequestSpec::new(Target::Node(node), ApiKey::Heartbeat, (0, 4), timeout_ms, move |w, version| {
        HeartbeatRequest {
            group_id: &settings.group_id,
            generation_id: member.generation,
            member_id: &member.member_id,
            group_instance_id: settings.instance_id.as_deref(),
        }
        .encode(w, version)
    })
}

pub fn leave(
    settings: &Arc<GroupSettings>,
    node: NodeKey,
    member_id: &Arc<str>,
    reason: &'static str,
) -> RequestSpec {
    let (settings, member_id) = (settings.clone(), member_id.clone());
    let timeout_ms = settings.request_timeout_ms;
    RequestSpec::new(Target::Node(node), ApiKey::LeaveGroup, (0, 5), timeout_ms, move |w, version| {
        let group_id = &*settings.group_id;
        if version < 3 {
            return LeaveGroupRequest { group_id, member_id: &member_id, ..Default::default() }
                .encode(w, version);
        }
        let members = vec![MemberIdentity {
            member_id: &member_id,
            group_instance_id: settings.instance_id.as_deref(),
            reason: Some(reason),
        }];
        LeaveGroupRequest { group_id, members, ..Default::default() }.encode(w, version)
    })
}

/// A member as the leader hears of it: id, instance, subscription.
pub type RawMember = (String, Option<String>, Vec<u8>);

/// What the coordinator answers to a join.
pub struct Joined {
    pub generation: i32,
    pub protocol: String,
    pub member_id: Arc<str>,
    /// All members, if this one is the leader.
    pub members: Option<Vec<RawMember>>,
    /// A static leader came back: the assignment stays as it is (KIP-814).
    pub skip_assignment: bool,
}

/// A join that failed; some answers tell which member id to use.
pub struct JoinFailed {
    pub error: Error,
    pub member_id: Option<Arc<str>>,
}

impl From<Error> for JoinFailed {
    fn from(error: Error) -> JoinFailed {
        JoinFailed { error, member_id: None }
    }
}

pub fn read_join(response: &Response) -> Result<Joined, JoinFailed> {
    let answer = JoinGroupResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let code = Code(i32::from(answer.error_code));
    if !code.is_ok() {
        let error = response.error(code, "the coordinator refused this member");
        let member_id = Some(answer.member_id).filter(|id| !id.is_empty()).map(Arc::from);
        return Err(JoinFailed { error, member_id });
    }
    let leads = answer.leader == answer.member_id;
    let members = answer
        .members
        .iter()
        .map(|m| (m.member_id.to_owned(), m.group_instance_id.map(str::to_owned), m.metadata.to_owned()));
    Ok(Joined {
        generation: answer.generation_id,
        protocol: answer.protocol_name.unwrap_or_default().to_owned(),
        member_id: answer.member_id.into(),
        members: leads.then(|| members.collect()),
        skip_assignment: answer.skip_assignment,
    })
}

/// The assignment, still encoded.
pub fn read_sync(response: &Response) -> Result<Vec<u8>, Error> {
    let answer = SyncGroupResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let code = Code(i32::from(answer.error_code));
    if !code.is_ok() {
        return Err(response.error(code, "the coordinator gave no assignment"));
    }
    Ok(answer.assignment.to_owned())
}

pub fn read_heartbeat(response: &Response) -> Result<Code, Error> {
    HeartbeatResponse::decode(&mut Reader::new(&response.body), response.version)
        .map(|answer| Code(i32::from(answer.error_code)))
        .map_err(|e| response.unreadable(e))
}

/// A member that the coordinator does not know is out.
pub fn read_leave(response: &Response) -> Result<(), Error> {
    let answer = LeaveGroupResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let codes = std::iter::once(answer.error_code).chain(answer.members.iter().map(|m| m.error_code));
    for code in codes.map(|code| Code(i32::from(code))) {
        if !code.is_ok() && code != Code::UNKNOWN_MEMBER_ID {
            return Err(response.error(code, "the coordinator did not let this member leave"));
        }
    }
    Ok(())
}
