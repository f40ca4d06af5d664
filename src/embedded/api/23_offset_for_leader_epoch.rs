//! OffsetForLeaderEpoch (23): versions 0 to 4 (from 2 on as a 4.x broker).
//!
//! Where an epoch ended in the log: how a consumer finds out that records it has read are gone (KIP-320).

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use crate::protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use crate::protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

pub(super) fn handle(call: &mut Call<'_>, request: OffsetForLeaderEpochRequest<'_>) -> Reply {
    let call = &*call;
    let topics = request.topics.iter().map(|topic| OffsetForLeaderTopicResult {
        topic: topic.topic,
        partitions: topic.partitions.iter().map(|p| answer(call, topic.topic, p)).collect(),
    });
    let topics = topics.collect();
    call.reply(&OffsetForLeaderEpochResponse { topics, ..OffsetForLeaderEpochResponse::default() })
}

fn answer(call: &Call<'_>, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let found = match call.fault(topic, asked.partition) {
        Some(code) => Err(code),
        None => find(call, topic, asked),
    };
    let (leader_epoch, end_offset) = found.unwrap_or((-1, -1));
    EpochEndOffset {
        error_code: found.err().unwrap_or(NONE),
        partition: asked.partition,
        leader_epoch,
        end_offset,
    }
}

fn find(call: &Call<'_>, topic: &str, asked: &OffsetForLeaderPartition) -> Result<(i32, i64), i16> {
    let (_, partition) = call.world.led_by(call.broker, TopicRef::Name(topic), asked.partition)?;
    partition.check_epoch(asked.current_leader_epoch)?;
    Ok(partition.log.end_of_epoch(asked.leader_epoch))
}
