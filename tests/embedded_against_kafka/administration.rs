//! Changing and describing topics and the cluster, and deleting records and topics.

use super::fetching::{fetch, show_fetched};
use super::pair::{leak, Pair, Side};
use milena::protocol::messages::create_partitions_request::CreatePartitionsTopic;
use milena::protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use milena::protocol::messages::delete_topics_request::DeleteTopicState;
use milena::protocol::messages::describe_configs_request::DescribeConfigsResource;
use milena::protocol::messages::describe_topic_partitions_request::TopicRequest;
use milena::protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use milena::protocol::messages::*;
use milena::protocol::Uuid;

pub fn administration(pair: &mut Pair, run: &'static str) {
    let other = leak(format!("{run}-other"));
    growing(pair, other);
    describing_configs(pair, other);
    altering_configs(pair, other);
    describing_the_cluster(pair);
    describing_partitions(pair, other);
}

fn growing(pair: &mut Pair, other: &'static str) {
    let grow = |name: &'static str, count| CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name, count, assignments: None }],
        timeout_ms: 5000,
        validate_only: false,
    };
    let show = |r: &CreatePartitionsResponse<'static>| {
        format!("{:?}", r.results.iter().map(|t| t.error_code).collect::<Vec<_>>())
    };
    for (name, count) in [(other, 3), (other, 3), (other, 2), (other, 0), (other, -1), ("unknown", 3)] {
        pair.compare(&format!("CreatePartitions {name} {count}"), [0, 3], |_| grow(name, count), show);
    }
}

fn describing_configs(pair: &mut Pair, other: &'static str) {
    let describe =
        |resource_type, name: &'static str, keys: Option<Vec<&'static str>>| DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type,
                resource_name: name,
                configuration_keys: keys,
            }],
            ..DescribeConfigsRequest::default()
        };
    let show = |r: &DescribeConfigsResponse<'static>| {
        let row = |c: &describe_configs_response::DescribeConfigsResourceResult<'_>| {
            format!("{}={:?} {} {} {}", c.name, c.value, c.read_only, c.config_source, c.config_type)
        };
        let mut rows: Vec<String> = r.results[0].configs.iter().map(row).collect();
        rows.sort();
        format!("error {} {rows:?}", r.results[0].error_code)
    };
    let keys = vec!["cleanup.policy", "max.message.bytes", "message.timestamp.type", "no.such"];
    pair.compare("DescribeConfigs", 1..=4, |_| describe(2, other, Some(keys.clone())), show);
    pair.compare("DescribeConfigs of an unknown topic", [1, 4], |_| describe(2, "unknown", None), show);
    pair.compare("DescribeConfigs of another broker", [1, 4], |_| describe(4, "9", None), show);
    pair.compare("DescribeConfigs of no kind", [1, 4], |_| describe(77, "9", None), show);
    let ours: DescribeConfigsResponse<'_> = pair.sides[0].call(&describe(2, other, None), 4).unwrap();
    let ours: Vec<&str> = ours.results[0].configs.iter().map(|c| c.name).collect();
    let known = |r: &DescribeConfigsResponse<'static>| {
        // The launcher's brokers keep records for ever.
        let rows = r.results[0].configs.iter().filter(|c| ours.contains(&c.name) && c.name != "retention.ms");
        let mut rows: Vec<String> =
            rows.map(|c| format!("{}={:?} {}", c.name, c.value, c.config_type)).collect();
        rows.sort_unstable();
        rows.join(", ")
    };
    pair.compare("DescribeConfigs of all", [4], |_| describe(2, other, None), known);
}

fn altering_configs(pair: &mut Pair, other: &'static str) {
    let alter = |name: &'static str, change: AlterableConfig<'static>| IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: 2,
            resource_name: name,
            configs: vec![change],
        }],
        validate_only: false,
    };
    let change = |name, config_operation, value| AlterableConfig { name, config_operation, value };
    let show_altered =
        |r: &IncrementalAlterConfigsResponse<'static>| format!("{}", r.responses[0].error_code);
    let changes = [
        (other, change("retention.ms", 0, Some("1234567"))),
        (other, change("retention.ms", 0, Some("x"))),
        (other, change("no.such", 0, Some("x"))),
        (other, change("max.message.bytes", 1, None)),
        (other, change("retention.ms", 9, None)),
        (other, change("retention.ms", 0, None)),
        (other, change("retention.ms", 2, Some("1"))),
        (other, change("cleanup.policy", 2, Some("compact"))),
        (other, change("cleanup.policy", 3, Some("delete"))),
        (other, change("cleanup.policy", 3, Some("never"))),
        (other, change("cleanup.policy", 2, Some("burn"))),
        ("unknown", change("retention.ms", 0, Some("1"))),
    ];
    for (name, c) in changes {
        let what = format!("IncrementalAlterConfigs {name} {c:?}");
        pair.compare(&what, [0, 1], |_| alter(name, c.clone()), show_altered);
    }
}

fn describing_the_cluster(pair: &mut Pair) {
    let show = |r: &DescribeClusterResponse<'static>| {
        format!(
            "error {} {} brokers {} {}",
            r.error_code,
            r.brokers.len(),
            r.endpoint_type,
            r.cluster_authorized_operations
        )
    };
    for (endpoint_type, operations) in [(1, false), (1, true), (9, false)] {
        let request = |_: &Side| DescribeClusterRequest {
            include_cluster_authorized_operations: operations,
            endpoint_type,
            include_fenced_brokers: false,
        };
        let versions = if endpoint_type == 1 { 0..=2 } else { 1..=2 };
        pair.compare(&format!("DescribeCluster {endpoint_type} {operations}"), versions, request, show);
    }
}

fn describing_partitions(pair: &mut Pair, other: &'static str) {
    let show = |r: &DescribeTopicPartitionsResponse<'static>| {
        let topic = |t: &describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic<'_>| {
            let partitions: Vec<_> = t
                .partitions
                .iter()
                .map(|p| {
                    (
                        p.partition_index,
                        p.leader_epoch,
                        p.isr_nodes.len(),
                        p.eligible_leader_replicas.clone(),
                        p.last_known_elr.clone(),
                    )
                })
                .collect();
            format!("{:?} {} {partitions:?} {}", t.name, t.error_code, t.topic_authorized_operations)
        };
        format!("{:?} {:?}", r.topics.iter().map(topic).collect::<Vec<_>>(), r.next_cursor)
    };
    for (names, limit) in
        [(vec![other], 10), (vec![other, "unknown", "a b"], 10), (vec![other], 2), (vec![other], 0)]
    {
        let request = |_: &Side| DescribeTopicPartitionsRequest {
            topics: names.iter().map(|name| TopicRequest { name }).collect(),
            response_partition_limit: limit,
            cursor: None,
        };
        pair.compare(&format!("DescribeTopicPartitions {names:?} {limit}"), [0], request, show);
    }
}

pub fn deleting(pair: &mut Pair, run: &'static str) {
    let (log, other) = (leak(format!("{run}-log")), leak(format!("{run}-other")));
    let delete = |name: &'static str, partition_index, offset| DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name,
            partitions: vec![DeleteRecordsPartition { partition_index, offset }],
        }],
        timeout_ms: 5000,
    };
    let show = |r: &DeleteRecordsResponse<'static>| {
        format!(
            "{:?}",
            r.topics
                .iter()
                .flat_map(|t| &t.partitions)
                .map(|p| (p.error_code, p.low_watermark))
                .collect::<Vec<_>>()
        )
    };
    for (name, partition, offset) in
        [(log, 0, 4), (log, 0, 2), (log, 0, 9999), (log, 0, -2), (log, 9, 0), ("unknown", 0, 0), (log, 0, -1)]
    {
        let what = format!("DeleteRecords {name} {partition} {offset}");
        pair.compare(&what, 0..=2, |_| delete(name, partition, offset), show);
    }
    pair.compare("Fetch of deleted records", [12], |s| fetch(log, s.topic_id, 3), show_fetched);
    let by_name = |names: Vec<&'static str>| DeleteTopicsRequest {
        topic_names: names,
        timeout_ms: 5000,
        ..Default::default()
    };
    let show = |r: &DeleteTopicsResponse<'static>| {
        let mut rows: Vec<_> = r.responses.iter().map(|t| (t.name, t.error_code)).collect();
        rows.sort_unstable();
        format!("{rows:?}")
    };
    pair.compare("DeleteTopics", [4], |_| by_name(vec![other, "unknown"]), show);
    pair.compare("DeleteTopics twice", [1, 5], |_| by_name(vec![other, "a b"]), show);
    let by_id = |s: &Side| DeleteTopicsRequest {
        topics: vec![
            DeleteTopicState { name: None, topic_id: s.topic_id },
            DeleteTopicState { name: None, topic_id: Uuid([9; 16]) },
        ],
        timeout_ms: 5000,
        ..DeleteTopicsRequest::default()
    };
    pair.compare("DeleteTopics by id", [6, 6], by_id, show);
}
