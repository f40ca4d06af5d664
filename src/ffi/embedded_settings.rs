//! The settings of an embedded cluster, from names and values.

use super::config::milena_config;
use super::guard::invalid;
use crate::embedded::{BrokerVersion, ClusterSettings};
use crate::error::{Code, Error, Result};
use std::str::FromStr;

/// The names that are taken, for who mistypes one.
const NAMES: &str =
    "auto.create.topics.enable, num.partitions, default.replication.factor, message.max.bytes, \
    log.retention.bytes, group.initial.rebalance.delay.ms, cluster.id, broker.version, seed";

pub(super) fn cluster_settings(brokers: i32, config: Option<&milena_config>) -> Result<ClusterSettings> {
    let brokers =
        u32::try_from(brokers).map_err(|_| invalid(format!("a cluster can't have {brokers} brokers")))?;
    let mut settings = ClusterSettings { brokers, ..ClusterSettings::default() };
    for (name, value) in config.map(milena_config::entries).unwrap_or_default() {
        set(&mut settings, name, value.trim())?;
    }
    Ok(settings)
}

fn set(to: &mut ClusterSettings, name: &str, value: &str) -> Result<()> {
    match name {
        "auto.create.topics.enable" => to.auto_create_topics = parsed(name, value)?,
        "num.partitions" => to.default_partitions = parsed(name, value)?,
        "default.replication.factor" => to.default_replication = parsed(name, value)?,
        "message.max.bytes" => to.max_message_bytes = parsed(name, value)?,
        "log.retention.bytes" => to.retention_bytes = parsed(name, value)?,
        "group.initial.rebalance.delay.ms" => to.group_initial_rebalance_delay_ms = parsed(name, value)?,
        "cluster.id" => to.cluster_id = value.to_owned(),
        "broker.version" => to.version = version(value)?,
        "seed" => to.seed = parsed(name, value)?,
        _ => {
            let text = format!("{name} is not a setting of an embedded cluster");
            return Err(Error::new(Code::INVALID_CONFIGURATION, text).hint(format!("there are: {NAMES}")));
        }
    }
    Ok(())
}

fn parsed<T: FromStr>(name: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| {
        Error::new(Code::INVALID_CONFIGURATION, format!("embedded cluster: {name} can't be {value:?}"))
    })
}

fn version(value: &str) -> Result<BrokerVersion> {
    match value {
        "1.1" => Ok(BrokerVersion::V1_1),
        "2.8" => Ok(BrokerVersion::V2_8),
        "3.9" => Ok(BrokerVersion::V3_9),
        "4.4" => Ok(BrokerVersion::V4_4),
        _ => {
            let text = format!("embedded cluster: broker.version can't be {value:?}");
            Err(Error::new(Code::INVALID_CONFIGURATION, text).hint("it is 1.1, 2.8, 3.9 or 4.4"))
        }
    }
}
