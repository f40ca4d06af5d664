//! What all brokers of a cluster share: who is up, topics, groups, producer ids, and the script of faults.

use super::configs::TopicConfig;
use super::errors::*;
use super::faults::FaultScript;
use super::group::{Completion, Group, GroupLimits, Ticket};
use super::settings::ClusterSettings;
use super::topics::{is_legal_name, NewTopic, Partition, Topic, TopicRef, Topics};
use super::versions::Offer;
use crate::protocol::Uuid;
use std::collections::{BTreeMap, HashMap};

/// With so many groups, those that hold nothing any more are forgotten.
const MANY_GROUPS: usize = 10_000;

#[derive(Clone, Copy, Debug)]
pub(super) struct Broker {
    pub id: i32,
    pub port: u16,
    pub up: bool,
    pub paused: bool,
}

#[derive(Debug)]
pub(super) struct World {
    pub settings: ClusterSettings,
    pub offer: Offer,
    pub brokers: Vec<Broker>,
    pub topics: Topics,
    pub groups: BTreeMap<String, Group>,
    /// Groups whose coordinator was moved by hand.
    pub coordinators: HashMap<String, i32>,
    pub next_producer_id: i64,
    pub faults: FaultScript,
    pub rng: fastrand::Rng,
    /// Fetches that may have something to answer now.
    pub woken: Vec<Ticket>,
    /// Joins and syncs that can be answered now.
    pub completions: Vec<Completion>,
    /// Requests by API key, as they came.
    pub request_counts: BTreeMap<i16, u64>,
}

/// Why a topic can't be made or changed: the error code, and a text for people.
pub(super) type Refusal = (i16, String);

/// What a topic is to be made of.
#[derive(Clone, Debug, Default)]
pub(super) struct TopicSpec<'a> {
    pub name: &'a str,
    /// -1 takes the default.
    pub partitions: i32,
    /// -1 takes the default.
    pub replication: i16,
    /// Replicas by partition; empty lets the cluster choose.
    pub assignment: Vec<Vec<i32>>,
    pub configs: Vec<(&'a str, Option<&'a str>)>,
}

/// A topic that was made, or would be.
#[derive(Clone, Debug)]
pub(super) struct Created {
    /// Zero when it was only checked.
    pub id: Uuid,
    pub partitions: usize,
    pub replication: usize,
    pub config: TopicConfig,
}

impl World {
    pub fn new(settings: ClusterSettings) -> World {
        let ports = settings.ports.iter().copied();
        let brokers =
            (1..).zip(ports).map(|(id, port)| Broker { id, port, up: true, paused: false }).collect();
        World {
            offer: Offer::new(settings.version, &settings.max_versions),
            brokers,
            topics: Topics::default(),
            groups: BTreeMap::new(),
            coordinators: HashMap::new(),
            next_producer_id: 1000,
            faults: FaultScript::default(),
            rng: fastrand::Rng::with_seed(settings.seed),
            woken: Vec::new(),
            completions: Vec::new(),
            request_counts: BTreeMap::new(),
            settings,
        }
    }

    // ---- brokers

    pub fn broker(&self, id: i32) -> Option<&Broker> {
        self.brokers.iter().find(|b| b.id == id)
    }
    pub fn broker_mut(&mut self, id: i32) -> Option<&mut Broker> {
        self.brokers.iter_mut().find(|b| b.id == id)
    }
    pub fn is_up(&self, id: i32) -> bool {
        self.broker(id).is_some_and(|b| b.up)
    }
    pub fn up(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.iter().filter(|b| b.up)
    }
    /// The broker that is named as controller; -1 when none is up.
    pub fn controller(&self) -> i32 {
        self.up().next().map_or(-1, |b| b.id)
    }
    pub fn rack(&self, id: i32) -> Option<&str> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        self.settings.racks.get(index).map(String::as_str)
    }

    /// Gives each partition that has lost its leader, or has none, another one; what was in sync stays so.
    pub fn elect_leaders(&mut self) {
        let up: Vec<i32> = self.up().map(|b| b.id).collect();
        for topic in self.topics.iter_mut() {
            for partition in &mut topic.partitions {
                if partition.leader >= 0 && up.contains(&partition.leader) {
                    continue;
                }
                let next = partition.replicas.iter().copied().find(|r| up.contains(r)).unwrap_or(-1);
                if next != partition.leader {
                    partition.lead_by(next);
                    self.woken.append(&mut partition.waiting);
                }
            }
        }
    }

    /// Replicas that are up, which are those in sync.
    pub fn in_sync(&self, partition: &Partition) -> Vec<i32> {
        partition.replicas.iter().copied().filter(|r| self.is_up(*r)).collect()
    }

    // ---- topics

    pub fn new_uuid(&mut self) -> Uuid {
        let mut bytes = self.rng.u128(..).to_be_bytes();
        // Version 4, variant 1. The first byte keeps clear of Kafka's reserved ids and of a leading '-' in base64.
        if let Some(b) = bytes.get_mut(6) {
            *b = (*b & 0x0f) | 0x40;
        }
        if let Some(b) = bytes.get_mut(8) {
            *b = (*b & 0x3f) | 0x80;
        }
        if let Some(b) = bytes.first_mut() {
            *b = (*b & 0x7f) | 0x01;
        }
        Uuid(bytes)
    }

    /// Checks a new topic and makes it, unless it is only to be checked.
    pub fn create_topic(&mut self, spec: &TopicSpec<'_>, only_check: bool) -> Result<Created, Refusal> {
        if !is_legal_name(spec.name) {
            return Err((INVALID_TOPIC, format!("Topic name is invalid: '{}'", spec.name)));
        }
        if self.topics.get(spec.name).is_some() {
            return Err((TOPIC_ALREADY_EXISTS, format!("Topic '{}' already exists.", spec.name)));
        }
        let mut config = TopicConfig::new(&self.settings);
        for (name, value) in &spec.configs {
            if value.is_none() {
                return Err((INVALID_CONFIG, format!("Null value not supported for topic configs: {name}")));
            }
            config.set(&self.settings, name, *value).map_err(|why| (INVALID_CONFIG, why))?;
        }
        let replicas = match spec.assignment.is_empty() {
            true => self.choose_replicas(spec.partitions, spec.replication)?,
            false if spec.partitions != -1 || spec.replication != -1 => {
                let why = "Replica assignment and number of partitions or replicas can't be given together";
                return Err((INVALID_REQUEST, why.to_owned()));
            }
            false => {
                self.check_assignment(&spec.assignment)?;
                spec.assignment.clone()
            }
        };
        self.check_room(replicas.len())?;
        let mut created = Created {
            id: Uuid::ZERO,
            partitions: replicas.len(),
            replication: replicas.first().map_or(0, Vec::len),
            config: config.clone(),
        };
        if !only_check {
            created.id = self.new_uuid();
            self.topics.insert(NewTopic { name: spec.name.to_owned(), id: created.id, replicas, config });
            self.elect_leaders();
        }
        Ok(created)
    }

    fn choose_replicas(&mut self, partitions: i32, replication: i16) -> Result<Vec<Vec<i32>>, Refusal> {
        let partitions = if partitions == -1 { self.settings.default_partitions } else { partitions };
        if partitions < 1 {
            return Err((
                INVALID_PARTITIONS,
                "Number of partitions was set to an invalid non-positive value.".to_owned(),
            ));
        }
        self.check_room(usize::try_from(partitions).unwrap_or(usize::MAX))?;
        let brokers: Vec<i32> = self.up().map(|b| b.id).collect();
        let replication = match replication {
            -1 => usize::try_from(self.settings.default_replication).unwrap_or(1).min(brokers.len()),
            n => usize::try_from(n).unwrap_or(0),
        };
        if replication < 1 || replication > brokers.len() {
            let why = format!(
                "Replication factor {replication} is not between 1 and the {} brokers",
                brokers.len()
            );
            return Err((INVALID_REPLICATION_FACTOR, why));
        }
        Ok(self.topics.spread(&brokers, partitions, replication))
    }

    /// Each partition has replicas, all of them known and different.
    fn check_assignment(&self, assignment: &[Vec<i32>]) -> Result<(), Refusal> {
        let sound = |replicas: &Vec<i32>| {
            let unique = |(i, r): (usize, &i32)| !replicas.iter().take(i).any(|other| other == r);
            !replicas.is_empty()
                && replicas.len() <= self.brokers.len()
                && replicas.iter().enumerate().all(unique)
                && replicas.iter().all(|r| self.broker(*r).is_some())
        };
        match assignment.iter().all(sound) {
            true => Ok(()),
            false => {
                Err((INVALID_REPLICA_ASSIGNMENT, "Replicas must be known brokers, each once".to_owned()))
            }
        }
    }

    fn check_room(&self, more: usize) -> Result<(), Refusal> {
        match self.topics.partition_count().saturating_add(more) <= self.settings.max_partitions {
            true => Ok(()),
            false => {
                let most = self.settings.max_partitions;
                Err((POLICY_VIOLATION, format!("This cluster has at most {most} partitions")))
            }
        }
    }

    /// Raises the number of partitions of a topic to `count`.
    pub fn create_partitions(
        &mut self,
        name: &str,
        count: i32,
        assignment: Option<Vec<Vec<i32>>>,
        only_check: bool,
    ) -> Result<(), Refusal> {
        let Some(topic) = self.topics.get(name) else {
            return Err((UNKNOWN_TOPIC_OR_PARTITION, format!("The topic '{name}' does not exist.")));
        };
        let now = topic.partitions.len();
        let replication = topic.partitions.first().map_or(1, |p| p.replicas.len());
        let wanted = usize::try_from(count).unwrap_or(0);
        let Some(more) = wanted.checked_sub(now).filter(|more| *more > 0) else {
            let why = format!(
                "The topic {name} currently has {now} partition(s); {count} would not be an increase."
            );
            return Err((INVALID_PARTITIONS, why));
        };
        self.check_room(more)?;
        let replicas = match assignment {
            Some(given) if given.len() != more => {
                return Err((
                    INVALID_REPLICA_ASSIGNMENT,
                    format!("{more} assignments needed, {} given", given.len()),
                ));
            }
            Some(given) => {
                self.check_assignment(&given)?;
                given
            }
            None => {
                let brokers: Vec<i32> = self.brokers.iter().map(|b| b.id).collect();
                self.topics.spread(&brokers, i32::try_from(more).unwrap_or(0), replication.min(brokers.len()))
            }
        };
        if !only_check {
            self.topics.grow(name, replicas);
            self.elect_leaders();
        }
        Ok(())
    }

    /// Deletes a topic, its records and the offsets that groups committed for it.
    pub fn delete_topic(&mut self, name: &str) -> bool {
        let Some(mut topic) = self.topics.remove(name) else { return false };
        for partition in &mut topic.partitions {
            self.woken.append(&mut partition.waiting);
        }
        for group in self.groups.values_mut() {
            group.forget_topic(name);
        }
        true
    }

    /// The partition, if this broker leads it.
    pub fn led_by(&self, broker: i32, topic: TopicRef<'_>, index: i32) -> Result<(&Topic, &Partition), i16> {
        let topic = self.topics.find(topic)?;
        let partition = topic.partition(index)?;
        match partition.leader == broker {
            true => Ok((topic, partition)),
            false => Err(NOT_LEADER_OR_FOLLOWER),
        }
    }

    // ---- groups

    /// The broker that coordinates a group; `None` when no broker is up.
    pub fn coordinator(&self, group: &str) -> Option<i32> {
        if let Some(id) = self.coordinators.get(group).filter(|id| self.is_up(**id)) {
            return Some(*id);
        }
        let count = self.brokers.len();
        let first = usize::try_from(hash(group)).unwrap_or(0).checked_rem(count)?;
        let after = self.brokers.iter().cycle().skip(first).take(count);
        after.into_iter().find(|b| b.up).map(|b| b.id)
    }

    /// The error that a broker answers with for a group that it does not coordinate.
    pub fn check_coordinator(&self, broker: i32, group: &str) -> Result<(), i16> {
        match self.coordinator(group) {
            Some(id) if id == broker => Ok(()),
            _ => Err(NOT_COORDINATOR),
        }
    }

    /// The group, made if it does not exist.
    pub fn group_mut(&mut self, id: &str) -> &mut Group {
        if self.groups.len() >= MANY_GROUPS && !self.groups.contains_key(id) {
            self.groups.retain(|_, group| !group.is_dead());
        }
        let settings = &self.settings;
        self.groups.entry(id.to_owned()).or_insert_with(|| {
            Group::new(GroupLimits {
                initial_rebalance_delay_ms: settings.group_initial_rebalance_delay_ms,
                min_session_timeout_ms: settings.group_min_session_timeout_ms,
                max_session_timeout_ms: settings.group_max_session_timeout_ms,
                max_size: settings.group_max_size,
            })
        })
    }
}

/// FNV-1a, so that a group has the same coordinator on every run.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
