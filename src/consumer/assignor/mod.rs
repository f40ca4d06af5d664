//! How the leader of a group shares the partitions out: pure functions from members and partition counts to an
//! assignment. Range and round robin give exactly what Java's give, because a group may have leaders of both kinds.

mod cooperative_sticky;
mod range;
mod round_robin;
#[cfg(test)]
mod tests;

use crate::config::Assignor;
use crate::serialization::TopicPartition;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A member of the group as its subscription describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    pub topics: BTreeSet<Arc<str>>,
    /// What it says it owns; nothing with the eager protocol.
    pub owned: Vec<TopicPartition>,
    /// The generation it got `owned` in; -1 when it does not say.
    pub generation: i32,
}

/// The number of partitions of each topic that exists.
pub type Counts = BTreeMap<Arc<str>, i32>;

/// The partitions of each member, in the order of the members.
pub type Assignment = Vec<Vec<TopicPartition>>;

/// Shares out the partitions of the topics in `counts` between `members`, each of which gets partitions of its own
/// topics only. Topics that are not in `counts` are left out.
pub fn assign(assignor: Assignor, members: &[Member], counts: &Counts) -> Assignment {
    match assignor {
        Assignor::Range => range::assign(members, counts),
        Assignor::RoundRobin => round_robin::assign(members, counts),
        Assignor::CooperativeSticky => cooperative_sticky::assign(members, counts),
    }
}

/// The numbers of the members in the order in which range and round robin serve them: static members first, by
/// their instance ids, then the others by their member ids.
fn in_order(members: &[Member]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| match (members.get(*a), members.get(*b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    order
}

fn compare(a: &Member, b: &Member) -> Ordering {
    match (&a.instance, &b.instance) {
        (Some(a), Some(b)) => compare_text(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_text(&a.id, &b.id),
    }
}

/// By UTF-16 code units, as Java compares, so that leaders of both kinds agree.
fn compare_text(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// The topics that at least one member wants and that exist, with their partition counts.
fn wanted<'a>(members: &[Member], counts: &'a Counts) -> Vec<(&'a Arc<str>, i32)> {
    let topics: BTreeSet<&Arc<str>> = members.iter().flat_map(|m| &m.topics).collect();
    counts.iter().filter(|(topic, n)| **n > 0 && topics.contains(topic)).map(|(t, n)| (t, *n)).collect()
}
