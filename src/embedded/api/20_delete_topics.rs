//! DeleteTopics (20): versions 0 to 6 (from 1 on as a 4.x broker); 6 names topics by name or id.
//!
//! The topic, its records, and what groups committed for it are gone at once.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::topics::TopicRef;
use crate::protocol::messages::delete_topics_response::DeletableTopicResult;
use crate::protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use crate::protocol::Uuid;

pub(super) fn handle(call: &mut Call<'_>, request: DeleteTopicsRequest<'_>) -> Reply {
    let by_name = request.topic_names.iter().map(|name| TopicRef::Name(name));
    let either = request.topics.iter().map(|t| t.name.map_or(TopicRef::Id(t.topic_id), TopicRef::Name));
    let wanted: Vec<TopicRef<'_>> = by_name.chain(either).collect();
    let mut done = Vec::with_capacity(wanted.len());
    for at in &wanted {
        done.push(delete(call, *at));
    }
    let responses = wanted.iter().zip(&done).map(|(at, (name, topic_id, error_code))| DeletableTopicResult {
        name: match at {
            TopicRef::Name(name) => Some(name),
            TopicRef::Id(_) => name.as_deref(),
        },
        topic_id: *topic_id,
        error_code: *error_code,
        error_message: None,
    });
    let responses = responses.collect();
    call.reply(&DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() })
}

fn delete(call: &mut Call<'_>, at: TopicRef<'_>) -> (Option<String>, Uuid, i16) {
    let asked_id = match at {
        TopicRef::Id(id) => id,
        TopicRef::Name(_) => Uuid::ZERO,
    };
    let (name, id) = match call.world.topics.find(at) {
        Ok(topic) => (topic.name.clone(), topic.id),
        Err(code) => return (None, asked_id, code),
    };
    if let Some(code) = call.fault_of(&name) {
        return (Some(name), id, code);
    }
    call.world.delete_topic(&name);
    (Some(name), id, NONE)
}
