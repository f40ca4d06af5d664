//! Metadata and administration.

use crate::embedded::errors::*;
use crate::embedded::testing::{plain_batch, settings, World};
use crate::embedded::ClusterSettings;
use crate::protocol::messages::create_partitions_request::CreatePartitionsTopic;
use crate::protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use crate::protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use crate::protocol::messages::delete_topics_request::DeleteTopicState;
use crate::protocol::messages::describe_configs_request::DescribeConfigsResource;
use crate::protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use crate::protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use crate::protocol::messages::metadata_request::MetadataRequestTopic;
use crate::protocol::messages::*;
use crate::protocol::Uuid;

fn metadata_of<'a>(names: &[&'a str]) -> MetadataRequest<'a> {
    let topics = names.iter().map(|name| MetadataRequestTopic { name: Some(name), ..Default::default() });
    MetadataRequest { topics: Some(topics.collect()), allow_auto_topic_creation: true, ..Default::default() }
}

#[test]
fn metadata_names_brokers_and_makes_topics() {
    let mut world = World::with(ClusterSettings {
        default_partitions: 4,
        default_replication: 2,
        racks: vec!["r1".to_owned()],
        ..settings(3)
    });
    let conn = world.connect(2);
    for version in 0..=13 {
        let name = format!("t{version}");
        let response: MetadataResponse<'_> = world.call(conn, &metadata_of(&[&name]), version);
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.name, topic.partitions.len()), (NONE, Some(name.as_str()), 4));
        assert!(topic.partitions.iter().all(|p| p.replica_nodes.len() == 2 && p.leader_id > 0));
        assert_eq!(response.brokers.len(), 3);
        assert_eq!(response.brokers[1].port, 2);
        if version >= 1 {
            assert_eq!((response.brokers[0].rack, response.brokers[1].rack), (Some("r1"), None));
            assert_eq!(response.controller_id, 1);
        }
    }
    let all: MetadataResponse<'_> =
        world.call(conn, &MetadataRequest { topics: None, ..Default::default() }, 9);
    assert_eq!(all.topics.len(), 14);
    let none: MetadataResponse<'_> = world.call(conn, &metadata_of(&[]), 9);
    assert_eq!(none.topics.len(), 0);
    let illegal: MetadataResponse<'_> = world.call(conn, &metadata_of(&["no spaces"]), 9);
    assert_eq!(illegal.topics[0].error_code, INVALID_TOPIC);
    let mut forbidden = metadata_of(&["new"]);
    forbidden.allow_auto_topic_creation = false;
    let unknown: MetadataResponse<'_> = world.call(conn, &forbidden, 9);
    assert_eq!(unknown.topics[0].error_code, UNKNOWN_TOPIC_OR_PARTITION);
    let by_id = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: None, topic_id: Uuid([3; 16]) }]),
        ..Default::default()
    };
    let unknown: MetadataResponse<'_> = world.call(conn, &by_id, 12);
    assert_eq!((unknown.topics[0].error_code, unknown.topics[0].name), (UNKNOWN_TOPIC_ID, None));
}

#[test]
fn topics_are_created_with_what_was_asked_for() {
    let mut world = World::new(3);
    let conn = world.connect(1);
    let topic = |name, num_partitions, replication_factor| CreatableTopic {
        name,
        num_partitions,
        replication_factor,
        ..Default::default()
    };
    let mut assigned = topic("assigned", -1, -1);
    assigned.assignments = vec![
        CreatableReplicaAssignment { partition_index: 1, broker_ids: vec![2, 1] },
        CreatableReplicaAssignment { partition_index: 0, broker_ids: vec![3, 2] },
    ];
    let mut configured = topic("configured", 1, 1);
    configured.configs =
        vec![CreatableTopicConfig { name: "message.timestamp.type", value: Some("LogAppendTime") }];
    let mut wrong_config = topic("wrong", 1, 1);
    wrong_config.configs = vec![CreatableTopicConfig { name: "no.such", value: Some("1") }];
    let mut wrong_brokers = topic("wrong2", -1, -1);
    wrong_brokers.assignments = vec![CreatableReplicaAssignment { partition_index: 0, broker_ids: vec![9] }];
    let request = CreateTopicsRequest {
        topics: vec![
            topic("plain", 3, 2),
            topic("defaults", -1, -1),
            assigned,
            configured,
            wrong_config,
            wrong_brokers,
            topic("much", 1, 4),
            topic("none", 0, 1),
            topic("huge", i32::MAX, 1),
            topic("a/b", 1, 1),
        ],
        ..Default::default()
    };
    let response: CreateTopicsResponse<'_> = world.call(conn, &request, 7);
    let codes: Vec<i16> = response.topics.iter().map(|t| t.error_code).collect();
    let refused =
        [INVALID_CONFIG, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR, INVALID_PARTITIONS];
    assert_eq!(codes, [&[NONE; 4][..], &refused, &[POLICY_VIOLATION, INVALID_TOPIC]].concat());
    assert_eq!((response.topics[0].num_partitions, response.topics[0].replication_factor), (3, 2));
    assert_eq!(world.cluster.leader("assigned", 0).unwrap(), (3, 0));
    assert_eq!(world.cluster.leader("assigned", 1).unwrap(), (2, 0));
    let again: CreateTopicsResponse<'_> = world.call(conn, &request, 2);
    assert!(again.topics[..4].iter().all(|t| t.error_code == TOPIC_ALREADY_EXISTS));
    let only_checked =
        CreateTopicsRequest { topics: vec![topic("later", 1, 1)], validate_only: true, ..Default::default() };
    let response: CreateTopicsResponse<'_> = world.call(conn, &only_checked, 7);
    assert_eq!((response.topics[0].error_code, world.cluster.topics().len()), (NONE, 4));
}

#[test]
fn append_time_is_a_topic_configuration() {
    let mut world = World::new(1);
    world.cluster.create_topic("t", 1, 1, &[("message.timestamp.type", "LogAppendTime")]).unwrap();
    let conn = world.connect(1);
    let bytes = plain_batch(2);
    let request = crate::embedded::testing::produce_request("t", 0, &bytes);
    let response: ProduceResponse<'_> = world.call(conn, &request, 9);
    let p = &response.responses[0].partition_responses[0];
    assert_eq!((p.error_code, p.log_append_time_ms), (NONE, world.now.wall_ms));
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut world = World::with(ClusterSettings { auto_create_topics: false, ..settings(1) });
    for name in ["a", "b", "c"] {
        world.cluster.create_topic(name, 1, 1, &[]).unwrap();
    }
    let conn = world.connect(1);
    let known: MetadataResponse<'_> = world.call(conn, &metadata_of(&["b"]), 12);
    let request = DeleteTopicsRequest { topic_names: vec!["a", "x"], ..Default::default() };
    let response: DeleteTopicsResponse<'_> = world.call(conn, &request, 5);
    let codes: Vec<i16> = response.responses.iter().map(|r| r.error_code).collect();
    assert_eq!(codes, [NONE, UNKNOWN_TOPIC_OR_PARTITION]);
    let by_id = |id| DeleteTopicState { name: None, topic_id: id };
    let request = DeleteTopicsRequest {
        topics: vec![by_id(known.topics[0].topic_id), by_id(Uuid([1; 16]))],
        ..Default::default()
    };
    let response: DeleteTopicsResponse<'_> = world.call(conn, &request, 6);
    assert_eq!((response.responses[0].name, response.responses[0].error_code), (Some("b"), NONE));
    assert_eq!(response.responses[1].error_code, UNKNOWN_TOPIC_ID);
    assert_eq!(world.cluster.topics(), ["c"]);
    let gone: MetadataResponse<'_> = world.call(conn, &metadata_of(&["a"]), 9);
    assert_eq!(gone.topics[0].error_code, UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn partitions_are_added_but_never_taken_away() {
    let mut world = World::new(2);
    world.cluster.create_topic("t", 2, 2, &[]).unwrap();
    let conn = world.connect(1);
    let mut grow = |count| {
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic { name: "t", count, assignments: None }],
            ..Default::default()
        };
        world.call::<_, CreatePartitionsResponse<'_>>(conn, &request, 3).results[0].error_code
    };
    assert_eq!(
        [grow(5), grow(5), grow(1), grow(i32::MAX)],
        [NONE, INVALID_PARTITIONS, INVALID_PARTITIONS, POLICY_VIOLATION]
    );
    let response: MetadataResponse<'_> = world.call(conn, &metadata_of(&["t"]), 9);
    assert_eq!(response.topics[0].partitions.len(), 5);
    assert!(response.topics[0].partitions.iter().all(|p| p.replica_nodes.len() == 2));
}

#[test]
fn configurations_are_shown_and_changed() {
    let mut world = World::new(1);
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    let conn = world.connect(1);
    let resource = |resource_type, resource_name| DescribeConfigsResource {
        resource_type,
        resource_name,
        configuration_keys: None,
    };
    let describe = DescribeConfigsRequest {
        resources: vec![resource(2, "t"), resource(4, "1"), resource(2, "x"), resource(4, "2")],
        ..Default::default()
    };
    let response: DescribeConfigsResponse<'_> = world.call(conn, &describe, 4);
    let codes: Vec<i16> = response.results.iter().map(|r| r.error_code).collect();
    assert_eq!(codes, [NONE, NONE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST]);
    let change = |name, config_operation, value| AlterableConfig { name, config_operation, value };
    let mut alter = |changes: Vec<AlterableConfig<'_>>| {
        let resource = AlterConfigsResource { resource_type: 2, resource_name: "t", configs: changes };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        world.call::<_, IncrementalAlterConfigsResponse<'_>>(conn, &request, 1).responses[0].error_code
    };
    assert_eq!(alter(vec![change("max.message.bytes", 0, Some("200"))]), NONE);
    let half_wrong = vec![change("max.message.bytes", 1, None), change("retention.bytes", 0, Some("many"))];
    assert_eq!(alter(half_wrong), INVALID_CONFIG);
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(5)).0, MESSAGE_TOO_LARGE);
    let response: DescribeConfigsResponse<'_> = world.call(conn, &describe, 1);
    let shown = response.results[0].configs.iter().find(|c| c.name == "max.message.bytes").unwrap();
    assert_eq!((shown.value, shown.config_source), (Some("200"), 1));
}

#[test]
fn records_are_deleted_and_kept_within_a_size() {
    let mut world = World::new(1);
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    world.cluster.create_topic("small", 1, 1, &[("retention.bytes", "1000")]).unwrap();
    let conn = world.connect(1);
    world.produce(conn, "t", 0, &plain_batch(10));
    let mut delete = |offset| {
        let partition = DeleteRecordsPartition { partition_index: 0, offset };
        let request = DeleteRecordsRequest {
            topics: vec![DeleteRecordsTopic { name: "t", partitions: vec![partition] }],
            ..Default::default()
        };
        let response: DeleteRecordsResponse<'_> = world.call(conn, &request, 2);
        let p = &response.topics[0].partitions[0];
        (p.error_code, p.low_watermark)
    };
    assert_eq!([delete(4), delete(11), delete(-1)], [(NONE, 4), (OFFSET_OUT_OF_RANGE, -1), (NONE, 10)]);
    for _ in 0..10 {
        world.produce(conn, "small", 0, &plain_batch(4));
    }
    let (start, end) = world.cluster.offsets("small", 0).unwrap();
    assert_eq!((start, end), (32, 40), "two batches of 4 times 100 bytes fit");
}

#[test]
fn the_cluster_and_its_partitions_are_described() {
    let mut world = World::new(3);
    world.cluster.create_topic("b", 3, 1, &[]).unwrap();
    world.cluster.create_topic("a", 2, 1, &[]).unwrap();
    let now = world.now;
    world.cluster.broker_down(now, 3).unwrap();
    let conn = world.connect(1);
    for (version, shown) in [(0, 2), (1, 2), (2, 3)] {
        let request = DescribeClusterRequest {
            include_fenced_brokers: version == 2,
            endpoint_type: 1,
            ..Default::default()
        };
        let response: DescribeClusterResponse<'_> = world.call(conn, &request, version);
        assert_eq!((response.error_code, response.brokers.len()), (NONE, shown));
        assert_eq!(response.cluster_id, "milena-embedded-000000");
    }
    let mut cursor: Option<(String, i32)> = None;
    let mut seen = Vec::new();
    loop {
        let request = DescribeTopicPartitionsRequest {
            response_partition_limit: 2,
            cursor: cursor.as_ref().map(|(topic_name, index)| Cursor { topic_name, partition_index: *index }),
            ..Default::default()
        };
        let response: DescribeTopicPartitionsResponse<'_> = world.call(conn, &request, 0);
        for topic in &response.topics {
            seen.extend(topic.partitions.iter().map(|p| (topic.name.unwrap(), p.partition_index)));
        }
        cursor = response.next_cursor.map(|c| (c.topic_name.to_owned(), c.partition_index));
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2)]);
    let request = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: "nope" }],
        response_partition_limit: 10,
        cursor: None,
    };
    let response: DescribeTopicPartitionsResponse<'_> = world.call(conn, &request, 0);
    assert_eq!(response.topics[0].error_code, UNKNOWN_TOPIC_OR_PARTITION);
}
