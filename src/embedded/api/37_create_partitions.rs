//! CreatePartitions (37): versions 0 to 3.
//!
//! Raises the number of partitions of a topic; the new ones are there when the answer is.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::world::Refusal;
use crate::protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use crate::protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

pub(super) fn handle(call: &mut Call<'_>, request: CreatePartitionsRequest<'_>) -> Reply {
    let mut done: Vec<Result<(), Refusal>> = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let assignment = topic.assignments.as_ref();
        let assignment = assignment.map(|a| a.iter().map(|a| a.broker_ids.clone()).collect());
        done.push(match call.fault_of(topic.name) {
            Some(code) => Err((code, String::new())),
            None => call.world.create_partitions(topic.name, topic.count, assignment, request.validate_only),
        });
    }
    let results = request.topics.iter().zip(&done).map(|(topic, result)| CreatePartitionsTopicResult {
        name: topic.name,
        error_code: result.as_ref().err().map_or(NONE, |e| e.0),
        error_message: result.as_ref().err().map(|e| e.1.as_str()).filter(|text| !text.is_empty()),
    });
    let results = results.collect();
    call.reply(&CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() })
}
