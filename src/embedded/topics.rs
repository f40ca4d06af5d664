//! Topics and partitions: names, ids, replicas, leaders, and a log for each partition.

use super::configs::TopicConfig;
use super::errors::*;
use super::group::Ticket;
use super::log::PartitionLog;
use super::producers::ProducerStates;
use crate::protocol::Uuid;
use std::collections::{BTreeMap, HashMap};

/// The longest name of a topic.
const MAX_NAME: usize = 249;

#[derive(Debug)]
pub(super) struct Partition {
    pub index: i32,
    /// Broker ids; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// The broker that leads; -1 when no replica is up.
    pub leader: i32,
    /// Goes up with every change of the leader.
    pub leader_epoch: i32,
    pub log: PartitionLog,
    pub producers: ProducerStates,
    /// Fetches that wait for something to happen here.
    pub waiting: Vec<Ticket>,
}

impl Partition {
    fn new(index: i32, replicas: Vec<i32>) -> Partition {
        let mut log = PartitionLog::default();
        log.begin_epoch(0);
        Partition {
            index,
            leader: replicas.first().copied().unwrap_or(-1),
            replicas,
            leader_epoch: 0,
            log,
            producers: ProducerStates::default(),
            waiting: Vec::new(),
        }
    }

    /// Another broker leads from now on (or none: -1).
    pub fn lead_by(&mut self, leader: i32) {
        self.leader = leader;
        self.leader_epoch = self.leader_epoch.saturating_add(1);
        self.log.begin_epoch(self.leader_epoch);
    }

    /// Holds a fetch's ticket until something happens; one per connection.
    pub fn wait(&mut self, ticket: Ticket) {
        match self.waiting.iter_mut().find(|t| t.conn == ticket.conn) {
            Some(old) => *old = ticket,
            None => self.waiting.push(ticket),
        }
    }

    /// Compares the leader epoch that a client knows with the real one.
    pub fn check_epoch(&self, known: i32) -> Result<(), i16> {
        match known {
            e if e < 0 || e == self.leader_epoch => Ok(()),
            e if e < self.leader_epoch => Err(FENCED_LEADER_EPOCH),
            _ => Err(UNKNOWN_LEADER_EPOCH),
        }
    }
}

#[derive(Debug)]
pub(super) struct Topic {
    pub name: String,
    pub id: Uuid,
    pub config: TopicConfig,
    /// By index, without gaps.
    pub partitions: Vec<Partition>,
}

impl Topic {
    pub fn partition(&self, index: i32) -> Result<&Partition, i16> {
        let found = usize::try_from(index).ok().and_then(|i| self.partitions.get(i));
        found.ok_or(UNKNOWN_TOPIC_OR_PARTITION)
    }

    pub fn partition_mut(&mut self, index: i32) -> Result<&mut Partition, i16> {
        let found = usize::try_from(index).ok().and_then(|i| self.partitions.get_mut(i));
        found.ok_or(UNKNOWN_TOPIC_OR_PARTITION)
    }
}

/// A topic by its name or, in newer versions of some requests, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopicRef<'a> {
    Name(&'a str),
    Id(Uuid),
}

impl<'a> TopicRef<'a> {
    /// The id if the request's version has it, else the name.
    pub fn new(by_id: bool, name: &'a str, id: Uuid) -> TopicRef<'a> {
        if by_id {
            TopicRef::Id(id)
        } else {
            TopicRef::Name(name)
        }
    }
}

/// All topics of the cluster.
#[derive(Debug, Default)]
pub(super) struct Topics {
    by_name: BTreeMap<String, Topic>,
    names: HashMap<Uuid, String, foldhash::fast::FixedState>,
    partitions: usize,
    /// Where the next topic's first replica goes.
    next_replica: usize,
}

/// How to make a topic. Replicas are lists of brokers, one a partition.
#[derive(Debug)]
pub(super) struct NewTopic {
    pub name: String,
    pub id: Uuid,
    pub replicas: Vec<Vec<i32>>,
    pub config: TopicConfig,
}

impl Topics {
    pub fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.by_name.values()
    }
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Topic> {
        self.by_name.values_mut()
    }
    pub fn get(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Topic> {
        self.by_name.get_mut(name)
    }
    /// Partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    pub fn find(&self, topic: TopicRef<'_>) -> Result<&Topic, i16> {
        match topic {
            TopicRef::Name(name) => self.by_name.get(name).ok_or(UNKNOWN_TOPIC_OR_PARTITION),
            TopicRef::Id(id) => self.names.get(&id).and_then(|n| self.by_name.get(n)).ok_or(UNKNOWN_TOPIC_ID),
        }
    }

    pub fn find_mut(&mut self, topic: TopicRef<'_>) -> Result<&mut Topic, i16> {
        match topic {
            TopicRef::Name(name) => self.by_name.get_mut(name).ok_or(UNKNOWN_TOPIC_OR_PARTITION),
            TopicRef::Id(id) => {
                self.names.get(&id).and_then(|n| self.by_name.get_mut(n)).ok_or(UNKNOWN_TOPIC_ID)
            }
        }
    }

    /// Spreads the replicas of `partitions` new partitions over the brokers, round robin.
    pub fn spread(&mut self, brokers: &[i32], partitions: i32, replication: usize) -> Vec<Vec<i32>> {
        let start = self.next_replica;
        let at = |i: usize| brokers.get(i.checked_rem(brokers.len()).unwrap_or(0)).copied().unwrap_or(-1);
        let replicas = (0..usize::try_from(partitions).unwrap_or(0))
            .map(|p| (0..replication).map(|r| at(start.wrapping_add(p).wrapping_add(r))).collect())
            .collect();
        self.next_replica = start.wrapping_add(1);
        replicas
    }

    /// Adds a topic; the caller has checked that the name is free.
    pub fn insert(&mut self, new: NewTopic) {
        let partitions: Vec<Partition> =
            (0..).zip(new.replicas).map(|(index, replicas)| Partition::new(index, replicas)).collect();
        self.partitions = self.partitions.saturating_add(partitions.len());
        self.names.insert(new.id, new.name.clone());
        let topic = Topic { name: new.name.clone(), id: new.id, config: new.config, partitions };
        self.by_name.insert(new.name, topic);
    }

    /// Adds partitions to a topic.
    pub fn grow(&mut self, name: &str, replicas: Vec<Vec<i32>>) {
        let Some(topic) = self.by_name.get_mut(name) else { return };
        self.partitions = self.partitions.saturating_add(replicas.len());
        for (index, replicas) in (topic.partitions.len()..).zip(replicas) {
            topic.partitions.push(Partition::new(i32::try_from(index).unwrap_or(i32::MAX), replicas));
        }
    }

    /// Forgets a topic and its records.
    pub fn remove(&mut self, name: &str) -> Option<Topic> {
        let topic = self.by_name.remove(name)?;
        self.names.remove(&topic.id);
        self.partitions = self.partitions.saturating_sub(topic.partitions.len());
        Some(topic)
    }
}

/// Whether a topic may have this name.
pub(super) fn is_legal_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= MAX_NAME && name != "." && name != ".." && name.bytes().all(legal)
}
