//! IncrementalAlterConfigs (44): versions 0 and 1.
//!
//! Sets configurations of topics or takes them back to their defaults. All changes of a topic are made, or none.
//! The configurations of brokers can't be changed.

use super::describe_configs::TOPIC_RESOURCE;
use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::embedded::world::Refusal;
use crate::protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use crate::protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use crate::protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(super) fn handle(call: &mut Call<'_>, request: IncrementalAlterConfigsRequest<'_>) -> Reply {
    let mut done: Vec<Result<(), Refusal>> = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        done.push(match call.fault_of(resource.resource_name) {
            Some(code) => Err((code, String::new())),
            None => alter(call, resource, request.validate_only),
        });
    }
    let responses =
        request.resources.iter().zip(&done).map(|(resource, result)| AlterConfigsResourceResponse {
            error_code: result.as_ref().err().map_or(NONE, |e| e.0),
            error_message: result.as_ref().err().map(|e| e.1.as_str()).filter(|text| !text.is_empty()),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        });
    let responses = responses.collect();
    call.reply(&IncrementalAlterConfigsResponse { responses, ..IncrementalAlterConfigsResponse::default() })
}

fn alter(call: &mut Call<'_>, resource: &AlterConfigsResource<'_>, only_check: bool) -> Result<(), Refusal> {
    if resource.resource_type != TOPIC_RESOURCE {
        return Err((INVALID_REQUEST, "Only the configurations of topics can be changed".to_owned()));
    }
    let settings = call.world.settings.clone();
    let Some(topic) = call.world.topics.get_mut(resource.resource_name) else {
        return Err((UNKNOWN_TOPIC_OR_PARTITION, "The topic does not exist".to_owned()));
    };
    let mut config = topic.config.clone();
    for change in &resource.configs {
        let done = match (change.config_operation, change.value) {
            (SET, Some(_)) => config.set(&settings, change.name, change.value),
            (DELETE, _) => config.set(&settings, change.name, None),
            (APPEND, Some(items)) => config.change_list(&settings, change.name, items, true),
            (SUBTRACT, Some(items)) => config.change_list(&settings, change.name, items, false),
            (SET | APPEND | SUBTRACT, None) => {
                return Err((INVALID_REQUEST, format!("Null value not supported for {}", change.name)));
            }
            _ => return Err((INVALID_REQUEST, "There is no such operation".to_owned())),
        };
        done.map_err(|why| (INVALID_CONFIG, why))?;
    }
    if !only_check {
        topic.config = config;
    }
    Ok(())
}
