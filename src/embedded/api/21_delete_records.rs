//! DeleteRecords (21): versions 0 to 2.
//!
//! Moves the start of the log; -1 moves it to the end. Batches that lie wholly before it are forgotten.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use crate::protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

pub(super) fn handle(call: &mut Call<'_>, request: DeleteRecordsRequest<'_>) -> Reply {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let result = delete(call, topic.name, partition.partition_index, partition.offset);
            partitions.push(DeleteRecordsPartitionResult {
                partition_index: partition.partition_index,
                low_watermark: result.unwrap_or(-1),
                error_code: result.err().unwrap_or(NONE),
            });
        }
        topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
    }
    call.reply(&DeleteRecordsResponse { topics, ..DeleteRecordsResponse::default() })
}

fn delete(call: &mut Call<'_>, topic: &str, index: i32, offset: i64) -> Result<i64, i16> {
    if let Some(code) = call.fault(topic, index) {
        return Err(code);
    }
    let at = TopicRef::Name(topic);
    call.world.led_by(call.broker, at, index)?;
    let log = &mut call.world.topics.find_mut(at)?.partition_mut(index)?.log;
    let offset = if offset == -1 { log.end() } else { offset };
    if offset < 0 || offset > log.end() {
        return Err(OFFSET_OUT_OF_RANGE);
    }
    log.delete_before(offset);
    Ok(log.start())
}
