//! What the owner of a cluster does to it and asks it: topics, faults, brokers that come and go, and counts.
//!
//! Everything takes effect at once; call [`EmbeddedCluster::poll`] afterwards, because answers may have become
//! possible.

use super::cluster::EmbeddedCluster;
use super::errors::*;
use super::faults::Fault;
use super::topics::{Partition, TopicRef};
use super::world::{Refusal, TopicSpec};
use crate::error::{Code, Error};
use crate::protocol::ApiKey;
use crate::time::Now;
use bytes::Bytes;

fn refused((code, text): Refusal) -> Error {
    Error::new(Code(i32::from(code)), text)
}

fn no_broker(id: i32) -> Error {
    Error::new(Code::INVALID_ARGUMENT, format!("there is no broker {id} in this cluster"))
}

/// How a group stands, for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Kafka's name of the state, such as "Stable".
    pub state: String,
    pub generation: i32,
    pub members: Vec<String>,
}

impl EmbeddedCluster {
    // ---- topics

    /// Creates a topic with its replicas spread over the brokers; -1 takes the default number of partitions or
    /// replicas. `configs` are names and values as for a Kafka topic.
    ///
    /// # Errors
    /// Kafka's codes: TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG …
    pub fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        replication: i16,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let configs = configs.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let spec = TopicSpec { name, partitions, replication, configs, ..TopicSpec::default() };
        self.world.create_topic(&spec, false).map(drop).map_err(refused)
    }

    /// Deletes a topic and its records; says whether it was there.
    pub fn delete_topic(&mut self, now: Now, name: &str) -> bool {
        let was_there = self.world.delete_topic(name);
        self.settle(now);
        was_there
    }

    /// Raises the number of partitions to `count`.
    pub fn create_partitions(&mut self, name: &str, count: i32) -> Result<(), Error> {
        self.world.create_partitions(name, count, None, false).map_err(refused)
    }

    fn partition(&self, topic: &str, partition: i32) -> Result<&Partition, Error> {
        let found = self.world.topics.find(TopicRef::Name(topic)).and_then(|t| t.partition(partition));
        found.map_err(|code| refused((code, format!("there is no partition {topic}-{partition}"))))
    }

    fn partition_mut(&mut self, topic: &str, partition: i32) -> Result<&mut Partition, Error> {
        let found =
            self.world.topics.find_mut(TopicRef::Name(topic)).and_then(|t| t.partition_mut(partition));
        found.map_err(|code| refused((code, format!("there is no partition {topic}-{partition}"))))
    }

    /// Makes `offset` the first offset of a partition, as retention does; at most the end of the log.
    pub fn delete_records(
        &mut self,
        now: Now,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<(), Error> {
        let found = self.partition_mut(topic, partition)?;
        found.log.delete_before(offset);
        let waiting = std::mem::take(&mut found.waiting);
        self.world.woken.extend(waiting);
        self.settle(now);
        Ok(())
    }

    /// Forgets what a partition knows of idempotent producers, as when their records have been deleted.
    pub fn forget_producers(&mut self, topic: &str, partition: i32) -> Result<(), Error> {
        self.partition_mut(topic, partition)?.producers.forget();
        Ok(())
    }

    /// Flips a bit in a stored batch, counted from the oldest, so that its checksum is wrong.
    pub fn corrupt_batch(&mut self, topic: &str, partition: i32, batch: usize) -> Result<(), Error> {
        match self.partition_mut(topic, partition)?.log.corrupt(batch) {
            true => Ok(()),
            false => {
                let why = format!("there is no batch number {batch} in {topic}-{partition}");
                Err(Error::new(Code::INVALID_ARGUMENT, why))
            }
        }
    }

    // ---- faults

    /// Adds a fault to the end of the script.
    pub fn push_fault(&mut self, fault: Fault) {
        self.world.faults.push(fault);
    }

    /// Drops all faults that have not happened yet.
    pub fn clear_faults(&mut self) {
        self.world.faults.clear();
    }

    /// Faults that still are in the script.
    pub fn faults_left(&self) -> usize {
        self.world.faults.len()
    }

    /// Closes the connections to a broker, or to all.
    pub fn disconnect(&mut self, broker: Option<i32>) {
        for conn in self.connections_to(broker) {
            self.close(conn);
        }
    }

    /// A broker stops: its connections are closed and none are taken; its partitions and groups go to replicas
    /// and brokers that are up. A partition without another replica has no leader until the broker is up again.
    /// Down already: nothing happens.
    pub fn broker_down(&mut self, now: Now, id: i32) -> Result<(), Error> {
        let broker = self.world.broker_mut(id).ok_or_else(|| no_broker(id))?;
        broker.up = false;
        broker.paused = false;
        self.disconnect(Some(id));
        self.world.elect_leaders();
        self.settle(now);
        Ok(())
    }

    /// A broker is back, in sync; partitions that have another leader by now keep it.
    pub fn broker_up(&mut self, now: Now, id: i32) -> Result<(), Error> {
        self.world.broker_mut(id).ok_or_else(|| no_broker(id))?.up = true;
        self.world.elect_leaders();
        self.settle(now);
        Ok(())
    }

    /// Whether a broker is up; also when it is paused.
    pub fn is_up(&self, broker: i32) -> bool {
        self.world.is_up(broker)
    }

    /// A broker freezes: it takes connections and some bytes, and answers nothing. It stays leader and
    /// coordinator of what it was.
    pub fn pause(&mut self, id: i32) -> Result<(), Error> {
        self.world.broker_mut(id).ok_or_else(|| no_broker(id))?.paused = true;
        Ok(())
    }

    /// A paused broker goes on with what has come meanwhile.
    pub fn resume(&mut self, now: Now, id: i32) -> Result<(), Error> {
        self.world.broker_mut(id).ok_or_else(|| no_broker(id))?.paused = false;
        for conn in self.connections_to(Some(id)) {
            self.head_is_due(now, conn);
        }
        self.settle(now);
        Ok(())
    }

    /// Makes a broker the leader of a partition, with a new epoch; it becomes a replica if it was none.
    pub fn move_leader(&mut self, now: Now, topic: &str, partition: i32, broker: i32) -> Result<(), Error> {
        if !self.world.is_up(broker) {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!("broker {broker} is not up, so it can't lead"),
            ));
        }
        let found = self.partition_mut(topic, partition)?;
        if !found.replicas.contains(&broker) {
            found.replicas.push(broker);
        }
        if found.leader != broker {
            found.lead_by(broker);
        }
        let waiting = std::mem::take(&mut found.waiting);
        self.world.woken.extend(waiting);
        self.settle(now);
        Ok(())
    }

    /// Makes a broker the coordinator of a group, which need not exist yet.
    pub fn move_coordinator(&mut self, group: &str, broker: i32) -> Result<(), Error> {
        self.world.broker(broker).ok_or_else(|| no_broker(broker))?;
        self.world.coordinators.insert(group.to_owned(), broker);
        Ok(())
    }

    // ---- what is there

    /// `host:port` of each broker, for `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        let host = &self.world.settings.host;
        let all: Vec<String> = self.world.brokers.iter().map(|b| format!("{host}:{}", b.port)).collect();
        all.join(",")
    }

    /// The ids of all brokers.
    pub fn brokers(&self) -> Vec<i32> {
        self.world.brokers.iter().map(|b| b.id).collect()
    }

    /// The names of all topics.
    pub fn topics(&self) -> Vec<String> {
        self.world.topics.iter().map(|t| t.name.clone()).collect()
    }

    /// The leader of a partition (-1: none) and its epoch.
    pub fn leader(&self, topic: &str, partition: i32) -> Result<(i32, i32), Error> {
        let found = self.partition(topic, partition)?;
        Ok((found.leader, found.leader_epoch))
    }

    /// The coordinator of a group.
    pub fn coordinator(&self, group: &str) -> Result<i32, Error> {
        let none = || refused((COORDINATOR_NOT_AVAILABLE, "no broker is up".to_owned()));
        self.world.coordinator(group).ok_or_else(none)
    }

    /// The first offset of a partition and the one after the last.
    pub fn offsets(&self, topic: &str, partition: i32) -> Result<(i64, i64), Error> {
        let found = self.partition(topic, partition)?;
        Ok((found.log.start(), found.log.end()))
    }

    /// The batches of a partition as they are stored, oldest first; read them with
    /// [`BatchReader`](crate::record::BatchReader).
    pub fn log_batches(&self, topic: &str, partition: i32) -> Result<Vec<Bytes>, Error> {
        Ok(self.partition(topic, partition)?.log.batches().cloned().collect())
    }

    /// How a group stands; `None` if there is no such group.
    pub fn group(&self, id: &str) -> Option<GroupView> {
        self.world.groups.get(id).map(|group| GroupView {
            state: group.state().name().to_owned(),
            generation: group.generation(),
            members: group.members().map(|m| m.id.to_string()).collect(),
        })
    }

    /// What a group committed for a partition; `None` without a commit.
    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        Some(self.world.groups.get(group)?.committed(topic, partition)?.offset)
    }

    /// Requests of an API that came so far, those that a fault cut short included.
    pub fn request_count(&self, api: ApiKey) -> u64 {
        self.world.request_counts.get(&(api as i16)).copied().unwrap_or(0)
    }

    /// Open connections to a broker, or to all.
    pub fn connection_count(&self, broker: Option<i32>) -> usize {
        self.connections_to(broker).len()
    }
}
