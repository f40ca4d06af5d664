//! CreateTopics (19): versions 0 to 7 (from 2 on as a 4.x broker).
//!
//! Any broker takes it. Topics are there when the answer is. Configurations are those of `configs.rs`; -1 takes
//! the default for partitions and replicas.

use crate::embedded::call::{Call, Reply};
use crate::embedded::configs::{TopicConfig, TOPIC};
use crate::embedded::errors::*;
use crate::embedded::topics::Topic;
use crate::embedded::world::{Refusal, TopicSpec};
use crate::protocol::messages::create_topics_request::CreatableTopic;
use crate::protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use crate::protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};

pub(super) fn handle(call: &mut Call<'_>, request: CreateTopicsRequest<'_>) -> Reply {
    let mut results: Vec<Result<(), Refusal>> = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let result = match call.fault_of(topic.name) {
            Some(code) => Err((code, String::new())),
            None if request.topics.iter().filter(|t| t.name == topic.name).count() > 1 => {
                Err((INVALID_REQUEST, "Duplicate topic name.".to_owned()))
            }
            None => create(call, topic, request.validate_only),
        };
        results.push(result);
    }
    let call = &*call;
    // Version 4 and newer take defaults, so from there on the answer says what they were.
    let values: Vec<Vec<(&str, String, i8)>> = request
        .topics
        .iter()
        .map(|t| call.world.topics.get(t.name).map(|t| values(call, t)).unwrap_or_default())
        .collect();
    let topics = request.topics.iter().zip(&results).zip(&values).map(|((topic, result), values)| {
        let (error_code, error_message) = match result {
            Ok(()) => (NONE, None),
            Err((code, text)) => (*code, Some(text.as_str()).filter(|t| !t.is_empty())),
        };
        let made = call.world.topics.get(topic.name).filter(|_| error_code == NONE);
        let mut response =
            CreatableTopicResult { name: topic.name, error_code, error_message, ..Default::default() };
        if let Some(made) = made {
            response.topic_id = made.id;
            response.num_partitions = count(made.partitions.len());
            response.replication_factor = made.partitions.first().map_or(-1, |p| p.replicas.len() as i16);
            response.configs = Some(values.iter().map(config).collect());
        }
        response
    });
    let topics = topics.collect();
    call.reply(&CreateTopicsResponse { topics, ..CreateTopicsResponse::default() })
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn create(call: &mut Call<'_>, topic: &CreatableTopic<'_>, validate_only: bool) -> Result<(), Refusal> {
    let mut assignment = Vec::with_capacity(topic.assignments.len());
    for index in 0..count(topic.assignments.len()) {
        let Some(given) = topic.assignments.iter().find(|a| a.partition_index == index) else {
            return Err((INVALID_REPLICA_ASSIGNMENT, format!("No replicas are given for partition {index}")));
        };
        assignment.push(given.broker_ids.clone());
    }
    let spec = TopicSpec {
        name: topic.name,
        partitions: topic.num_partitions,
        replication: topic.replication_factor,
        assignment,
        configs: topic.configs.iter().map(|c| (c.name, c.value)).collect(),
    };
    call.world.create_topic(&spec, validate_only)
}

/// Name, value and source of each configuration of a topic.
fn values(call: &Call<'_>, topic: &Topic) -> Vec<(&'static str, String, i8)> {
    let settings = &call.world.settings;
    let value = |key: &crate::embedded::configs::ConfigKey| match topic.config.own(key.0) {
        Some(own) => (key.0, own.to_owned(), 1),
        None => (key.0, TopicConfig::default_of(settings, key), 5),
    };
    TOPIC.iter().map(value).collect()
}

fn config<'v>((name, value, source): &'v (&str, String, i8)) -> CreatableTopicConfigs<'v> {
    CreatableTopicConfigs {
        name,
        value: Some(value),
        read_only: false,
        config_source: *source,
        is_sensitive: false,
    }
}
