//! Round robin: all partitions in the order of topic and number are dealt out to the members in turn; a member that
//! does not want a topic is passed over.

use super::{in_order, wanted, Assignment, Counts, Member};
use crate::serialization::TopicPartition;

pub fn assign(members: &[Member], counts: &Counts) -> Assignment {
    let mut assignment = vec![Vec::new(); members.len()];
    let mut turn = in_order(members).into_iter().cycle();
    for (topic, partitions) in wanted(members, counts) {
        for partition in 0..partitions {
            // `wanted` gives topics with at least one reader, so one of the next `len` members takes it.
            let reader = turn
                .by_ref()
                .take(members.len())
                .find(|m| members.get(*m).is_some_and(|m| m.topics.contains(topic)));
            if let Some(own) = reader.and_then(|m| assignment.get_mut(m)) {
                own.push(TopicPartition::new(topic.clone(), partition));
            }
        }
    }
    assignment
}
