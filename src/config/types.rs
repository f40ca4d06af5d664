//! A configuration after parsing: typed, checked, complete. Times are whole milliseconds (`u64`), sizes are
//! bytes.

use std::fmt;

use crate::error::Error;
use crate::log::LogConfig;

use super::{parse, Config};

/// A host and a port of `bootstrap.servers`; displays as `host:port`, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What every client has: connections, requests, retries, metadata, logging.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientConfig {
    /// `bootstrap.servers`: at least one.
    pub bootstrap: Vec<HostPort>,
    /// `client.id`; `milena-producer`, `milena-consumer` or `milena-admin` where the property is empty.
    pub client_id: String,
    /// `request.timeout.ms`
    pub request_timeout_ms: u64,
    /// `default.api.timeout.ms`; 60000 for a producer, which does not have the property.
    pub default_api_timeout_ms: u64,
    /// `retry.backoff.ms`: the first wait; never above `retry_backoff_max_ms`.
    pub retry_backoff_ms: u64,
    /// `retry.backoff.max.ms`
    pub retry_backoff_max_ms: u64,
    /// `reconnect.backoff.ms`: the first wait; never above `reconnect_backoff_max_ms`.
    pub reconnect_backoff_ms: u64,
    /// `reconnect.backoff.max.ms`
    pub reconnect_backoff_max_ms: u64,
    /// `socket.connection.setup.timeout.ms`: the first limit; never above its maximum.
    pub connection_setup_timeout_ms: u64,
    /// `socket.connection.setup.timeout.max.ms`
    pub connection_setup_timeout_max_ms: u64,
    /// `connections.max.idle.ms`; `None`: idle connections are not closed.
    pub connections_max_idle_ms: Option<u64>,
    /// `metadata.max.age.ms`
    pub metadata_max_age_ms: u64,
    /// `send.buffer.bytes`; `None`: as the operating system has it.
    pub send_buffer_bytes: Option<usize>,
    /// `receive.buffer.bytes`; `None`: as the operating system has it.
    pub receive_buffer_bytes: Option<usize>,
    /// `receive.message.max.bytes`: a longer response ends the connection.
    pub receive_message_max_bytes: usize,
    /// `log.level`, `debug`, `log.sink`
    pub log: LogConfig,
}

/// How many replicas must have a batch before the broker confirms it (`acks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acks {
    /// The broker does not answer at all.
    None,
    /// The leader alone.
    Leader,
    /// All in-sync replicas.
    All,
}

impl Acks {
    /// The value in a Produce request.
    pub fn wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// `compression.type`, each with its own level property where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompressionType {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// A codec and the level for it; -1 is the codec's own default (and the only level of none and snappy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compression {
    pub kind: CompressionType,
    pub level: i32,
}

/// What `key.serializer`, `value.serializer` and their counterparts do with the bytes that the caller has
/// already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serde {
    /// As they are (Java's ByteArray, Bytes and ByteBuffer classes).
    Bytes,
    /// Checked to be UTF-8 (Java's String classes).
    Utf8,
}

/// The configuration of a producer.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerConfig {
    pub client: ClientConfig,
    /// `acks`
    pub acks: Acks,
    /// `enable.idempotence` after the conflicts with acks, retries and in-flight requests are settled.
    pub idempotence: bool,
    /// `retries`
    pub retries: u32,
    /// `max.in.flight.requests.per.connection`
    pub max_in_flight: usize,
    /// `linger.ms`
    pub linger_ms: u64,
    /// `batch.size`, uncompressed; 0: every record is a batch of its own.
    pub batch_size: usize,
    /// `buffer.memory`
    pub buffer_memory: usize,
    /// `max.block.ms`
    pub max_block_ms: u64,
    /// `delivery.timeout.ms`, at least `linger.ms` + `request.timeout.ms`.
    pub delivery_timeout_ms: u64,
    /// `max.request.size`
    pub max_request_size: usize,
    /// `compression.type` and its level
    pub compression: Compression,
    /// `partitioner.ignore.keys`
    pub partitioner_ignore_keys: bool,
    /// `partitioner.adaptive.partitioning.enable`
    pub partitioner_adaptive: bool,
    /// `partitioner.availability.timeout.ms`; 0: never.
    pub partitioner_availability_timeout_ms: u64,
    /// `metadata.max.idle.ms`
    pub metadata_max_idle_ms: u64,
    pub key_serializer: Serde,
    pub value_serializer: Serde,
}

/// Where to start reading a partition without a committed offset (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// It is an error (NO_OFFSET).
    None,
}

/// A way for the leader of a group to share the partitions out (`partition.assignment.strategy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignor {
    Range,
    RoundRobin,
    CooperativeSticky,
}

impl Assignor {
    /// The name in the group protocol.
    pub fn protocol_name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }
}

/// The configuration of a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerConfig {
    pub client: ClientConfig,
    /// `group.id`; `None`: assign only, no subscribe and no commit.
    pub group_id: Option<String>,
    /// `group.instance.id`; `None`: the member is a new one after each restart.
    pub group_instance_id: Option<String>,
    /// `session.timeout.ms`
    pub session_timeout_ms: u64,
    /// `heartbeat.interval.ms`, less than the session timeout.
    pub heartbeat_interval_ms: u64,
    /// `max.poll.interval.ms`
    pub max_poll_interval_ms: u64,
    /// `max.poll.records`
    pub max_poll_records: usize,
    /// `partition.assignment.strategy`, most wanted first; at least one, none twice.
    pub assignors: Vec<Assignor>,
    /// `enable.auto.commit`; false without a `group.id`.
    pub auto_commit: bool,
    /// `auto.commit.interval.ms`
    pub auto_commit_interval_ms: u64,
    /// `auto.offset.reset`
    pub offset_reset: OffsetReset,
    /// `fetch.min.bytes`
    pub fetch_min_bytes: i32,
    /// `fetch.max.bytes`, one response of a broker.
    pub fetch_max_bytes: i32,
    /// `fetch.max.wait.ms`
    pub fetch_max_wait_ms: u64,
    /// `max.partition.fetch.bytes`
    pub max_partition_fetch_bytes: i32,
    /// `fetch.buffer.memory`: the budget for fetched, decompressed and handed-out data.
    pub fetch_buffer_memory: usize,
    /// `check.crcs`
    pub check_crcs: bool,
    /// `allow.auto.create.topics`
    pub allow_auto_create_topics: bool,
    pub key_deserializer: Serde,
    pub value_deserializer: Serde,
}

/// The configuration of an admin client.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminConfig {
    pub client: ClientConfig,
    /// `retries`
    pub retries: u32,
}

fn only(bootstrap: &str) -> Config {
    let mut config = Config::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

impl ProducerConfig {
    /// All defaults for these `bootstrap.servers`.
    pub fn default_for(bootstrap: &str) -> Result<ProducerConfig, Error> {
        parse::producer(&only(bootstrap)).map(|parsed| parsed.value)
    }
}

impl ConsumerConfig {
    /// All defaults for these `bootstrap.servers`; no group.
    pub fn default_for(bootstrap: &str) -> Result<ConsumerConfig, Error> {
        parse::consumer(&only(bootstrap)).map(|parsed| parsed.value)
    }
}

impl AdminConfig {
    /// All defaults for these `bootstrap.servers`.
    pub fn default_for(bootstrap: &str) -> Result<AdminConfig, Error> {
        parse::admin(&only(bootstrap)).map(|parsed| parsed.value)
    }
}

/// A time as the protocol's requests carry it: 32 bits, cut off at the largest.
pub fn wire_ms(ms: u64) -> i32 {
    i32::try_from(ms).unwrap_or(i32::MAX)
}
