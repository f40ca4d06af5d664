//! `Metadata`: brokers, topics, partition leaders; when the picture is too old, and how it is asked for again.
//!
//! Topics are asked for one by one as they are needed, so that a new or moved topic costs one small request and
//! not one for all; everything known is refreshed when `metadata.max.age.ms` has passed.

use super::connection_states::Backoff;
use super::request::{NodeId, NodeKey, RequestId, RequestResult, RequestSpec, Response, Target};
use crate::error::{Code, Error};
use crate::protocol::messages::{metadata_request::MetadataRequestTopic, MetadataRequest, MetadataResponse};
use crate::protocol::{ApiKey, Message, Reader, Uuid};
use crate::time::{Deadline, Nanos, Now};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub id: NodeId,
    pub host: Arc<str>,
    pub port: u16,
    pub rack: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionMetadata {
    pub index: i32,
    /// `None` while an election is under way.
    pub leader: Option<NodeId>,
    /// -1 where the broker does not tell.
    pub leader_epoch: i32,
    pub replicas: Vec<NodeId>,
    pub in_sync: Vec<NodeId>,
    pub error: Code,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMetadata {
    pub name: Arc<str>,
    /// Zero where the broker is too old to have topic ids (KIP-516).
    pub id: Uuid,
    pub internal: bool,
    /// In the order of their indexes, which have no gaps.
    pub partitions: Vec<PartitionMetadata>,
}

impl TopicMetadata {
    pub fn partition(&self, index: i32) -> Option<&PartitionMetadata> {
        usize::try_from(index).ok().and_then(|i| self.partitions.get(i))
    }
}

/// What is known of a topic that someone wants to know about.
#[derive(Clone, Debug)]
pub enum TopicState {
    /// Asked for, not answered yet, or the answer was one that passes (no leader yet, not there yet).
    Unknown {
        last: Option<Error>,
    },
    Known(Arc<TopicMetadata>),
    /// The answer will not change by itself: not authorized, invalid name.
    Failed(Error),
}

#[derive(Clone, Copy, Debug)]
pub struct MetadataSettings {
    pub max_age_ms: u64,
    pub retry: Backoff,
    pub request_timeout_ms: u64,
    /// Whether asking for a topic may create it.
    pub allow_auto_create: bool,
}

pub struct Metadata {
    settings: MetadataSettings,
    brokers: Map<NodeId, Broker>,
    controller: Option<NodeId>,
    cluster_id: Option<Arc<str>>,
    topics: Map<Arc<str>, TopicState>,
    names: Map<Uuid, Arc<str>>,
    /// Topics to ask for with the next request.
    stale: BTreeSet<Arc<str>>,
    /// Ask for everything wanted, brokers included.
    stale_all: bool,
    in_flight: Option<Asked>,
    last_full: Nanos,
    retry_at: Nanos,
    failures: u32,
    changed: BTreeSet<Arc<str>>,
    brokers_changed: bool,
    updates: u64,
    /// Why the last request was in vain.
    last_error: Option<Error>,
    rng: fastrand::Rng,
}

/// A request on its way.
struct Asked {
    id: RequestId,
    topics: Vec<Arc<str>>,
    /// It is about everything that is wanted.
    full: bool,
}

impl Metadata {
    pub fn new(settings: MetadataSettings, seed: u64) -> Metadata {
        Metadata {
            settings,
            brokers: Map::default(),
            controller: None,
            cluster_id: None,
            topics: Map::default(),
            names: Map::default(),
            stale: BTreeSet::new(),
            stale_all: true,
            in_flight: None,
            last_full: Nanos(0),
            retry_at: Nanos(0),
            failures: 0,
            changed: BTreeSet::new(),
            brokers_changed: false,
            updates: 0,
            last_error: None,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    // ---- what is known

    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.values()
    }

    pub fn controller(&self) -> Option<NodeId> {
        self.controller
    }

    pub fn cluster_id(&self) -> Option<&Arc<str>> {
        self.cluster_id.as_ref()
    }

    pub fn topic(&self, name: &str) -> Option<&TopicState> {
        self.topics.get(name)
    }

    pub fn known(&self, name: &str) -> Option<&Arc<TopicMetadata>> {
        match self.topics.get(name) {
            Some(TopicState::Known(topic)) => Some(topic),
            _ => None,
        }
    }

    pub fn leader(&self, topic: &str, partition: i32) -> Option<NodeKey> {
        self.known(topic)?.partition(partition)?.leader.map(NodeKey::data)
    }

    pub fn name_of(&self, id: Uuid) -> Option<&Arc<str>> {
        self.names.get(&id)
    }

    /// Counts the responses taken in so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Why the last request for metadata failed, if it did.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// The topics whose state the last response changed.
    pub fn changed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.changed.iter()
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty() || self.brokers_changed
    }

    pub(super) fn take_brokers_changed(&mut self) -> bool {
        std::mem::take(&mut self.brokers_changed)
    }

    // ---- what is wanted

    /// Keeps this topic in the picture from now on.
    pub fn want(&mut self, name: &Arc<str>) {
        if !self.topics.contains_key(name) {
            self.topics.insert(name.clone(), TopicState::Unknown { last: None });
            self.stale.insert(name.clone());
        }
    }

    /// Forgets a topic.
    pub fn unwant(&mut self, name: &str) {
        if let Some(TopicState::Known(topic)) = self.topics.remove(name) {
            self.names.remove(&topic.id);
        }
        self.stale.remove(name);
    }

    /// What is known of this topic turned out wrong: ask again.
    pub fn request_topic_update(&mut self, name: &Arc<str>) {
        if self.topics.contains_key(name) {
            self.stale.insert(name.clone());
        }
    }

    /// Something of the whole picture may be wrong: ask for all of it again.
    pub fn request_update(&mut self) {
        self.stale_all = true;
    }

    // ---- asking

    /// Whether a request is due; it carries what [`Metadata::request`] makes.
    pub(super) fn poll(&mut self, now: Now) -> (Option<RequestSpec>, Option<Deadline>) {
        let age_limit = self.last_full.plus_ms(self.settings.max_age_ms);
        if now.mono >= age_limit {
            self.stale_all = true;
        }
        if self.in_flight.is_some() {
            return (None, None);
        }
        if !self.stale_all && self.stale.is_empty() {
            return (None, Some(age_limit));
        }
        if now.mono < self.retry_at {
            return (None, Some(self.retry_at));
        }
        (Some(self.request()), None)
    }

    fn request(&mut self) -> RequestSpec {
        // What turns out wrong from here on is asked about again: the answer may have left already.
        let full = std::mem::take(&mut self.stale_all);
        let stale = std::mem::take(&mut self.stale);
        let names: Vec<Arc<str>> = match full {
            true => self.topics.keys().cloned().collect(),
            false => stale.into_iter().collect(),
        };
        self.in_flight = Some(Asked { id: RequestId(0), topics: names.clone(), full });
        let allow_auto_create = self.settings.allow_auto_create;
        let encode = move |w: &mut crate::protocol::Writer, version: i16| {
            let topics = names.iter().map(|n| MetadataRequestTopic { name: Some(n), ..Default::default() });
            // Before version 4 brokers create missing topics whatever the request says.
            let allow = if version >= 4 { allow_auto_create } else { true };
            MetadataRequest {
                topics: Some(topics.collect()),
                allow_auto_topic_creation: allow,
                ..Default::default()
            }
            .encode(w, version)
        };
        // From version 13 on an answer can carry a top-level error.
        RequestSpec::new(Target::Any, ApiKey::Metadata, (1, 13), self.settings.request_timeout_ms, encode)
    }

    pub(super) fn sent(&mut self, id: RequestId) {
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.id = id;
        }
    }

    /// Takes a result in. An error is one that a broker's answer gave; those of connections are known already.
    pub(super) fn on_response(
        &mut self,
        now: Now,
        id: RequestId,
        result: RequestResult,
    ) -> Option<(NodeKey, Error)> {
        let asked = self.in_flight.take_if(|f| f.id == id)?;
        let from = result.as_ref().ok().map(Response::key);
        let taken = result.map_err(|e| e.error).and_then(|r| self.take_in(&asked, &r));
        let waits = matches!(&taken, Ok(true));
        match &taken {
            Ok(_) if asked.full => self.last_full = now.mono,
            Ok(_) => {}
            Err(_) => {
                self.stale_all |= asked.full;
                self.stale.extend(asked.topics.into_iter().filter(|t| self.topics.contains_key(t)));
            }
        }
        match &taken {
            Ok(false) => self.failures = 0,
            _ => self.failures = self.failures.saturating_add(1),
        }
        if waits || taken.is_err() {
            self.retry_at = now.mono.plus_ms(self.settings.retry.after(self.failures, self.rng.f64()));
        } else {
            // Two refreshes in a row are still this far apart, however many ask for them.
            self.retry_at = now.mono.plus_ms(self.settings.retry.base_ms / 4);
        }
        self.last_error = taken.err();
        Some((from?, self.last_error.clone()?))
    }

    /// Takes a response in. `Ok(true)`: some of what was asked for must be asked for again.
    fn take_in(&mut self, asked: &Asked, answer: &Response) -> Result<bool, Error> {
        let response = MetadataResponse::decode(&mut Reader::new(&answer.body), answer.version)
            .map_err(|e| answer.unreadable(e))?;
        if response.error_code != 0 {
            let code = Code(i32::from(response.error_code));
            return Err(answer.error(code, "the broker refused the metadata request"));
        }
        if response.brokers.is_empty() {
            // A broker that is just starting: nothing of it can be used.
            return Err(answer.error(Code::BROKER_NOT_AVAILABLE, "the metadata names no broker"));
        }
        self.take_in_brokers(&response);
        let mut again = false;
        if response.topics.len() < asked.topics.len() {
            let told: HashSet<&str> = response.topics.iter().filter_map(|t| t.name).collect();
            let left_out = asked.topics.iter().filter(|t| !told.contains(&***t));
            let stale: Vec<_> = left_out.filter(|t| self.topics.contains_key(*t)).cloned().collect();
            again = !stale.is_empty();
            self.stale.extend(stale);
        }
        for topic in &response.topics {
            if let Some(name) = topic.name.filter(|n| self.topics.contains_key(*n)) {
                again |= self.take_in_topic(name, topic, answer);
            }
        }
        self.updates += 1;
        Ok(again)
    }

    fn take_in_brokers(&mut self, response: &MetadataResponse<'_>) {
        let brokers: Map<NodeId, Broker> = response
            .brokers
            .iter()
            .filter_map(|b| {
                let port = u16::try_from(b.port).ok()?;
                let broker = Broker { id: b.node_id, host: b.host.into(), port, rack: b.rack.map(Arc::from) };
                Some((b.node_id, broker))
            })
            .collect();
        if brokers != self.brokers {
            self.brokers = brokers;
            self.brokers_changed = true;
        }
        self.controller = Some(response.controller_id).filter(|id| *id >= 0);
        if let Some(id) = response.cluster_id {
            self.cluster_id = Some(id.into());
        }
    }

    fn take_in_topic(
        &mut self,
        name: &str,
        topic: &crate::protocol::messages::metadata_response::MetadataResponseTopic<'_>,
        answer: &Response,
    ) -> bool {
        let name: Arc<str> = name.into();
        let code = Code(i32::from(topic.error_code));
        let new = if code.is_ok() {
            TopicState::Known(Arc::new(topic_of(&name, topic, self.known(&name), &self.brokers)))
        } else {
            let error = answer.error(code, format!("no metadata of topic {name}"));
            match error.is_retriable() {
                true => TopicState::Unknown { last: Some(error) },
                false => TopicState::Failed(error),
            }
        };
        let mut again = matches!(new, TopicState::Unknown { .. });
        if let TopicState::Known(new) = &new {
            again = new.partitions.iter().any(|p| p.leader.is_none());
            if new.id != Uuid::default() {
                self.names.insert(new.id, name.clone());
            }
        }
        if again {
            self.stale.insert(name.clone());
        }
        let same = matches!((&new, self.topics.get(&name)),
            (TopicState::Known(new), Some(TopicState::Known(old))) if new == old);
        // A topic that was known and is gone for the moment keeps its partitions: its records wait for it.
        let keeps = matches!(
            (&new, self.topics.get(&name)),
            (TopicState::Unknown { .. }, Some(TopicState::Known(_)))
        );
        if !same && !keeps {
            self.topics.insert(name.clone(), new);
            self.changed.insert(name);
        }
        again
    }

    /// When [`Metadata::poll`] wants to be called, seen from the outside while a request is in flight.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let wants = (self.stale_all || !self.stale.is_empty()) && self.in_flight.is_none();
        wants.then_some(self.retry_at)
    }
}

/// The new picture of a topic. An answer that is older than what is known, told by its leader epoch, does not
/// take a partition's leader back (KIP-320).
fn topic_of(
    name: &Arc<str>,
    topic: &crate::protocol::messages::metadata_response::MetadataResponseTopic<'_>,
    known: Option<&Arc<TopicMetadata>>,
    brokers: &Map<NodeId, Broker>,
) -> TopicMetadata {
    let known = known.filter(|k| k.id == topic.topic_id);
    let mut partitions: Vec<PartitionMetadata> = topic
        .partitions
        .iter()
        .map(|p| {
            let new = PartitionMetadata {
                index: p.partition_index,
                // A leader without an address is none yet.
                leader: Some(p.leader_id).filter(|id| brokers.contains_key(id)),
                leader_epoch: p.leader_epoch,
                replicas: p.replica_nodes.clone(),
                in_sync: p.isr_nodes.clone(),
                error: Code(i32::from(p.error_code)),
            };
            match known.and_then(|k| k.partition(p.partition_index)) {
                Some(old) if old.leader_epoch > new.leader_epoch && new.leader_epoch >= 0 => old.clone(),
                _ => new,
            }
        })
        .collect();
    partitions.sort_by_key(|p| p.index);
    // Indexes run from 0 without gaps; should a broker ever leave one out, what lies behind it is not usable.
    let usable =
        partitions.iter().enumerate().take_while(|(i, p)| usize::try_from(p.index) == Ok(*i)).count();
    partitions.truncate(usable);
    TopicMetadata { name: name.clone(), id: topic.topic_id, internal: topic.is_internal, partitions }
}
