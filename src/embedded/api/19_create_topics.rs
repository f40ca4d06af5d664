//! CreateTopics (19): versions 0 to 7 (from 2 on as a 4.x broker).
//!
//! Any broker takes it. Topics are there when the answer is. Configurations are those of `configs.rs`; -1 takes
//! the default for partitions and replicas. A topic that is named twice in a request is refused.

use crate::embedded::call::{Call, Reply};
use crate::embedded::configs::{ConfigKey, TopicConfig, TOPIC};
use crate::embedded::errors::*;
use crate::embedded::world::{Created, Refusal, TopicSpec};
use crate::protocol::messages::create_topics_request::CreatableTopic;
use crate::protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use crate::protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use std::collections::BTreeMap;

/// Name, value and source of a configuration.
type ConfigRow = (&'static str, String, i8);
/// Kafka's numbers for where a value comes from.
const FROM_TOPIC: i8 = 1;
const FROM_DEFAULT: i8 = 5;

pub(super) fn handle(call: &mut Call<'_>, request: CreateTopicsRequest<'_>) -> Reply {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in &request.topics {
        let times = named.entry(topic.name).or_default();
        *times = times.saturating_add(1);
    }
    let mut done: Vec<(&str, Result<Created, Refusal>, Vec<ConfigRow>)> = Vec::with_capacity(named.len());
    for topic in &request.topics {
        // Answered once, however often it is named.
        let Some(times) = named.remove(topic.name) else { continue };
        let name = topic.name;
        let result = match call.fault_of(name) {
            Some(code) => Err((code, String::new())),
            None if times > 1 => Err((INVALID_REQUEST, "Duplicate topic name.".to_owned())),
            None => create(call, topic, request.validate_only),
        };
        let rows = result.as_ref().map(|created| rows(call, &created.config)).unwrap_or_default();
        done.push((name, result, rows));
    }
    let topics = done.iter().map(|(name, result, rows)| match result {
        Err((error_code, text)) => CreatableTopicResult {
            name,
            error_code: *error_code,
            error_message: Some(text.as_str()).filter(|t| !t.is_empty()),
            ..CreatableTopicResult::default()
        },
        Ok(created) => CreatableTopicResult {
            name,
            topic_id: created.id,
            num_partitions: i32::try_from(created.partitions).unwrap_or(i32::MAX),
            replication_factor: i16::try_from(created.replication).unwrap_or(i16::MAX),
            configs: Some(rows.iter().map(config).collect()),
            ..CreatableTopicResult::default()
        },
    });
    let topics = topics.collect();
    call.reply(&CreateTopicsResponse { topics, ..CreateTopicsResponse::default() })
}

fn create(call: &mut Call<'_>, topic: &CreatableTopic<'_>, validate_only: bool) -> Result<Created, Refusal> {
    let mut given: Vec<_> = topic.assignments.iter().collect();
    given.sort_by_key(|a| a.partition_index);
    if (0..).zip(&given).any(|(index, a)| a.partition_index != index) {
        let why = "Replicas must be given for each partition from 0 on, once".to_owned();
        return Err((INVALID_REPLICA_ASSIGNMENT, why));
    }
    let spec = TopicSpec {
        name: topic.name,
        partitions: topic.num_partitions,
        replication: topic.replication_factor,
        assignment: given.iter().map(|a| a.broker_ids.clone()).collect(),
        configs: topic.configs.iter().map(|c| (c.name, c.value)).collect(),
    };
    call.world.create_topic(&spec, validate_only)
}

fn rows(call: &Call<'_>, config: &TopicConfig) -> Vec<ConfigRow> {
    let row = |key: &ConfigKey| match config.own(key.0) {
        Some(own) => (key.0, own.to_owned(), FROM_TOPIC),
        None => (key.0, TopicConfig::default_of(&call.world.settings, key), FROM_DEFAULT),
    };
    TOPIC.iter().map(row).collect()
}

fn config((name, value, source): &ConfigRow) -> CreatableTopicConfigs<'_> {
    CreatableTopicConfigs {
        name,
        value: Some(value),
        read_only: false,
        config_source: *source,
        is_sensitive: false,
    }
}
