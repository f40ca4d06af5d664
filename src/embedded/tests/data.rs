//! Producing and fetching.

use crate::embedded::errors::*;
use crate::embedded::testing::{batch, batch_with, plain_batch, produce_request, settings, World};
use crate::embedded::{BrokerVersion, ClusterSettings};
use crate::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use crate::protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use crate::protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, InitProducerIdRequest,
    InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, ProduceResponse,
};
use crate::protocol::{encode_request, ApiKey, Records, Uuid};
use crate::record::{BatchReader, Compression, ProducerState};
use bytes::Bytes;

fn fetch_request(topic: &str, offset: i64, min_bytes: i32, max_wait_ms: i32) -> FetchRequest<'_> {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    FetchRequest {
        max_wait_ms,
        min_bytes,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic { topic, partitions: vec![partition], ..Default::default() }],
        ..FetchRequest::default()
    }
}

/// Error code and base offsets of the batches.
fn fetched(response: &FetchResponse<'_>) -> (i16, Vec<i64>) {
    let p = &response.responses[0].partitions[0];
    let bytes = match &p.records {
        Some(Records::Slice(bytes)) => Bytes::copy_from_slice(bytes),
        _ => Bytes::new(),
    };
    (p.error_code, BatchReader::new(bytes, true).map(|b| b.unwrap().base_offset).collect())
}

fn one_topic(brokers: u32, partitions: i32) -> World {
    let mut world = World::new(brokers);
    world.cluster.create_topic("t", partitions, 1, &[]).unwrap();
    world
}

#[test]
fn what_is_produced_can_be_fetched() {
    let mut world = one_topic(1, 2);
    let conn = world.connect(1);
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(3)), (NONE, 0));
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(2)), (NONE, 3));
    assert_eq!(world.produce(conn, "t", 2, &plain_batch(2)), (UNKNOWN_TOPIC_OR_PARTITION, -1));
    assert_eq!(world.produce(conn, "u", 0, &plain_batch(2)), (UNKNOWN_TOPIC_OR_PARTITION, -1));
    for version in 4..=12 {
        let response: FetchResponse<'_> = world.call(conn, &fetch_request("t", 1, 1, 0), version);
        assert_eq!(fetched(&response), (NONE, vec![0, 3]));
        assert_eq!(response.responses[0].partitions[0].high_watermark, 5);
    }
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 5));
    assert_eq!(world.cluster.request_count(ApiKey::Fetch), 9);
}

#[test]
fn topic_ids_name_topics_in_new_versions() {
    let mut world = one_topic(1, 1);
    let conn = world.connect(1);
    let metadata: MetadataResponse<'_> =
        world.call(conn, &MetadataRequest { topics: None, ..Default::default() }, 13);
    let id = metadata.topics[0].topic_id;
    assert_ne!(id, Uuid::ZERO);
    let bytes = plain_batch(1);
    let mut request = produce_request("", 0, &bytes);
    request.topic_data[0].topic_id = id;
    let response: ProduceResponse<'_> = world.call(conn, &request, 13);
    assert_eq!(response.responses[0].partition_responses[0].error_code, NONE);
    assert_eq!(response.responses[0].topic_id, id);
    let mut request = fetch_request("", 0, 1, 0);
    request.topics[0].topic_id = id;
    for version in 13..=18 {
        let response: FetchResponse<'_> = world.call(conn, &request, version);
        assert_eq!(fetched(&response), (NONE, vec![0]));
    }
    request.topics[0].topic_id = Uuid([9; 16]);
    let response: FetchResponse<'_> = world.call(conn, &request, 18);
    assert_eq!(fetched(&response).0, UNKNOWN_TOPIC_ID);
}

#[test]
fn a_fetch_waits_for_records_or_its_time() {
    let mut world = one_topic(1, 1);
    let (consumer, producer) = (world.connect(1), world.connect(1));
    world.send(consumer, &fetch_request("t", 0, 1, 500), 12);
    // What comes behind it on the connection waits, too.
    world.send(consumer, &fetch_request("t", 0, 0, 500), 12);
    world.pass_ms(499);
    assert!(world.frame(consumer).is_none());
    world.pass_ms(1);
    let response: FetchResponse<'_> = world.answer(consumer, 12).unwrap();
    assert_eq!(fetched(&response), (NONE, vec![]));
    assert!(world.answer::<FetchResponse<'_>>(consumer, 12).is_some());

    let size = plain_batch(1).len() as i32;
    world.send(consumer, &fetch_request("t", 0, size + 1, 500), 12);
    world.produce(producer, "t", 0, &plain_batch(1));
    assert!(world.frame(consumer).is_none(), "fewer than min.bytes");
    world.produce(producer, "t", 0, &plain_batch(1));
    let response: FetchResponse<'_> = world.answer(consumer, 12).unwrap();
    assert_eq!(fetched(&response), (NONE, vec![0, 1]));
}

#[test]
fn limits_are_kept_but_one_batch_always_comes() {
    let mut world = one_topic(1, 2);
    let conn = world.connect(1);
    for partition in [0, 0, 1] {
        world.produce(conn, "t", partition, &plain_batch(10));
    }
    let mut request = fetch_request("t", 0, 1, 0);
    request.max_bytes = 5;
    let other = FetchPartition { partition: 1, ..request.topics[0].partitions[0].clone() };
    request.topics[0].partitions.push(other);
    let response: FetchResponse<'_> = world.call(conn, &request, 12);
    assert_eq!(fetched(&response), (NONE, vec![0]));
    assert_eq!(response.responses[0].partitions[1].records, Some(Records::Slice(&[])));
    request.max_bytes = i32::MAX;
    request.topics[0].partitions[0].partition_max_bytes = 5;
    let response: FetchResponse<'_> = world.call(conn, &request, 12);
    assert_eq!(fetched(&response), (NONE, vec![0]));
    assert!(matches!(response.responses[0].partitions[1].records, Some(Records::Slice(b)) if !b.is_empty()));
}

#[test]
fn wrong_offsets_epochs_leaders_and_sessions_are_told() {
    let mut world = one_topic(2, 1);
    let leader = world.cluster.leader("t", 0).unwrap().0;
    let (conn, other) = (world.connect(leader), world.connect(3 - leader));
    let code = |world: &mut World, conn, request: &FetchRequest<'_>| {
        fetched(&world.call::<_, FetchResponse<'_>>(conn, request, 12)).0
    };
    assert_eq!(code(&mut world, conn, &fetch_request("t", 1, 1, 500)), OFFSET_OUT_OF_RANGE);
    assert_eq!(code(&mut world, conn, &fetch_request("t", -1, 1, 500)), OFFSET_OUT_OF_RANGE);
    assert_eq!(code(&mut world, other, &fetch_request("t", 0, 1, 500)), NOT_LEADER_OR_FOLLOWER);
    let now = world.now;
    world.cluster.move_leader(now, "t", 0, leader).unwrap();
    assert_eq!(world.cluster.leader("t", 0).unwrap(), (leader, 0), "it leads already");
    world.cluster.move_leader(now, "t", 0, 3 - leader).unwrap();
    world.cluster.move_leader(now, "t", 0, leader).unwrap();
    let mut request = fetch_request("t", 0, 1, 500);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    assert_eq!(code(&mut world, conn, &request), FENCED_LEADER_EPOCH);
    request.topics[0].partitions[0].current_leader_epoch = 3;
    assert_eq!(code(&mut world, conn, &request), UNKNOWN_LEADER_EPOCH);
    request.session_id = 5;
    let response: FetchResponse<'_> = world.call(conn, &request, 12);
    assert_eq!(response.error_code, FETCH_SESSION_ID_NOT_FOUND);
    let request = FetchRequest { session_epoch: 0, ..fetch_request("t", 0, 1, 0) };
    let response: FetchResponse<'_> = world.call(conn, &request, 12);
    assert_eq!((response.error_code, response.session_id), (NONE, 0));
}

#[test]
fn a_leader_that_moves_ends_the_wait_and_is_named() {
    let mut world = one_topic(2, 1);
    let (leader, epoch) = world.cluster.leader("t", 0).unwrap();
    let conn = world.connect(leader);
    let id = world.call::<_, MetadataResponse<'_>>(
        conn,
        &MetadataRequest { topics: None, ..Default::default() },
        12,
    );
    let mut request = fetch_request("", 0, 1, 60_000);
    request.topics[0].topic_id = id.topics[0].topic_id;
    world.send(conn, &request, 16);
    let now = world.now;
    world.cluster.move_leader(now, "t", 0, 3 - leader).unwrap();
    let response: FetchResponse<'_> = world.answer(conn, 16).unwrap();
    let p = &response.responses[0].partitions[0];
    assert_eq!(p.error_code, NOT_LEADER_OR_FOLLOWER);
    assert_eq!((p.current_leader.leader_id, p.current_leader.leader_epoch), (3 - leader, epoch + 1));
    assert_eq!(response.node_endpoints[0].node_id, 3 - leader);
    let produced = produce_request("t", 0, &[]);
    let response: ProduceResponse<'_> = world.call(conn, &produced, 10);
    let p = &response.responses[0].partition_responses[0];
    assert_eq!((p.error_code, p.current_leader.leader_id), (NOT_LEADER_OR_FOLLOWER, 3 - leader));
    assert_eq!(response.node_endpoints.len(), 1);
}

#[test]
fn a_log_that_diverged_is_told() {
    let mut world = one_topic(1, 1);
    let conn = world.connect(1);
    world.produce(conn, "t", 0, &plain_batch(5));
    let mut request = fetch_request("t", 5, 1, 500);
    request.topics[0].partitions[0].last_fetched_epoch = 0;
    request.topics[0].partitions[0].fetch_offset = 7;
    let response: FetchResponse<'_> = world.call(conn, &request, 12);
    let p = &response.responses[0].partitions[0];
    assert_eq!((p.error_code, p.diverging_epoch.epoch, p.diverging_epoch.end_offset), (NONE, 0, 5));
}

#[test]
fn a_repeated_batch_is_stored_once_and_answered_with_its_offset() {
    let mut world = one_topic(1, 1);
    let conn = world.connect(1);
    let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
    let id: InitProducerIdResponse = world.call(conn, &request, 4);
    let next: InitProducerIdResponse = world.call(conn, &request, 0);
    assert_eq!((id.error_code, id.producer_epoch), (NONE, 0));
    assert_ne!(id.producer_id, next.producer_id);
    let first = batch(3, id.producer_id, 0, 0).1;
    let second = batch(2, id.producer_id, 0, 3).1;
    assert_eq!(world.produce(conn, "t", 0, &first), (NONE, 0));
    assert_eq!(world.produce(conn, "t", 0, &second), (NONE, 3));
    assert_eq!(world.produce(conn, "t", 0, &first), (NONE, 0));
    assert_eq!(world.produce(conn, "t", 0, &second), (NONE, 3));
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 5));
    let gap = batch(1, id.producer_id, 0, 9).1;
    assert_eq!(world.produce(conn, "t", 0, &gap), (OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    let refused: InitProducerIdResponse =
        world.call(conn, &InitProducerIdRequest { transactional_id: Some("tx"), ..Default::default() }, 4);
    assert_eq!(refused.error_code, UNSUPPORTED_VERSION);
}

#[test]
fn bad_batches_are_refused_and_leave_no_trace() {
    let mut world = one_topic(1, 1);
    let conn = world.connect(1);
    let good = plain_batch(3);
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(world.produce(conn, "t", 0, &Bytes::from(flipped)).0, CORRUPT_MESSAGE);
    assert_eq!(world.produce(conn, "t", 0, &good.slice(..good.len() - 1)).0, INVALID_RECORD);
    assert_eq!(world.produce(conn, "t", 0, &Bytes::new()).0, INVALID_RECORD);
    let two = Bytes::from([&good[..], &good[..]].concat());
    assert_eq!(world.produce(conn, "t", 0, &two).0, INVALID_RECORD);
    let mut magic = good.to_vec();
    magic[16] = 3;
    assert_eq!(world.produce(conn, "t", 0, &Bytes::from(magic)).0, CORRUPT_MESSAGE);
    let control = ProducerState { control: true, ..ProducerState::NONE };
    let control = batch_with(1, Compression::None, control, 0);
    assert_eq!(world.produce(conn, "t", 0, &control).0, INVALID_RECORD);
    // A header that promises more records than there are, with a checksum that is right.
    let mut more = good.to_vec();
    more[57..61].copy_from_slice(&4i32.to_be_bytes());
    more[23..27].copy_from_slice(&3i32.to_be_bytes());
    let crc = crc32c::crc32c(&more[21..]);
    more[17..21].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(world.produce(conn, "t", 0, &Bytes::from(more)).0, INVALID_RECORD);
    let large = batch_with(20_000, Compression::None, ProducerState::NONE, 0);
    assert_eq!(world.produce(conn, "t", 0, &large).0, MESSAGE_TOO_LARGE);
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 0));
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let state = ProducerState::NONE;
        assert_eq!(world.produce(conn, "t", 0, &batch_with(5, codec, state, 0)).0, NONE);
    }
    let zstd = batch_with(1, Compression::Zstd, ProducerState::NONE, 0);
    let response: ProduceResponse<'_> = world.call(conn, &produce_request("t", 0, &zstd), 6);
    assert_eq!(response.responses[0].partition_responses[0].error_code, UNSUPPORTED_COMPRESSION_TYPE);
}

#[test]
fn acks_decide_about_the_answer() {
    let mut world = World::new(3);
    world.cluster.create_topic("t", 1, 3, &[("min.insync.replicas", "2")]).unwrap();
    let leader = world.cluster.leader("t", 0).unwrap().0;
    let conn = world.connect(leader);
    let bytes = plain_batch(1);
    let mut request = produce_request("t", 0, &bytes);
    request.acks = 0;
    world.send(conn, &request, 9);
    assert!(world.frame(conn).is_none());
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 1));
    let now = world.now;
    for broker in (1..=3).filter(|b| *b != leader) {
        world.cluster.broker_down(now, broker).unwrap();
    }
    assert_eq!(world.produce(conn, "t", 0, &bytes), (NOT_ENOUGH_REPLICAS, -1));
    request.acks = 1;
    world.call::<_, ProduceResponse<'_>>(conn, &request, 9);
    assert_eq!(world.cluster.offsets("t", 0).unwrap(), (0, 2));
    request.acks = 2;
    let response: ProduceResponse<'_> = world.call(conn, &request, 9);
    assert_eq!(response.responses[0].partition_responses[0].error_code, INVALID_REQUIRED_ACKS);
    request.acks = 0;
    request.topic_data[0].name = "nowhere";
    world.send(conn, &request, 9);
    assert_eq!(world.closed, [conn], "an error that can't be told closes the connection");
}

#[test]
fn offsets_are_listed() {
    let mut world = one_topic(1, 1);
    let conn = world.connect(1);
    world.produce(conn, "t", 0, &batch_with(5, Compression::Lz4, ProducerState::NONE, 1_000));
    world.produce(conn, "t", 0, &batch_with(5, Compression::None, ProducerState::NONE, 2_000));
    let now = world.now;
    world.cluster.delete_records(now, "t", 0, 2).unwrap();
    let mut list = |timestamp, version| {
        let partition = ListOffsetsPartition { timestamp, ..Default::default() };
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic { name: "t", partitions: vec![partition] }],
            ..Default::default()
        };
        let response: ListOffsetsResponse<'_> = world.call(conn, &request, version);
        let p = &response.topics[0].partitions[0];
        (p.error_code, p.offset, p.timestamp)
    };
    for version in 1..=11 {
        assert_eq!(list(-1, version), (NONE, 10, -1));
        assert_eq!(list(-2, version), (NONE, 2, -1));
        assert_eq!(list(1_003, version), (NONE, 3, 1_003));
    }
    assert_eq!(list(0, 7), (NONE, 2, 1_002));
    assert_eq!(list(-3, 7), (NONE, 9, 2_004));
    assert_eq!(list(-3, 6), (UNSUPPORTED_VERSION, -1, -1));
    assert_eq!(list(9_999, 7), (NONE, -1, -1));
}

#[test]
fn the_end_of_an_epoch_is_told() {
    use crate::protocol::messages::offset_for_leader_epoch_request::{
        OffsetForLeaderPartition, OffsetForLeaderTopic,
    };
    let mut world = World::new(2);
    world.cluster.create_topic("t", 1, 2, &[]).unwrap();
    let leader = world.cluster.leader("t", 0).unwrap().0;
    let conn = world.connect(leader);
    world.produce(conn, "t", 0, &plain_batch(4));
    let now = world.now;
    world.cluster.move_leader(now, "t", 0, 3 - leader).unwrap();
    let conn = world.connect(3 - leader);
    let asked = OffsetForLeaderPartition { leader_epoch: 0, current_leader_epoch: 1, ..Default::default() };
    let request = OffsetForLeaderEpochRequest {
        topics: vec![OffsetForLeaderTopic { topic: "t", partitions: vec![asked] }],
        ..Default::default()
    };
    for version in 2..=4 {
        let response: OffsetForLeaderEpochResponse<'_> = world.call(conn, &request, version);
        let p = &response.topics[0].partitions[0];
        assert_eq!((p.error_code, p.leader_epoch, p.end_offset), (NONE, 0, 4));
    }
}

#[test]
fn versions_are_offered_and_unknown_ones_are_answered() {
    let mut world = World::new(1);
    let conn = world.connect(1);
    let request = ApiVersionsRequest {
        client_software_name: "test",
        client_software_version: "1.0",
        ..Default::default()
    };
    for version in 0..=5 {
        let response: ApiVersionsResponse<'_> = world.call(conn, &request, version);
        assert_eq!(response.error_code, NONE);
        let row = |api: ApiKey| response.api_keys.iter().find(|k| k.api_key == api as i16).unwrap();
        assert_eq!((row(ApiKey::Fetch).min_version, row(ApiKey::Fetch).max_version), (4, 18));
    }
    let nameless: ApiVersionsResponse<'_> = world.call(conn, &ApiVersionsRequest::default(), 3);
    assert_eq!(nameless.error_code, INVALID_REQUEST);
    let elsewhere = ApiVersionsRequest { cluster_id: Some("other"), node_id: 1, ..request.clone() };
    let response: ApiVersionsResponse<'_> = world.call(conn, &elsewhere, 5);
    assert_eq!(response.error_code, REBOOTSTRAP_REQUIRED);
    // A version from the future: the answer is in version 0.
    let mut frame = encode_request(&request, 5, 77, None).unwrap().concat();
    frame[6..8].copy_from_slice(&99i16.to_be_bytes());
    world.raw(conn, &frame[4..]);
    let response: ApiVersionsResponse<'_> = world.answer(conn, 0).unwrap();
    assert_eq!((response.error_code, response.api_keys.len()), (UNSUPPORTED_VERSION, 1));
    assert_eq!(response.api_keys[0].max_version, 5);
}

#[test]
fn an_old_broker_refuses_what_it_does_not_know() {
    let mut world = World::with(ClusterSettings { version: BrokerVersion::V1_1, ..settings(1) });
    world.cluster.create_topic("t", 1, 1, &[]).unwrap();
    let conn = world.connect(1);
    let response: ApiVersionsResponse<'_> = world.call(conn, &ApiVersionsRequest::default(), 1);
    assert!(response.api_keys.iter().all(|k| k.api_key != ApiKey::DescribeCluster as i16));
    let fetched: FetchResponse<'_> = world.call(conn, &fetch_request("t", 0, 0, 0), 7);
    assert_eq!(fetched.error_code, NONE);
    world.send(conn, &fetch_request("t", 0, 0, 0), 8);
    assert_eq!(world.closed, [conn]);
}

#[test]
fn garbage_closes_the_connection_and_nothing_else() {
    let mut world = one_topic(1, 1);
    let good = encode_request(&fetch_request("t", 0, 0, 0), 12, 1, Some("x")).unwrap().concat();
    let frame = &good[4..];
    for end in 0..frame.len() {
        let conn = world.connect(1);
        world.raw(conn, &frame[..end]);
        assert_eq!(world.closed.pop(), Some(conn), "cut at {end}");
    }
    let conn = world.connect(1);
    world.raw(conn, &[frame, &[0]].concat());
    assert!(world.closed.is_empty(), "bytes behind the request are ignored");
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let conn = world.connect(1);
        let mut noise: Vec<u8> = frame.to_vec();
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(..noise.len());
            noise[at] = rng.u8(..);
        }
        world.raw(conn, &noise);
        let now = world.now;
        world.cluster.on_disconnect(now, conn);
    }
    let conn = world.connect(1);
    assert_eq!(world.produce(conn, "t", 0, &plain_batch(1)), (NONE, 0));
}
