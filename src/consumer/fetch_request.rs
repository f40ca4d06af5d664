//! A fetch request for some partitions of one broker, and what is read off the records before they are buffered.

use super::partition_state::{PartitionId, TopicId};
use crate::client::request::{NodeId, NodeKey, RequestSpec, Target};
use crate::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use crate::protocol::messages::FetchRequest;
use crate::protocol::{ApiKey, EncodeError, Message, Uuid, Writer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Since this version topics are named by their ids (KIP-516).
pub const FIRST_WITH_IDS: i16 = 13;
/// The first that every supported broker speaks and whose records are whole batches of any size (KIP-74).
const FIRST: i16 = 4;
const LAST: i16 = 17;

/// One partition as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub epoch: u64,
    pub offset: i64,
    /// The leader epoch of the position, if it is the position that was asked for.
    pub leader_epoch: i32,
}

#[derive(Clone)]
struct Topic {
    name: Arc<str>,
    id: Uuid,
    partitions: Vec<FetchPartition>,
}

/// A request that is put together.
#[derive(Default)]
pub struct FetchPlan {
    topics: Vec<Topic>,
    places: BTreeMap<TopicId, usize>,
    pub asked: BTreeMap<PartitionId, Asked>,
}

/// How much a request may bring, and how long the broker may wait for it.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub max_partition_bytes: i32,
    pub max_wait_ms: i32,
    pub timeout_ms: u64,
}

impl FetchPlan {
    pub fn add(&mut self, id: PartitionId, name: &Arc<str>, uuid: Uuid, leader_epoch: i32, asked: Asked) {
        let place = *self.places.entry(id.topic).or_insert_with(|| {
            self.topics.push(Topic { name: name.clone(), id: uuid, partitions: Vec::new() });
            self.topics.len() - 1
        });
        let Some(topic) = self.topics.get_mut(place) else { return };
        topic.partitions.push(FetchPartition {
            partition: id.index,
            current_leader_epoch: leader_epoch,
            fetch_offset: asked.offset,
            ..Default::default()
        });
        self.asked.insert(id, asked);
    }

    pub fn len(&self) -> usize {
        self.asked.len()
    }

    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The topic that a response means: before version 13 it names it, since then it gives its id.
    pub fn topic(&self, version: i16, name: &str, uuid: Uuid) -> Option<TopicId> {
        let is_it = |topic: &Topic| match version < FIRST_WITH_IDS {
            true => *topic.name == *name,
            false => topic.id == uuid,
        };
        let place = self.topics.iter().position(is_it)?;
        self.places.iter().find(|(_, p)| **p == place).map(|(id, _)| *id)
    }

    pub fn request(&self, node: NodeId, limits: FetchLimits) -> RequestSpec {
        // Without the id of each topic, names must do.
        let last = if self.topics.iter().any(|t| t.id.is_zero()) { FIRST_WITH_IDS - 1 } else { LAST };
        let topics = self.topics.clone();
        let target = Target::Node(NodeKey::data(node));
        RequestSpec::new(target, ApiKey::Fetch, (FIRST, last), limits.timeout_ms, move |w, version| {
            encode(&topics, limits, w, version)
        })
    }
}

fn encode(topics: &[Topic], limits: FetchLimits, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
    let topics = topics.iter().map(|topic| {
        let limit = |p: &FetchPartition| FetchPartition {
            partition_max_bytes: limits.max_partition_bytes.min(limits.max_bytes),
            ..p.clone()
        };
        FetchTopic {
            topic: &topic.name,
            topic_id: topic.id,
            partitions: topic.partitions.iter().map(limit).collect(),
        }
    });
    FetchRequest {
        max_wait_ms: limits.max_wait_ms,
        min_bytes: limits.min_bytes,
        max_bytes: limits.max_bytes,
        // No session: each request names all its partitions.
        session_id: 0,
        session_epoch: -1,
        topics: topics.collect(),
        ..Default::default()
    }
    .encode(w, version)
}

/// What the framing of some records says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Whether there is at least one whole batch, or something that is none.
    pub something: bool,
    /// Where to fetch on; nothing when that is only known when the records are read.
    pub next: Option<i64>,
    /// The size of a batch that is cut, of which nothing else is there.
    pub cut: Option<usize>,
}

/// Bytes in front of what a batch's length counts, in every format.
const LOG_OVERHEAD: usize = 12;

/// Goes over the batches' frames.
pub fn scan(mut records: &[u8]) -> Scan {
    let mut scan = Scan::default();
    while let Some((offset, rest)) = records.split_first_chunk::<8>() {
        let Some((length, body)) = rest.split_first_chunk::<4>() else { break };
        let (offset, length) = (i64::from_be_bytes(*offset), i32::from_be_bytes(*length));
        let Some(size) = usize::try_from(length).ok().filter(|n| *n >= 14) else {
            return Scan { something: true, next: None, cut: None };
        };
        let Some((batch, rest)) = body.split_at_checked(size) else {
            scan.cut = (!scan.something).then_some(size.saturating_add(LOG_OVERHEAD));
            return scan;
        };
        scan.something = true;
        scan.next = last_offset(offset, batch).and_then(|last| last.checked_add(1));
        records = rest;
    }
    scan
}

/// The last offset of a batch, from what lies behind its length.
fn last_offset(offset: i64, batch: &[u8]) -> Option<i64> {
    match batch.get(4)? {
        // What the front of a message set says is the offset of its last message.
        0 | 1 => Some(offset),
        _ => {
            let delta = i32::from_be_bytes(*batch.get(11..)?.first_chunk::<4>()?);
            offset.checked_add(i64::from(delta)).filter(|_| delta >= 0)
        }
    }
}
