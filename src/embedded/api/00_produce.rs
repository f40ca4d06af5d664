//! Produce (0): versions 3 to 13; 13 names topics by id.
//!
//! A batch is checked as a broker does it (checksum, format, size, records, sequence of an idempotent producer)
//! and appended as it is. A batch that was appended before is answered with its first offset and no error. With
//! acks=0 there is no answer, and an error closes the connection. There are no transactions.

use crate::embedded::call::{Call, Outcome, Reply};
use crate::embedded::errors::*;
use crate::embedded::producers::Verdict;
use crate::embedded::topics::TopicRef;
use crate::embedded::validate::{one_batch, Invalid};
use crate::protocol::messages::produce_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use crate::protocol::messages::{ProduceRequest, ProduceResponse};
use crate::protocol::Records;
use bytes::Bytes;

struct Appended {
    base_offset: i64,
    log_append_time_ms: i64,
    log_start_offset: i64,
}

pub(super) fn handle(call: &mut Call<'_>, request: ProduceRequest<'_>) -> Reply {
    let by_id = call.version >= 13;
    let mut failed = false;
    let mut moved = Vec::new();
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic in &request.topic_data {
        let at = TopicRef::new(by_id, topic.name, topic.topic_id);
        let name = call.world.topics.find(at).map_or_else(|_| topic.name.to_owned(), |t| t.name.clone());
        let mut partitions = Vec::with_capacity(topic.partition_data.len());
        for partition in &topic.partition_data {
            let records = match &partition.records {
                Some(Records::Slice(bytes)) => call.frame.slice_ref(bytes),
                _ => Bytes::new(),
            };
            let result = faulty_append(call, at, &name, partition.index, request.acks, &records);
            failed |= result.is_err();
            let mut response = partition_response(partition.index, result);
            if response.error_code == NOT_LEADER_OR_FOLLOWER && call.version >= 10 {
                response.current_leader = current_leader(call, at, partition.index);
                moved.push(response.current_leader.leader_id);
            }
            partitions.push(response);
        }
        responses.push(TopicProduceResponse {
            name: topic.name,
            topic_id: topic.topic_id,
            partition_responses: partitions,
        });
    }
    if request.acks == 0 {
        return Ok(if failed { Outcome::Close } else { Outcome::NoAnswer });
    }
    let world = &*call.world;
    let endpoint = |b: &crate::embedded::world::Broker| NodeEndpoint {
        node_id: b.id,
        host: &world.settings.host,
        port: i32::from(b.port),
        rack: world.rack(b.id),
    };
    let node_endpoints = world.up().filter(|b| moved.contains(&b.id)).map(endpoint).collect();
    call.reply(&ProduceResponse { responses, node_endpoints, ..ProduceResponse::default() })
}

fn partition_response(index: i32, result: Result<Appended, Invalid>) -> PartitionProduceResponse<'static> {
    match result {
        Ok(appended) => PartitionProduceResponse {
            index,
            base_offset: appended.base_offset,
            log_append_time_ms: appended.log_append_time_ms,
            log_start_offset: appended.log_start_offset,
            ..PartitionProduceResponse::default()
        },
        Err(Invalid { code, why, log_start_offset }) => PartitionProduceResponse {
            index,
            error_code: code,
            base_offset: -1,
            log_start_offset,
            error_message: why,
            ..PartitionProduceResponse::default()
        },
    }
}

fn current_leader(call: &Call<'_>, topic: TopicRef<'_>, index: i32) -> LeaderIdAndEpoch {
    let found = call.world.topics.find(topic).and_then(|t| t.partition(index));
    found.map_or_else(
        |_| LeaderIdAndEpoch::default(),
        |p| LeaderIdAndEpoch { leader_id: p.leader, leader_epoch: p.leader_epoch },
    )
}

/// Appends, unless the script says otherwise. The two errors that say nothing about the append leave it done.
fn faulty_append(
    call: &mut Call<'_>,
    topic: TopicRef<'_>,
    name: &str,
    index: i32,
    acks: i16,
    records: &Bytes,
) -> Result<Appended, Invalid> {
    match call.fault(name, index) {
        Some(code @ (REQUEST_TIMED_OUT | NOT_ENOUGH_REPLICAS_AFTER_APPEND)) => {
            append(call, topic, index, acks, records)?;
            Err(code.into())
        }
        Some(code) => Err(code.into()),
        None => append(call, topic, index, acks, records),
    }
}

fn append(
    call: &mut Call<'_>,
    topic: TopicRef<'_>,
    index: i32,
    acks: i16,
    records: &Bytes,
) -> Result<Appended, Invalid> {
    if !(-1..=1).contains(&acks) {
        return Err(INVALID_REQUIRED_ACKS.into());
    }
    let (found, partition) = call.world.led_by(call.broker, topic, index)?;
    if acks == -1 && call.world.in_sync(partition).len() < found.config.min_insync_replicas {
        return Err(NOT_ENOUGH_REPLICAS.into());
    }
    let batch = one_batch(records, call.version, found.config.max_message_bytes(), partition.log.start())?;
    let append_time = found.config.append_time.then_some(call.now.wall_ms);
    let retention = u64::try_from(found.config.retention_bytes).ok();
    let found = call.world.topics.find_mut(topic)?;
    let partition = found.partition_mut(index)?;
    match partition.producers.check(&batch) {
        Verdict::Refuse(code) => Err(Invalid { log_start_offset: partition.log.start(), ..code.into() }),
        Verdict::Duplicate { base_offset, timestamp } => Ok(Appended {
            base_offset,
            log_append_time_ms: timestamp,
            log_start_offset: partition.log.start(),
        }),
        Verdict::Append => {
            // What lies behind the batch is the beginning of another that was cut off: Kafka lets it go, too.
            let bytes = records.get(..batch.size).unwrap_or_default();
            let base_offset = partition.log.append(&batch, bytes, partition.leader_epoch, append_time);
            let log_append_time_ms = append_time.unwrap_or(-1);
            partition.producers.appended(&batch, base_offset, append_time.unwrap_or(batch.max_timestamp));
            if let Some(limit) = retention {
                partition.log.retain_bytes(limit);
            }
            let log_start_offset = partition.log.start();
            call.world.woken.append(&mut partition.waiting);
            Ok(Appended { base_offset, log_append_time_ms, log_start_offset })
        }
    }
}
