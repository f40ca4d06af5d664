//! Fetch (1): versions 4 to 18; 13 and newer name topics by id.
//!
//! Answers at once when there are `min_bytes`, when a partition has an error, or when `max_wait_ms` is 0; else it
//! waits for appends and for changes of leaders. The first batch that is found comes whole, whatever the limits;
//! the last one may be cut off by them. Fetch sessions (7 and newer) are declined: the answer to a request for a
//! new session has session id 0, and any other id gets FETCH_SESSION_ID_NOT_FOUND. There are no transactions, so
//! the last stable offset is the high watermark. Fetching is from the leader only.

use crate::embedded::call::{Call, Outcome, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::{Partition, TopicRef};
use crate::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use crate::protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use crate::protocol::messages::{FetchRequest, FetchResponse};
use crate::protocol::Records;
use bytes::Bytes;

/// What one partition answers.
struct Fetched {
    data: PartitionData<'static>,
    segments: Vec<Bytes>,
}

/// What was found so far, for all partitions.
#[derive(Default)]
struct Found {
    bytes: usize,
    /// An error or a divergence is reason enough to answer.
    urgent: bool,
    /// The leaders that are named in answers.
    leaders: Vec<i32>,
}

pub(super) fn handle(call: &mut Call<'_>, request: FetchRequest<'_>) -> Reply {
    if let Some(error_code) = session_error(call, &request) {
        return call.reply(&FetchResponse { error_code, ..FetchResponse::default() });
    }
    let most = call.world.settings.fetch_max_bytes.min(request.max_bytes);
    let most = usize::try_from(most).unwrap_or(0);
    let mut found = Found::default();
    let mut fetched: Vec<Vec<Fetched>> = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let partitions = topic.partitions.iter();
        fetched.push(partitions.map(|p| fetch_partition(call, topic, p, most, &mut found)).collect());
    }
    let wait = u64::try_from(request.max_wait_ms).unwrap_or(0);
    let until = call.waited_until.unwrap_or_else(|| call.now.mono.plus_ms(wait));
    let enough = found.bytes >= usize::try_from(request.min_bytes).unwrap_or(0);
    let nothing_to_wait_for = request.topics.iter().all(|t| t.partitions.is_empty());
    if !enough && !found.urgent && !nothing_to_wait_for && until > call.now.mono {
        wait_for(call, &request);
        return Ok(Outcome::Wait(Some(until)));
    }
    answer(call, &request, &fetched, &found)
}

/// No session is ever made, so only requests outside a session and those for a new one are right.
fn session_error(call: &Call<'_>, request: &FetchRequest<'_>) -> Option<i16> {
    if request.session_id != 0 {
        return Some(FETCH_SESSION_ID_NOT_FOUND);
    }
    // Codes of the whole request; all others go to the partitions.
    call.fault_at_all().filter(|code| matches!(code, 70 | 71 | 106))
}

fn fetch_partition(
    call: &Call<'_>,
    topic: &FetchTopic<'_>,
    asked: &FetchPartition,
    most: usize,
    found: &mut Found,
) -> Fetched {
    let at = TopicRef::new(call.version >= 13, topic.topic, topic.topic_id);
    let name = call.world.topics.find(at).map_or(topic.topic, |t| &t.name);
    let mut data = PartitionData { partition_index: asked.partition, ..nothing() };
    let led = match call.fault(name, asked.partition) {
        Some(code) => Err(code),
        None => call.world.led_by(call.broker, at, asked.partition),
    };
    let partition = led.and_then(|(_, p)| p.check_epoch(asked.current_leader_epoch).map(|()| p));
    let result = partition.and_then(|p| read(call, p, asked, most, found, &mut data));
    let segments = result.unwrap_or_else(|code| {
        data = PartitionData { partition_index: asked.partition, error_code: code, ..nothing() };
        if matches!(code, UNKNOWN_TOPIC_OR_PARTITION | UNKNOWN_TOPIC_ID) {
            data.aborted_transactions = Some(Vec::new());
        }
        found.urgent = true;
        Vec::new()
    });
    let unknown_leader = matches!(data.error_code, NOT_LEADER_OR_FOLLOWER | FENCED_LEADER_EPOCH);
    if unknown_leader && call.version >= 12 {
        if let Ok(p) = call.world.topics.find(at).and_then(|t| t.partition(asked.partition)) {
            data.current_leader = LeaderIdAndEpoch { leader_id: p.leader, leader_epoch: p.leader_epoch };
            found.leaders.push(p.leader);
        }
    }
    Fetched { data, segments }
}

/// What an answer with an error says.
fn nothing() -> PartitionData<'static> {
    PartitionData { high_watermark: -1, aborted_transactions: None, ..PartitionData::default() }
}

fn read(
    call: &Call<'_>,
    partition: &Partition,
    asked: &FetchPartition,
    most: usize,
    found: &mut Found,
    data: &mut PartitionData<'_>,
) -> Result<Vec<Bytes>, i16> {
    let log = &partition.log;
    data.high_watermark = log.end();
    data.last_stable_offset = log.end();
    data.log_start_offset = log.start();
    if asked.last_fetched_epoch >= 0 {
        let (epoch, end_offset) = log.end_of_epoch(asked.last_fetched_epoch);
        if epoch < 0 {
            return Err(OFFSET_OUT_OF_RANGE);
        }
        if epoch < asked.last_fetched_epoch || end_offset < asked.fetch_offset {
            data.diverging_epoch = EpochEndOffset { epoch, end_offset };
            found.urgent = true;
            return Ok(Vec::new());
        }
    }
    if asked.fetch_offset < log.start() || asked.fetch_offset > log.end() {
        return Err(OFFSET_OUT_OF_RANGE);
    }
    let own = usize::try_from(asked.partition_max_bytes).unwrap_or(0);
    let limit = own.min(most.saturating_sub(found.bytes));
    let result = log.read(asked.fetch_offset, limit, found.bytes == 0);
    if result.zstd && call.version < 10 {
        return Err(UNSUPPORTED_COMPRESSION_TYPE);
    }
    found.bytes = found.bytes.saturating_add(result.bytes);
    Ok(result.segments)
}

/// Lets the partitions of the request know who waits.
fn wait_for(call: &mut Call<'_>, request: &FetchRequest<'_>) {
    for topic in &request.topics {
        let at = TopicRef::new(call.version >= 13, topic.topic, topic.topic_id);
        let Ok(found) = call.world.topics.find_mut(at) else { continue };
        for asked in &topic.partitions {
            if let Ok(partition) = found.partition_mut(asked.partition) {
                partition.wait(call.ticket);
            }
        }
    }
}

fn answer(call: &Call<'_>, request: &FetchRequest<'_>, fetched: &[Vec<Fetched>], found: &Found) -> Reply {
    let topics = request.topics.iter().zip(fetched).map(|(topic, partitions)| FetchableTopicResponse {
        topic: topic.topic,
        topic_id: topic.topic_id,
        partitions: partitions
            .iter()
            .map(|p| PartitionData { records: Some(Records::Shared(&p.segments)), ..p.data.clone() })
            .collect(),
    });
    let world = &*call.world;
    let named = |id: i32| call.version >= 16 && found.leaders.contains(&id);
    let node_endpoints = world.up().filter(|b| named(b.id)).map(|b| NodeEndpoint {
        node_id: b.id,
        host: &world.settings.host,
        port: i32::from(b.port),
        rack: world.rack(b.id),
    });
    call.reply(&FetchResponse {
        responses: topics.collect(),
        node_endpoints: node_endpoints.collect(),
        ..FetchResponse::default()
    })
}
