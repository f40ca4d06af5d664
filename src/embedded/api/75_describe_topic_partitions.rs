//! DescribeTopicPartitions (75): version 0.
//!
//! Topics in the order of their names, at most `response_partition_limit` partitions in one answer, and a cursor
//! to where the next one goes on. There are no eligible leader replicas beyond those in sync.

use super::TOPIC_OPERATIONS;
use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::{is_legal_name, Partition, Topic};
use crate::embedded::world::World;
use crate::protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use crate::protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

/// `max.request.partition.size.limit`.
const MOST_PARTITIONS: i32 = 2000;

pub(super) fn handle(call: &mut Call<'_>, request: DescribeTopicPartitionsRequest<'_>) -> Reply {
    let call = &*call;
    let world = &*call.world;
    let mut names: Vec<&str> = request.topics.iter().map(|t| t.name).collect();
    let all = names.is_empty();
    if all {
        names = world.topics.iter().map(|t| t.name.as_str()).collect();
    }
    names.sort_unstable();
    names.dedup();
    let (from, mut skip) = match &request.cursor {
        Some(cursor) => (cursor.topic_name, usize::try_from(cursor.partition_index).unwrap_or(0)),
        None => ("", 0),
    };
    names.retain(|name| *name >= from);
    let mut left = usize::try_from(request.response_partition_limit.clamp(1, MOST_PARTITIONS)).unwrap_or(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        let begin = if name == from { std::mem::take(&mut skip) } else { 0 };
        if left == 0 {
            let partition_index = i32::try_from(begin).unwrap_or(0);
            response.next_cursor = Some(Cursor { topic_name: name, partition_index });
            break;
        }
        let Some(topic) = world.topics.get(name).filter(|_| call.fault_of(name).is_none()) else {
            response.topics.push(missing(call, name));
            continue;
        };
        let shown = topic.partitions.len().saturating_sub(begin).min(left);
        response.topics.push(describe(world, topic, begin, shown));
        left = left.saturating_sub(shown);
        let next = begin.saturating_add(shown);
        if next < topic.partitions.len() {
            let partition_index = i32::try_from(next).unwrap_or(i32::MAX);
            response.next_cursor = Some(Cursor { topic_name: name, partition_index });
            break;
        }
    }
    call.reply(&response)
}

fn missing<'c>(call: &Call<'_>, name: &'c str) -> DescribeTopicPartitionsResponseTopic<'c> {
    let reason = if is_legal_name(name) { UNKNOWN_TOPIC_OR_PARTITION } else { INVALID_TOPIC };
    DescribeTopicPartitionsResponseTopic {
        error_code: call.fault_of(name).unwrap_or(reason),
        name: Some(name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn describe<'c>(
    world: &'c World,
    topic: &'c Topic,
    begin: usize,
    shown: usize,
) -> DescribeTopicPartitionsResponseTopic<'c> {
    let partitions = topic.partitions.iter().skip(begin).take(shown);
    DescribeTopicPartitionsResponseTopic {
        name: Some(&topic.name),
        topic_id: topic.id,
        partitions: partitions.map(|p| partition(world, p)).collect(),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn partition(world: &World, p: &Partition) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition {
        error_code: if p.leader < 0 { LEADER_NOT_AVAILABLE } else { NONE },
        partition_index: p.index,
        leader_id: p.leader,
        leader_epoch: p.leader_epoch,
        replica_nodes: p.replicas.clone(),
        isr_nodes: world.in_sync(p),
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        offline_replicas: p.replicas.iter().copied().filter(|r| !world.is_up(*r)).collect(),
    }
}
