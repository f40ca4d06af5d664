//! What an embedded cluster is made of: brokers, addresses, and the broker settings that tests change.

use super::versions::BrokerVersion;
use crate::error::{Code, Error};
use crate::protocol::ApiKey;

/// Brokers of one cluster at most.
pub const MAX_BROKERS: u32 = 1000;

/// How a cluster is set up. `..Default::default()` gives one broker of the newest version, with topics created
/// on first use.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// Number of brokers; their ids are 1 to this. 1 to [`MAX_BROKERS`].
    pub brokers: u32,
    /// What topic ids, member ids and garbage are drawn from; the same seed gives the same bytes.
    pub seed: u64,
    /// Host that the brokers name in their answers.
    pub host: String,
    /// Port of broker 1, of broker 2 …; as many as there are brokers.
    pub ports: Vec<u16>,
    /// The rack of broker 1, of broker 2 …; brokers beyond the list have none.
    pub racks: Vec<String>,
    pub cluster_id: String,
    /// Which version of Kafka the brokers pretend to be.
    pub version: BrokerVersion,
    /// Highest version offered of single APIs, below what `version` has; -1 leaves the API out.
    pub max_versions: Vec<(ApiKey, i16)>,
    /// Whether asking for the metadata of an unknown topic creates it (`auto.create.topics.enable`).
    pub auto_create_topics: bool,
    /// Partitions of a topic that is created without a number (`num.partitions`).
    pub default_partitions: i32,
    /// Replicas of a topic that is created without a number (`default.replication.factor`); lowered to the number
    /// of brokers.
    pub default_replication: i16,
    /// Partitions of all topics together at most; more are refused.
    pub max_partitions: usize,
    /// `message.max.bytes`, the largest batch; topics can set `max.message.bytes`.
    pub max_message_bytes: i32,
    /// `log.retention.bytes` of a partition; -1 keeps everything. Topics can set `retention.bytes`.
    pub retention_bytes: i64,
    /// The largest fetch response in bytes (`fetch.max.bytes`).
    pub fetch_max_bytes: i32,
    /// How long the first join of an empty group waits for more members (`group.initial.rebalance.delay.ms`;
    /// Kafka's own default is 3000).
    pub group_initial_rebalance_delay_ms: u64,
    /// The range of session timeouts that members may ask for, in ms.
    pub group_min_session_timeout_ms: i32,
    pub group_max_session_timeout_ms: i32,
    /// Members of a group at most (`group.max.size`).
    pub group_max_size: usize,
}

impl Default for ClusterSettings {
    fn default() -> ClusterSettings {
        ClusterSettings {
            brokers: 1,
            seed: 0,
            host: "127.0.0.1".to_owned(),
            ports: vec![9092],
            racks: Vec::new(),
            cluster_id: "milena-embedded-000000".to_owned(),
            version: BrokerVersion::default(),
            max_versions: Vec::new(),
            auto_create_topics: true,
            default_partitions: 1,
            default_replication: 1,
            max_partitions: 200_000,
            max_message_bytes: 1_048_588,
            retention_bytes: -1,
            fetch_max_bytes: 57_671_680,
            group_initial_rebalance_delay_ms: 0,
            group_min_session_timeout_ms: 100,
            group_max_session_timeout_ms: 1_800_000,
            group_max_size: 10_000,
        }
    }
}

impl ClusterSettings {
    /// Fails with INVALID_ARGUMENT when a setting is out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let invalid = |what: String| Err(Error::new(Code::INVALID_ARGUMENT, what));
        if self.brokers == 0 || self.brokers > MAX_BROKERS {
            return invalid(format!(
                "an embedded cluster has 1 to {MAX_BROKERS} brokers, not {}",
                self.brokers
            ));
        }
        if self.ports.len() != self.brokers as usize {
            return invalid(format!("{} ports given for {} brokers", self.ports.len(), self.brokers));
        }
        if self.default_partitions < 1 || self.default_replication < 1 {
            return invalid("default_partitions and default_replication must be at least 1".to_owned());
        }
        if self.max_message_bytes < 0 || self.fetch_max_bytes < 1024 {
            return invalid(
                "max_message_bytes must not be negative, fetch_max_bytes at least 1024".to_owned(),
            );
        }
        if self.group_min_session_timeout_ms > self.group_max_session_timeout_ms {
            return invalid("the lowest session timeout is above the highest".to_owned());
        }
        Ok(())
    }
}
