//! OffsetCommit (8): versions 2 to 10; 10 names topics by id.
//!
//! Taken from members of the current generation, and from anyone (generation -1) while the group has no members.
//! Offsets are kept until the topic or the group is deleted.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::group::CommittedOffset;
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use crate::protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

/// `offset.metadata.max.bytes`.
const MAX_METADATA: usize = 4096;

pub(super) fn handle(call: &mut Call<'_>, request: OffsetCommitRequest<'_>) -> Reply {
    let allowed = check(call, &request);
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let at = TopicRef::new(call.version >= 10, topic.name, topic.topic_id);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let result = allowed.and_then(|()| commit(call, request.group_id, at, partition));
            partitions.push(OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: result.err().unwrap_or(NONE),
            });
        }
        topics.push(OffsetCommitResponseTopic { name: topic.name, topic_id: topic.topic_id, partitions });
    }
    call.reply(&OffsetCommitResponse { topics, ..OffsetCommitResponse::default() })
}

fn check(call: &mut Call<'_>, request: &OffsetCommitRequest<'_>) -> Result<(), i16> {
    let (group, generation) = (request.group_id, request.generation_id_or_member_epoch);
    call.world.check_coordinator(call.broker, group)?;
    let now = call.now.mono;
    if generation >= 0 && !call.world.groups.contains_key(group) {
        return Err(if call.version >= 9 { GROUP_ID_NOT_FOUND } else { ILLEGAL_GENERATION });
    }
    let group = call.world.group_mut(group);
    group.check_commit(now, request.member_id, request.group_instance_id, generation)
}

fn commit(
    call: &mut Call<'_>,
    group: &str,
    topic: TopicRef<'_>,
    partition: &OffsetCommitRequestPartition<'_>,
) -> Result<(), i16> {
    let index = partition.partition_index;
    let found = call.world.topics.find(topic)?;
    let name = found.name.clone();
    if let Some(code) = call.fault(&name, index) {
        return Err(code);
    }
    found.partition(index)?;
    let metadata = partition.committed_metadata.unwrap_or("");
    if metadata.len() > MAX_METADATA {
        return Err(OFFSET_METADATA_TOO_LARGE);
    }
    let committed = CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: metadata.to_owned(),
    };
    call.world.group_mut(group).commit(&name, index, committed);
    Ok(())
}
