//! Configurations of topics and brokers, as far as they are known here: what DescribeConfigs shows, what
//! CreateTopics and IncrementalAlterConfigs accept, and the few that change what a broker does.

use super::settings::ClusterSettings;
use std::collections::BTreeMap;

/// Kafka's numbers for the types of configuration values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(super) enum ValueType {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// A configuration: its name, its default, its type.
pub(super) type ConfigKey = (&'static str, &'static str, ValueType);

use ValueType::{Boolean, Double, Int, List, Long, String as Text};

/// Configurations of a topic.
pub(super) const TOPIC: &[ConfigKey] = &[
    ("cleanup.policy", "delete", List),
    ("compression.gzip.level", "-1", Int),
    ("compression.lz4.level", "9", Int),
    ("compression.type", "producer", Text),
    ("compression.zstd.level", "3", Int),
    ("delete.retention.ms", "86400000", Long),
    ("file.delete.delay.ms", "60000", Long),
    ("flush.messages", "9223372036854775807", Long),
    ("flush.ms", "9223372036854775807", Long),
    ("index.interval.bytes", "4096", Int),
    ("max.compaction.lag.ms", "9223372036854775807", Long),
    ("max.message.bytes", "1048588", Int),
    ("message.timestamp.after.max.ms", "3600000", Long),
    ("message.timestamp.before.max.ms", "9223372036854775807", Long),
    ("message.timestamp.type", "CreateTime", Text),
    ("min.cleanable.dirty.ratio", "0.5", Double),
    ("min.compaction.lag.ms", "0", Long),
    ("min.insync.replicas", "1", Int),
    ("preallocate", "false", Boolean),
    ("retention.bytes", "-1", Long),
    ("retention.ms", "604800000", Long),
    ("segment.bytes", "1073741824", Int),
    ("segment.index.bytes", "10485760", Int),
    ("segment.jitter.ms", "0", Long),
    ("segment.ms", "604800000", Long),
    ("unclean.leader.election.enable", "false", Boolean),
];

/// The lowest value of a number, where there is one.
fn least(name: &str) -> Option<i64> {
    match name {
        "retention.ms" | "retention.bytes" => Some(-1),
        "min.insync.replicas" => Some(1),
        "max.message.bytes" | "delete.retention.ms" | "segment.ms" | "file.delete.delay.ms" => Some(0),
        _ => None,
    }
}

/// What a topic sets for itself, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct TopicConfig {
    set: BTreeMap<String, String>,
    max_message_bytes: i32,
    pub retention_bytes: i64,
    pub append_time: bool,
    pub min_insync_replicas: usize,
}

impl TopicConfig {
    pub fn new(settings: &ClusterSettings) -> TopicConfig {
        TopicConfig {
            set: BTreeMap::new(),
            max_message_bytes: settings.max_message_bytes,
            retention_bytes: settings.retention_bytes,
            append_time: false,
            min_insync_replicas: 1,
        }
    }

    /// The largest batch in bytes.
    pub fn max_message_bytes(&self) -> usize {
        usize::try_from(self.max_message_bytes).unwrap_or(0)
    }

    /// The value that the topic itself sets.
    pub fn own(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    /// Sets a configuration, or takes it back to the default (`None`). Fails with what is wrong.
    pub fn set(&mut self, settings: &ClusterSettings, name: &str, value: Option<&str>) -> Result<(), String> {
        let Some(key) = TOPIC.iter().find(|key| key.0 == name) else {
            return Err(format!("Unknown topic config name: {name}"));
        };
        let wrong = |why: &str| {
            Err(format!("Invalid value {} for configuration {name}: {why}", value.unwrap_or("null")))
        };
        if let Some(text) = value {
            match key.2 {
                Int if text.parse::<i32>().is_err() => return wrong("Not a number of type INT"),
                Long if text.parse::<i64>().is_err() => return wrong("Not a number of type LONG"),
                Double if text.parse::<f64>().is_err() => return wrong("Not a number of type DOUBLE"),
                Boolean if !matches!(text, "true" | "false") => {
                    return wrong("Expected value to be either true or false")
                }
                _ => {}
            }
            if least(name).is_some_and(|least| text.parse::<i64>().is_ok_and(|n| n < least)) {
                return wrong("Value is too small");
            }
            if name == "cleanup.policy" && !text.split(',').all(|p| matches!(p.trim(), "compact" | "delete"))
            {
                return wrong("String must be one of: compact, delete");
            }
            if name == "message.timestamp.type" && !matches!(text, "CreateTime" | "LogAppendTime") {
                return wrong("String must be one of: CreateTime, LogAppendTime");
            }
        }
        match value {
            Some(text) => self.set.insert(name.to_owned(), text.to_owned()),
            None => self.set.remove(name),
        };
        self.derive(settings);
        Ok(())
    }

    /// Adds items to a list, or takes them out of it.
    pub fn change_list(
        &mut self,
        settings: &ClusterSettings,
        name: &str,
        items: &str,
        add: bool,
    ) -> Result<(), String> {
        let Some(key) = TOPIC.iter().find(|key| key.0 == name && key.2 == List) else {
            return Err(format!("Config value append is not allowed for config key: {name}"));
        };
        let before = self.own(name).map_or_else(|| TopicConfig::default_of(settings, key), str::to_owned);
        let mut list: Vec<&str> = before.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        for item in items.split(',').map(str::trim) {
            list.retain(|other| *other != item);
            if add {
                list.push(item);
            }
        }
        self.set(settings, name, Some(&list.join(",")))
    }

    fn derive(&mut self, settings: &ClusterSettings) {
        let number = |name: &str| self.own(name).and_then(|text| text.parse::<i64>().ok());
        let max = number("max.message.bytes").and_then(|n| i32::try_from(n).ok());
        let retention = number("retention.bytes");
        let insync = number("min.insync.replicas").and_then(|n| usize::try_from(n).ok());
        self.append_time = self.own("message.timestamp.type") == Some("LogAppendTime");
        self.max_message_bytes = max.unwrap_or(settings.max_message_bytes);
        self.retention_bytes = retention.unwrap_or(settings.retention_bytes);
        self.min_insync_replicas = insync.unwrap_or(1);
    }

    /// The default of a topic's configuration, which some of the cluster's settings change.
    pub fn default_of(settings: &ClusterSettings, key: &ConfigKey) -> String {
        match key.0 {
            "max.message.bytes" => settings.max_message_bytes.to_string(),
            "retention.bytes" => settings.retention_bytes.to_string(),
            _ => key.1.to_owned(),
        }
    }
}

/// Configurations of a broker: name, value, type; all read-only.
pub(super) fn broker(
    settings: &ClusterSettings,
    broker: i32,
    port: u16,
) -> Vec<(&'static str, String, ValueType)> {
    vec![
        ("advertised.listeners", format!("PLAINTEXT://{}:{port}", settings.host), Text),
        ("auto.create.topics.enable", settings.auto_create_topics.to_string(), Boolean),
        ("broker.id", broker.to_string(), Int),
        ("default.replication.factor", settings.default_replication.to_string(), Int),
        ("fetch.max.bytes", settings.fetch_max_bytes.to_string(), Int),
        ("group.initial.rebalance.delay.ms", settings.group_initial_rebalance_delay_ms.to_string(), Int),
        ("group.max.session.timeout.ms", settings.group_max_session_timeout_ms.to_string(), Int),
        ("group.max.size", settings.group_max_size.to_string(), Int),
        ("group.min.session.timeout.ms", settings.group_min_session_timeout_ms.to_string(), Int),
        ("log.retention.bytes", settings.retention_bytes.to_string(), Long),
        ("message.max.bytes", settings.max_message_bytes.to_string(), Int),
        ("node.id", broker.to_string(), Int),
        ("num.partitions", settings.default_partitions.to_string(), Int),
    ]
}
