//! DescribeConfigs (32): versions 0 to 4 (from 1 on as a 4.x broker).
//!
//! Topics and brokers, with the configurations of `configs.rs`; no synonyms and no documentation.

use crate::embedded::call::{Call, Reply};
use crate::embedded::configs::{broker, TopicConfig, TOPIC};
use crate::embedded::errors::*;
use crate::protocol::messages::describe_configs_request::DescribeConfigsResource;
use crate::protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use crate::protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

pub(super) const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;

/// Where a value comes from, in Kafka's numbers.
const FROM_TOPIC: i8 = 1;
const FROM_BROKER_FILE: i8 = 4;
const FROM_DEFAULT: i8 = 5;

struct Entry {
    name: &'static str,
    value: String,
    source: i8,
    kind: i8,
}

pub(super) fn handle(call: &mut Call<'_>, request: DescribeConfigsRequest<'_>) -> Reply {
    let call = &*call;
    let found: Vec<Result<Vec<Entry>, i16>> = request.resources.iter().map(|r| find(call, r)).collect();
    let results = request.resources.iter().zip(&found).map(|(resource, found)| {
        let keys = resource.configuration_keys.as_deref();
        let wanted = |name: &str| keys.is_none_or(|keys| keys.contains(&name));
        let entries = found.iter().flatten().filter(|e| wanted(e.name));
        DescribeConfigsResult {
            error_code: found.as_ref().err().copied().unwrap_or(NONE),
            error_message: None,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            configs: entries.map(|e| result(e, call.version)).collect(),
        }
    });
    let results = results.collect();
    call.reply(&DescribeConfigsResponse { results, ..DescribeConfigsResponse::default() })
}

fn result(entry: &Entry, version: i16) -> DescribeConfigsResourceResult<'_> {
    DescribeConfigsResourceResult {
        name: entry.name,
        value: Some(&entry.value),
        read_only: entry.source == FROM_BROKER_FILE,
        is_default: version == 0 && entry.source == FROM_DEFAULT,
        config_source: entry.source,
        config_type: entry.kind,
        ..DescribeConfigsResourceResult::default()
    }
}

fn find(call: &Call<'_>, resource: &DescribeConfigsResource<'_>) -> Result<Vec<Entry>, i16> {
    if let Some(code) = call.fault_of(resource.resource_name) {
        return Err(code);
    }
    match resource.resource_type {
        TOPIC_RESOURCE => of_topic(call, resource.resource_name),
        BROKER_RESOURCE => of_broker(call, resource.resource_name),
        _ => Err(INVALID_REQUEST),
    }
}

fn of_topic(call: &Call<'_>, name: &str) -> Result<Vec<Entry>, i16> {
    let topic = call.world.topics.get(name).ok_or(UNKNOWN_TOPIC_OR_PARTITION)?;
    let entry = |key: &crate::embedded::configs::ConfigKey| {
        let own = topic.config.own(key.0);
        Entry {
            name: key.0,
            value: own.map_or_else(|| TopicConfig::default_of(&call.world.settings, key), str::to_owned),
            source: if own.is_some() { FROM_TOPIC } else { FROM_DEFAULT },
            kind: key.2 as i8,
        }
    };
    Ok(TOPIC.iter().map(entry).collect())
}

/// A broker knows only itself; an empty name asks for what is set for all brokers, which is nothing.
fn of_broker(call: &Call<'_>, name: &str) -> Result<Vec<Entry>, i16> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let this = call.world.broker(call.broker).filter(|b| b.id.to_string() == name).ok_or(INVALID_REQUEST)?;
    let entries = broker(&call.world.settings, this.id, this.port).into_iter();
    Ok(entries
        .map(|(name, value, kind)| Entry { name, value, source: FROM_BROKER_FILE, kind: kind as i8 })
        .collect())
}
