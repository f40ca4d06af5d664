//! Topics: creating them, good and bad, and what Metadata says of them.

use super::pair::{leak, Pair, Side};
use milena::protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use milena::protocol::messages::metadata_request::MetadataRequestTopic;
use milena::protocol::messages::{
    metadata_response, CreateTopicsRequest, CreateTopicsResponse, MetadataRequest, MetadataResponse,
};
use milena::protocol::Uuid;
use std::time::{Duration, Instant};

pub fn topics(pair: &mut Pair, run: &'static str) {
    creating(pair, run);
    describing(pair, run);
}

fn create(topics: Vec<CreatableTopic<'static>>) -> CreateTopicsRequest<'static> {
    CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false }
}

fn topic(name: &'static str, num_partitions: i32, replication_factor: i16) -> CreatableTopic<'static> {
    CreatableTopic { name, num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn show_created(r: &CreateTopicsResponse<'static>) -> String {
    let mut rows: Vec<String> = r
        .topics
        .iter()
        .map(|t| format!("{} {} p{} r{}", t.name, t.error_code, t.num_partitions, t.replication_factor))
        .collect();
    rows.sort();
    rows.join(", ")
}

fn creating(pair: &mut Pair, run: &'static str) {
    let assigned = |name, brokers: Vec<Vec<i32>>| CreatableTopic {
        assignments: (0..)
            .zip(brokers)
            .map(|(partition_index, broker_ids)| CreatableReplicaAssignment { partition_index, broker_ids })
            .collect(),
        ..topic(name, -1, -1)
    };
    let configured = |name, key, value| CreatableTopic {
        configs: vec![CreatableTopicConfig { name: key, value }],
        ..topic(name, 1, 1)
    };
    for version in 2..=7 {
        let name = leak(format!("{run}-created-{version}"));
        pair.compare("CreateTopics", [version], |_| create(vec![topic(name, 2, 1)]), show_created);
        pair.compare("CreateTopics again", [version], |_| create(vec![topic(name, 2, 1)]), show_created);
    }
    let bad = [
        topic("", 1, 1),
        topic("a b", 1, 1),
        topic(".", 1, 1),
        topic("zero", 0, 1),
        topic("minus", -2, 1),
        topic("much", 1, 2),
        topic("none", 1, 0),
        assigned("known", vec![vec![9]]),
        assigned("twice", vec![vec![1, 1]]),
        assigned("nobody", vec![vec![]]),
        CreatableTopic { num_partitions: 1, ..assigned("both", vec![vec![1]]) },
        configured("name", "no.such.config", Some("1")),
        configured("number", "retention.ms", Some("many")),
        configured("low", "max.message.bytes", Some("-5")),
        configured("enum", "message.timestamp.type", Some("Never")),
        configured("null", "retention.ms", None),
        configured("policy", "cleanup.policy", Some("burn")),
    ];
    for t in bad {
        let what = format!("CreateTopics {t:?}");
        pair.compare(&what, [2, 7], |_| create(vec![t.clone()]), show_created);
    }
    let twice = |_: &Side| create(vec![topic("twice", 1, 1), topic("twice", 1, 1)]);
    pair.compare("CreateTopics twice in a request", [7], twice, show_created);
    let checked =
        |_: &Side| CreateTopicsRequest { validate_only: true, ..create(vec![topic("only-checked", 3, 1)]) };
    pair.compare("CreateTopics only checked", [2, 7], checked, show_created);
}

fn show_metadata(r: &MetadataResponse<'static>) -> String {
    let topic = |t: &metadata_response::MetadataResponseTopic<'_>| {
        let partitions: Vec<_> = t
            .partitions
            .iter()
            .map(|p| (p.error_code, p.partition_index, p.leader_epoch, p.replica_nodes.len()))
            .collect();
        format!(
            "{:?} {} internal {} {partitions:?} {}",
            t.name, t.error_code, t.is_internal, t.topic_authorized_operations
        )
    };
    let topics: Vec<String> = r.topics.iter().map(topic).collect();
    format!("{} brokers, {topics:?}, operations {}", r.brokers.len(), r.cluster_authorized_operations)
}

fn describing(pair: &mut Pair, run: &'static str) {
    let log =
        create(vec![topic(leak(format!("{run}-log")), 2, 1), topic(leak(format!("{run}-other")), 1, 1)]);
    pair.compare("CreateTopics", [7], |_| log.clone(), show_created);
    let names: Vec<&'static str> = log.topics.iter().map(|t| t.name).collect();
    let by_name = |names: &[&'static str]| MetadataRequest {
        topics: Some(
            names.iter().map(|n| MetadataRequestTopic { name: Some(n), ..Default::default() }).collect(),
        ),
        // Kafka creates a topic some time after it answered, so neither creates one here.
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    pair.each(|side| {
        let begin = Instant::now();
        loop {
            let r: MetadataResponse<'_> = side.call(&by_name(&names), 12).unwrap();
            if r.topics.iter().all(|t| t.error_code == 0 && t.partitions.iter().all(|p| p.error_code == 0)) {
                side.topic_id = r.topics[0].topic_id;
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "the topics do not come up");
        }
    });
    pair.compare("Metadata", 4..=13, |_| by_name(&names), show_metadata);
    pair.compare("Metadata of an unknown topic", 4..=13, |_| by_name(&["unknown-topic"]), show_metadata);
    pair.compare("Metadata of an illegal topic", 4..=13, |_| by_name(&["a b"]), show_metadata);
    pair.compare(
        "Metadata of no topics",
        1..=3,
        |_| MetadataRequest { allow_auto_topic_creation: true, ..by_name(&[]) },
        show_metadata,
    );
    let operations =
        |_: &Side| MetadataRequest { include_topic_authorized_operations: true, ..by_name(&names) };
    pair.compare("Metadata with operations", 8..=13, operations, show_metadata);
    let operations =
        |_: &Side| MetadataRequest { include_cluster_authorized_operations: true, ..by_name(&names) };
    pair.compare("Metadata with operations of the cluster", 8..=10, operations, show_metadata);
    let by_id = |id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: None, topic_id: id }]),
        ..MetadataRequest::default()
    };
    pair.compare("Metadata by id", [12, 13], |side| by_id(side.topic_id), show_metadata);
    pair.compare("Metadata by an unknown id", [12, 13], |_| by_id(Uuid([9; 16])), show_metadata);
}
