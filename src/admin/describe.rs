//! Describing topics and the cluster: both are in the answer to a Metadata request, of any broker.

use super::call::{Operation, Question, Trouble};
use super::topics::unreadable;
use super::types::{ClusterDescription, TopicResult};
use crate::client::metadata::{Broker, PartitionMetadata};
use crate::client::request::Response;
use crate::error::{Code, Error, Result};
use crate::protocol::messages::metadata_request::MetadataRequestTopic;
use crate::protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use crate::protocol::messages::{MetadataRequest, MetadataResponse};
use crate::protocol::{ApiKey, EncodeError, Message, Reader, Writer};
use std::collections::HashMap;
use std::sync::Arc;

/// A request for the metadata of these topics, or of all. From version 4 on asking creates no topic; every broker
/// that is supported has it.
fn metadata_request(names: Option<Vec<Arc<str>>>) -> Question {
    let encode = move |w: &mut Writer, version: i16| -> std::result::Result<(), EncodeError> {
        let topic = |name| MetadataRequestTopic { name: Some(name), ..Default::default() };
        let topics = names.as_ref().map(|names| names.iter().map(|n| topic(&**n)).collect());
        MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() }.encode(w, version)
    };
    Question { api: ApiKey::Metadata, versions: (4, 13), encode: Box::new(encode) }
}

/// Reads a metadata response; the error is that of the whole.
fn read(response: &Response) -> std::result::Result<MetadataResponse<'_>, Trouble> {
    let mut reader = Reader::new(&response.body);
    let decoded =
        MetadataResponse::decode(&mut reader, response.version).map_err(|e| unreadable(response, e))?;
    let code = Code::from(decoded.error_code);
    if code.is_ok() {
        return Ok(decoded);
    }
    let error = response.error(code, "the broker refused the metadata request");
    Err(if error.is_retriable() { Trouble::Again(error) } else { Trouble::Failed(error) })
}

/// See [`AdminClient::describe_topics`](super::AdminClient::describe_topics).
pub(super) struct DescribeTopics {
    names: Option<Vec<Arc<str>>>,
}

impl DescribeTopics {
    pub fn new(names: Option<&[&str]>) -> Result<DescribeTopics> {
        if names.is_some_and(|names| names.contains(&"")) {
            return Err(Error::new(Code::INVALID_ARGUMENT, "a topic has an empty name"));
        }
        Ok(DescribeTopics { names: names.map(|names| names.iter().map(|n| Arc::from(*n)).collect()) })
    }
}

impl Operation for DescribeTopics {
    type Answer = Vec<TopicResult>;
    const TO_CONTROLLER: bool = false;
    const FAILURE: &'static str = "the topics were not described";

    fn request(&mut self, _timeout_ms: i32) -> Question {
        let mut names = self.names.clone();
        if let Some(names) = &mut names {
            names.sort_unstable();
            names.dedup();
        }
        metadata_request(names)
    }

    fn on_response(&mut self, response: &Response) -> std::result::Result<Vec<TopicResult>, Trouble> {
        let decoded = read(response)?;
        let mut topics: Vec<TopicResult> = decoded.topics.iter().map(|t| topic_result(response, t)).collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        let electing =
            |t: &TopicResult| t.error.as_ref().filter(|e| e.code() == Code::LEADER_NOT_AVAILABLE).cloned();
        if let Some(error) = topics.iter().find_map(electing) {
            return Err(Trouble::Again(error));
        }
        let Some(names) = &self.names else { return Ok(topics) };
        let by_name: HashMap<Arc<str>, TopicResult> =
            topics.into_iter().map(|t| (t.name.clone(), t)).collect();
        let missing = |name: &Arc<str>| {
            let text = format!("the broker's answer says nothing about topic {name}");
            TopicResult::new(name.clone(), Some(response.error(Code::UNKNOWN_SERVER_ERROR, text)))
        };
        Ok(names.iter().map(|n| by_name.get(n).cloned().unwrap_or_else(|| missing(n))).collect())
    }
}

fn topic_result(response: &Response, topic: &MetadataResponseTopic<'_>) -> TopicResult {
    let name = topic.name.unwrap_or("");
    let code = Code::from(topic.error_code);
    let error = (!code.is_ok()).then(|| response.error(code, format!("cannot describe topic {name}")));
    let mut partitions: Vec<PartitionMetadata> = topic.partitions.iter().map(partition).collect();
    partitions.sort_by_key(|p| p.index);
    TopicResult {
        id: topic.topic_id,
        internal: topic.is_internal,
        partitions,
        ..TopicResult::new(name, error)
    }
}

fn partition(p: &MetadataResponsePartition) -> PartitionMetadata {
    PartitionMetadata {
        index: p.partition_index,
        leader: Some(p.leader_id).filter(|id| *id >= 0),
        leader_epoch: p.leader_epoch,
        replicas: p.replica_nodes.clone(),
        in_sync: p.isr_nodes.clone(),
        error: Code::from(p.error_code),
    }
}

/// See [`AdminClient::describe_cluster`](super::AdminClient::describe_cluster).
pub(super) struct DescribeCluster;

impl Operation for DescribeCluster {
    type Answer = ClusterDescription;
    const TO_CONTROLLER: bool = false;
    const FAILURE: &'static str = "the cluster was not described";

    fn request(&mut self, _timeout_ms: i32) -> Question {
        metadata_request(Some(Vec::new()))
    }

    fn on_response(&mut self, response: &Response) -> std::result::Result<ClusterDescription, Trouble> {
        let decoded = read(response)?;
        let broker = |b: &crate::protocol::messages::metadata_response::MetadataResponseBroker<'_>| Broker {
            id: b.node_id,
            host: b.host.into(),
            port: u16::try_from(b.port).unwrap_or(0),
            rack: b.rack.map(Arc::from),
        };
        let mut brokers: Vec<Broker> = decoded.brokers.iter().map(broker).collect();
        brokers.sort_by_key(|b| b.id);
        Ok(ClusterDescription {
            id: decoded.cluster_id.map(str::to_owned),
            controller: Some(decoded.controller_id).filter(|id| *id >= 0),
            brokers,
        })
    }
}
