//! Metadata (3): versions 0 to 13; 12 and newer can ask for topics by id.
//!
//! Lists the brokers that are up. A topic that does not exist is made if the cluster's settings and the request
//! (4 and newer) allow it, and is there at once. A partition without a leader has LEADER_NOT_AVAILABLE.

use super::{CLUSTER_OPERATIONS, NO_OPERATIONS, TOPIC_OPERATIONS};
use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::{is_legal_name, Partition, TopicRef};
use crate::embedded::world::{TopicSpec, World};
use crate::protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{MetadataRequest, MetadataResponse};
use crate::protocol::Uuid;

pub(super) fn handle(call: &mut Call<'_>, request: MetadataRequest<'_>) -> Reply {
    if call.world.settings.auto_create_topics && request.allow_auto_topic_creation {
        for name in request.topics.iter().flatten().filter_map(|t| t.name) {
            if call.world.topics.get(name).is_none() && call.fault_of(name).is_none() {
                let spec = TopicSpec { name, partitions: -1, replication: -1, ..TopicSpec::default() };
                // What refuses it shows below: the topic is still not there.
                let _ = call.world.create_topic(&spec, false);
            }
        }
    }
    let world = &*call.world;
    let operations = |wanted: bool, all: i32| if wanted { all } else { NO_OPERATIONS };
    let of_topics = operations(request.include_topic_authorized_operations, TOPIC_OPERATIONS);
    // In version 0 an empty list means all topics, in the others it means none.
    let wanted = request.topics.as_deref().filter(|topics| call.version > 0 || !topics.is_empty());
    let topics = match wanted {
        None => world.topics.iter().map(|t| describe(call, TopicRef::Name(&t.name), of_topics)).collect(),
        Some(wanted) => {
            let refs = wanted.iter().map(|t| t.name.map_or(TopicRef::Id(t.topic_id), TopicRef::Name));
            refs.map(|at| describe(call, at, of_topics)).collect()
        }
    };
    let of_cluster = operations(request.include_cluster_authorized_operations, CLUSTER_OPERATIONS);
    call.reply(&MetadataResponse {
        brokers: brokers(world),
        cluster_id: Some(&world.settings.cluster_id),
        controller_id: world.controller(),
        topics,
        cluster_authorized_operations: of_cluster,
        ..MetadataResponse::default()
    })
}

fn brokers(world: &World) -> Vec<MetadataResponseBroker<'_>> {
    let describe = |b: &crate::embedded::world::Broker| MetadataResponseBroker {
        node_id: b.id,
        host: &world.settings.host,
        port: i32::from(b.port),
        rack: world.rack(b.id),
    };
    world.up().map(describe).collect()
}

fn describe<'c>(call: &'c Call<'_>, at: TopicRef<'c>, operations: i32) -> MetadataResponseTopic<'c> {
    let world = &*call.world;
    let found = world.topics.find(at);
    let (name, topic_id) = match (found, at) {
        (Ok(topic), _) => (Some(topic.name.as_str()), topic.id),
        (Err(_), TopicRef::Name(name)) => (Some(name), Uuid::ZERO),
        (Err(_), TopicRef::Id(id)) => (if call.version < 12 { Some("") } else { None }, id),
    };
    let mut response = MetadataResponseTopic { name, topic_id, ..MetadataResponseTopic::default() };
    match (call.fault_of(name.unwrap_or("")), found) {
        (Some(code), _) => response.error_code = code,
        (None, Err(_)) if name.is_some_and(|n| !n.is_empty() && !is_legal_name(n)) => {
            response.error_code = INVALID_TOPIC;
        }
        (None, Err(code)) => response.error_code = code,
        (None, Ok(topic)) => {
            response.partitions = topic.partitions.iter().map(|p| describe_partition(world, p)).collect();
            response.topic_authorized_operations = operations;
        }
    }
    response
}

fn describe_partition(world: &World, partition: &Partition) -> MetadataResponsePartition {
    let offline = partition.replicas.iter().copied().filter(|r| !world.is_up(*r));
    MetadataResponsePartition {
        error_code: if partition.leader < 0 { LEADER_NOT_AVAILABLE } else { NONE },
        partition_index: partition.index,
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch,
        isr_nodes: world.in_sync(partition),
        offline_replicas: offline.collect(),
        replica_nodes: partition.replicas.clone(),
    }
}
