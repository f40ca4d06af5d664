//! ListOffsets (2): versions 1 to 11.
//!
//! Timestamp -1 is the end, -2 and -4 the start of the log, -3 the record with the latest timestamp; tiered
//! storage (-5, -6) is there with nothing in it. Any other timestamp finds the first record that is not older.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::log::{PartitionLog, TimestampOffset};
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::list_offsets_request::ListOffsetsPartition;
use crate::protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use crate::protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

pub(super) fn handle(call: &mut Call<'_>, request: ListOffsetsRequest<'_>) -> Reply {
    let topics = request.topics.iter().map(|topic| ListOffsetsTopicResponse {
        name: topic.name,
        partitions: topic.partitions.iter().map(|p| list(call, topic.name, p)).collect(),
    });
    let topics = topics.collect();
    call.reply(&ListOffsetsResponse { topics, ..ListOffsetsResponse::default() })
}

fn list(call: &Call<'_>, topic: &str, asked: &ListOffsetsPartition) -> ListOffsetsPartitionResponse {
    let mut response = ListOffsetsPartitionResponse {
        partition_index: asked.partition_index,
        ..ListOffsetsPartitionResponse::default()
    };
    let found = match call.fault(topic, asked.partition_index) {
        Some(code) => Err(code),
        None => find(call, topic, asked),
    };
    match found {
        Ok((found, leader_epoch)) => {
            response.timestamp = found.timestamp;
            response.offset = found.offset;
            if call.version >= 4 {
                response.leader_epoch = leader_epoch;
            }
        }
        Err(code) => response.error_code = code,
    }
    response
}

fn find(call: &Call<'_>, topic: &str, asked: &ListOffsetsPartition) -> Result<(TimestampOffset, i32), i16> {
    let (_, partition) = call.world.led_by(call.broker, TopicRef::Name(topic), asked.partition_index)?;
    partition.check_epoch(asked.current_leader_epoch)?;
    let least_version = match asked.timestamp {
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_TIERED => 9,
        EARLIEST_PENDING_UPLOAD => 11,
        t if t < EARLIEST_PENDING_UPLOAD => i16::MAX,
        _ => 0,
    };
    if call.version < least_version {
        return Err(UNSUPPORTED_VERSION);
    }
    let log = &partition.log;
    let found = search(log, asked.timestamp);
    let epoch = match found.offset {
        offset if offset < 0 => -1,
        offset if offset == log.end() => partition.leader_epoch,
        offset => log.epoch_at(offset),
    };
    Ok((found, epoch))
}

fn search(log: &PartitionLog, timestamp: i64) -> TimestampOffset {
    let at = |offset| TimestampOffset { timestamp: -1, offset };
    match timestamp {
        LATEST => at(log.end()),
        EARLIEST | EARLIEST_LOCAL => at(log.start()),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => at(-1),
        MAX_TIMESTAMP => log.at_max_timestamp().unwrap_or_else(|| at(-1)),
        _ => log.at_timestamp(timestamp).unwrap_or_else(|| at(-1)),
    }
}
