//! What the admin client's calls take and give.

use crate::client::metadata::{Broker, PartitionMetadata};
use crate::error::Error;
use crate::protocol::Uuid;
use std::sync::Arc;

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// -1: the broker's default (from Kafka 2.4 on).
    pub partitions: i32,
    /// -1: the broker's default (from Kafka 2.4 on).
    pub replication_factor: i16,
    /// Properties of the topic; `None` is the default.
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic with the broker's defaults but for the number of partitions.
    pub fn new(name: impl Into<String>, partitions: i32) -> NewTopic {
        NewTopic { name: name.into(), partitions, replication_factor: -1, configs: Vec::new() }
    }
}

/// What is known of a topic, or what came of creating or deleting it.
#[derive(Clone, Debug)]
pub struct TopicResult {
    pub name: Arc<str>,
    pub error: Option<Error>,
    /// Zero where the broker is too old to have topic ids (KIP-516), and after a failure.
    pub id: Uuid,
    pub internal: bool,
    /// In the order of their indexes; none after creating and deleting.
    pub partitions: Vec<PartitionMetadata>,
}

impl TopicResult {
    pub(super) fn new(name: impl Into<Arc<str>>, error: Option<Error>) -> TopicResult {
        TopicResult { name: name.into(), error, id: Uuid::ZERO, internal: false, partitions: Vec::new() }
    }
}

/// What is known of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterDescription {
    pub id: Option<String>,
    /// The broker that takes changes.
    pub controller: Option<i32>,
    /// In the order of their ids.
    pub brokers: Vec<Broker>,
}
