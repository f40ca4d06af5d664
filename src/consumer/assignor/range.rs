//! Range: each topic by itself is cut into as many runs of neighbouring partitions as it has members; the first
//! members get the longer runs. Equal partitions of equally cut topics so meet at one member.

use super::{in_order, wanted, Assignment, Counts, Member};
use crate::serialization::TopicPartition;

pub fn assign(members: &[Member], counts: &Counts) -> Assignment {
    let mut assignment = vec![Vec::new(); members.len()];
    let order = in_order(members);
    for (topic, partitions) in wanted(members, counts) {
        let readers: Vec<usize> = order
            .iter()
            .copied()
            .filter(|m| members.get(*m).is_some_and(|m| m.topics.contains(topic)))
            .collect();
        let n = i32::try_from(readers.len()).unwrap_or(i32::MAX).max(1);
        let (each, longer) = (partitions / n, partitions % n);
        let mut next = 0;
        for (i, member) in (0i32..).zip(readers) {
            let end = next + each + i32::from(i < longer);
            if let Some(own) = assignment.get_mut(member) {
                own.extend((next..end).map(|p| TopicPartition::new(topic.clone(), p)));
            }
            next = end;
        }
    }
    assignment
}
