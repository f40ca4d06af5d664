//! Cooperative sticky: as balanced as the subscriptions allow, and members keep what they own as far as balance
//! allows. A partition that changes its owner is given to nobody in this generation: its old owner first gives it up
//! and rejoins, and the next generation hands it out (KIP-429).
//!
//! Balanced means: no partition could move to another of its readers that has at least two partitions fewer.

use super::{compare_text, wanted, Assignment, Counts, Member};
use crate::serialization::TopicPartition;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One member's place, in the order of member ids.
type Place = usize;

struct Topic {
    name: Arc<str>,
    /// Who wants it.
    readers: Vec<Place>,
}

/// Partitions are numbers here, in the order of topic and index.
struct Partition {
    topic: usize,
    index: i32,
    /// Who owned it last, as far as the members agree.
    before: Option<Place>,
    owner: Option<Place>,
}

struct Plan<'a> {
    /// In the order of their ids.
    members: Vec<&'a Member>,
    topics: Vec<Topic>,
    partitions: Vec<Partition>,
    loads: Vec<usize>,
}

pub fn assign(members: &[Member], counts: &Counts) -> Assignment {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| match (members.get(*a), members.get(*b)) {
        (Some(a), Some(b)) => compare_text(&a.id, &b.id),
        _ => Ordering::Equal,
    });
    let mut plan = Plan::new(order.iter().filter_map(|m| members.get(*m)).collect(), counts);
    if plan.all_want_the_same() {
        plan.keep_quotas();
        plan.give_rest();
    } else {
        plan.keep_all();
        plan.give_rest();
        while plan.move_one() {}
    }
    let own = plan.into_assignment();
    let mut assignment = vec![Vec::new(); members.len()];
    for (member, own) in order.into_iter().zip(own) {
        if let Some(slot) = assignment.get_mut(member) {
            *slot = own;
        }
    }
    withhold_moving(members, &mut assignment);
    assignment
}

impl<'a> Plan<'a> {
    fn new(members: Vec<&'a Member>, counts: &Counts) -> Plan<'a> {
        let all: Vec<Member> = members.iter().map(|m| (*m).clone()).collect();
        let mut plan =
            Plan { loads: vec![0; members.len()], members, topics: Vec::new(), partitions: Vec::new() };
        let mut numbers: BTreeMap<Arc<str>, (usize, i32)> = BTreeMap::new();
        for (name, count) in wanted(&all, counts) {
            let readers = (0..plan.members.len())
                .filter(|m| plan.members.get(*m).is_some_and(|m| m.topics.contains(name)))
                .collect();
            numbers.insert(name.clone(), (plan.partitions.len(), count));
            let topic = plan.topics.len();
            plan.topics.push(Topic { name: name.clone(), readers });
            plan.partitions.extend((0..count).map(|index| Partition {
                topic,
                index,
                before: None,
                owner: None,
            }));
        }
        plan.settle_claims(&numbers);
        plan
    }

    /// Who owned what: of several claims the one of the latest generation counts; when two members claim the same
    /// partition in the same generation, nobody keeps it.
    fn settle_claims(&mut self, numbers: &BTreeMap<Arc<str>, (usize, i32)>) {
        let mut latest = vec![i32::MIN; self.partitions.len()];
        for (place, member) in self.members.iter().enumerate() {
            for owned in &member.owned {
                let Some((first, count)) = numbers.get(&owned.topic) else { continue };
                if !member.topics.contains(&owned.topic) || !(0..*count).contains(&owned.partition) {
                    continue;
                }
                let number = first + owned.partition as usize;
                let (Some(partition), Some(latest)) =
                    (self.partitions.get_mut(number), latest.get_mut(number))
                else {
                    continue;
                };
                match member.generation.cmp(latest) {
                    Ordering::Greater => (partition.before, *latest) = (Some(place), member.generation),
                    Ordering::Equal if partition.before != Some(place) => partition.before = None,
                    _ => {}
                }
            }
        }
    }

    fn all_want_the_same(&self) -> bool {
        self.topics.iter().all(|t| t.readers.len() == self.members.len())
    }

    fn load(&self, member: Place) -> usize {
        self.loads.get(member).copied().unwrap_or(0)
    }

    fn give(&mut self, number: usize, to: Place) {
        let Some(partition) = self.partitions.get_mut(number) else { return };
        let from = partition.owner.replace(to);
        if let Some(load) = from.and_then(|m| self.loads.get_mut(m)) {
            *load -= 1;
        }
        if let Some(load) = self.loads.get_mut(to) {
            *load += 1;
        }
    }

    /// Every member keeps what it owned.
    fn keep_all(&mut self) {
        for number in 0..self.partitions.len() {
            if let Some(before) = self.partitions.get(number).and_then(|p| p.before) {
                self.give(number, before);
            }
        }
    }

    /// Every member keeps what it owned up to its fair share; as many as the division leaves over keep one more.
    fn keep_quotas(&mut self) {
        if self.members.is_empty() {
            return;
        }
        let share = self.partitions.len() / self.members.len();
        let mut longer = self.partitions.len() % self.members.len();
        for number in 0..self.partitions.len() {
            let Some(before) = self.partitions.get(number).and_then(|p| p.before) else { continue };
            let load = self.load(before);
            if load < share {
                self.give(number, before);
            } else if load == share && longer > 0 {
                longer -= 1;
                self.give(number, before);
            }
        }
    }

    /// Gives what nobody has to the reader that has the least; what few can read comes first.
    fn give_rest(&mut self) {
        let mut rest: Vec<(usize, usize)> = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, p)| p.owner.is_none())
            .map(|(number, p)| (self.topics.get(p.topic).map_or(0, |t| t.readers.len()), number))
            .collect();
        rest.sort_unstable();
        if self.all_want_the_same() {
            let mut idle: BTreeSet<(usize, Place)> = self.loads.iter().copied().zip(0..).collect();
            for (_, number) in rest {
                let Some((load, member)) = idle.pop_first() else { return };
                self.give(number, member);
                idle.insert((load + 1, member));
            }
            return;
        }
        for (_, number) in rest {
            let topic = self.partitions.get(number).map(|p| p.topic);
            if let Some((_, member)) = topic.and_then(|t| self.least_loaded(t)) {
                self.give(number, member);
            }
        }
    }

    fn least_loaded(&self, topic: usize) -> Option<(usize, Place)> {
        self.topics.get(topic)?.readers.iter().map(|m| (self.load(*m), *m)).min()
    }

    /// Moves partitions that make the assignment more even. Each move makes the sum of the squared loads smaller,
    /// so there is an end to it. Returns whether there was one.
    fn move_one(&mut self) -> bool {
        let mut moved = false;
        // First those that their owner does not lose by it: it did not have them before either.
        for only_new in [true, false] {
            for number in 0..self.partitions.len() {
                let Some(p) = self.partitions.get(number) else { continue };
                let Some(owner) = p.owner else { continue };
                if only_new && p.before == Some(owner) {
                    continue;
                }
                let Some((least, to)) = self.least_loaded(p.topic) else { continue };
                if self.load(owner) > least + 1 {
                    self.give(number, to);
                    moved = true;
                }
            }
            if moved {
                return true;
            }
        }
        false
    }

    fn into_assignment(self) -> Assignment {
        let mut own = vec![Vec::new(); self.members.len()];
        for p in &self.partitions {
            let slot = p.owner.and_then(|m| own.get_mut(m));
            if let (Some(slot), Some(topic)) = (slot, self.topics.get(p.topic)) {
                slot.push(TopicPartition::new(topic.name.clone(), p.index));
            }
        }
        own
    }
}

/// Takes out of each member's partitions those that another member still has.
fn withhold_moving(members: &[Member], assignment: &mut Assignment) {
    let mut owners: BTreeMap<&TopicPartition, Vec<usize>> = BTreeMap::new();
    for (m, member) in members.iter().enumerate() {
        for owned in &member.owned {
            owners.entry(owned).or_default().push(m);
        }
    }
    for (m, own) in assignment.iter_mut().enumerate() {
        own.retain(|p| owners.get(p).is_none_or(|owners| owners.iter().all(|o| *o == m)));
    }
}
