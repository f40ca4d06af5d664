//! OffsetFetch (9): versions 1 to 10; 8 and newer ask for several groups, 10 names topics by id.
//!
//! A partition without a committed offset has offset -1 and no error. A list of topics that is null (2 and newer)
//! means all topics with offsets. Member ids and epochs (9 and newer) are not looked at: there are only groups of
//! the classic protocol.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::group::CommittedOffset;
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use crate::protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use crate::protocol::Uuid;

pub(super) fn handle(call: &mut Call<'_>, request: OffsetFetchRequest<'_>) -> Reply {
    let call = &*call;
    if call.version >= 8 {
        let groups = request.groups.iter().map(|group| fetch_group(call, group)).collect();
        return call.reply(&OffsetFetchResponse { groups, ..OffsetFetchResponse::default() });
    }
    let wanted = |topics: Vec<_>| topics.into_iter().map(wanted_topic).collect();
    let group = OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics: request.topics.map(wanted),
        ..OffsetFetchRequestGroup::default()
    };
    let fetched = fetch_group(call, &group);
    let mut response =
        OffsetFetchResponse { error_code: fetched.error_code, ..OffsetFetchResponse::default() };
    if call.version < 2 && fetched.error_code != NONE {
        // Version 1 has an error only for each partition.
        response.topics =
            group.topics.iter().flatten().map(|t| refused_topic(t, fetched.error_code)).collect();
    } else {
        response.topics = fetched.topics.into_iter().map(old_topic).collect();
    }
    call.reply(&response)
}

fn wanted_topic(topic: OffsetFetchRequestTopic<'_>) -> OffsetFetchRequestTopics<'_> {
    OffsetFetchRequestTopics {
        name: topic.name,
        topic_id: Uuid::ZERO,
        partition_indexes: topic.partition_indexes,
    }
}

fn refused_topic<'a>(topic: &OffsetFetchRequestTopics<'a>, code: i16) -> OffsetFetchResponseTopic<'a> {
    let refuse = |index: &i32| OffsetFetchResponsePartition {
        partition_index: *index,
        committed_offset: -1,
        metadata: Some(""),
        error_code: code,
        ..OffsetFetchResponsePartition::default()
    };
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partition_indexes.iter().map(refuse).collect(),
    }
}

fn old_topic(topic: OffsetFetchResponseTopics<'_>) -> OffsetFetchResponseTopic<'_> {
    let partitions = topic.partitions.into_iter().map(|p| OffsetFetchResponsePartition {
        partition_index: p.partition_index,
        committed_offset: p.committed_offset,
        committed_leader_epoch: p.committed_leader_epoch,
        metadata: p.metadata,
        error_code: p.error_code,
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
}

fn fetch_group<'c>(call: &'c Call<'_>, asked: &OffsetFetchRequestGroup<'c>) -> OffsetFetchResponseGroup<'c> {
    let mut response =
        OffsetFetchResponseGroup { group_id: asked.group_id, ..OffsetFetchResponseGroup::default() };
    let allowed = match call.fault_of(asked.group_id) {
        Some(code) => Err(code),
        None => call.world.check_coordinator(call.broker, asked.group_id),
    };
    if let Err(code) = allowed {
        response.error_code = code;
        return response;
    }
    response.topics = match &asked.topics {
        Some(topics) => topics.iter().map(|t| fetch_topic(call, asked.group_id, t)).collect(),
        None => all_topics(call, asked.group_id),
    };
    response
}

fn fetch_topic<'c>(
    call: &'c Call<'_>,
    group: &str,
    asked: &OffsetFetchRequestTopics<'c>,
) -> OffsetFetchResponseTopics<'c> {
    let at = TopicRef::new(call.version >= 10, asked.name, asked.topic_id);
    let topic = call.world.topics.find(at);
    let name = topic.map_or(asked.name, |t| &t.name);
    let group = call.world.groups.get(group);
    let unknown = if call.version >= 10 { topic.err().unwrap_or(NONE) } else { NONE };
    let partitions = asked.partition_indexes.iter().map(|index| {
        let committed = group.and_then(|g| g.committed(name, *index));
        partition(*index, committed, call.fault(name, *index).unwrap_or(unknown))
    });
    let partitions = partitions.collect();
    OffsetFetchResponseTopics { name: asked.name, topic_id: asked.topic_id, partitions }
}

fn all_topics<'c>(call: &'c Call<'_>, group: &str) -> Vec<OffsetFetchResponseTopics<'c>> {
    let Some(group) = call.world.groups.get(group) else { return Vec::new() };
    let topics = group.all_committed().map(|(name, committed)| OffsetFetchResponseTopics {
        name,
        topic_id: call.world.topics.get(name).map_or(Uuid::ZERO, |t| t.id),
        partitions: committed.map(|(index, c)| partition(index, Some(c), NONE)).collect(),
    });
    topics.collect()
}

fn partition(
    index: i32,
    committed: Option<&CommittedOffset>,
    error_code: i16,
) -> OffsetFetchResponsePartitions<'_> {
    let committed = committed.filter(|_| error_code == NONE);
    OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: committed.map_or(-1, |c| c.offset),
        committed_leader_epoch: committed.map_or(-1, |c| c.leader_epoch),
        metadata: Some(committed.map_or("", |c| &c.metadata)),
        error_code,
    }
}
