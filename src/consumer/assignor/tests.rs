//! The assignors by their results: fair, complete, and sticky where they promise it.

use super::*;
use proptest::prelude::*;

fn member(id: &str, topics: &[&str]) -> Member {
    Member {
        id: id.into(),
        instance: None,
        topics: topics.iter().map(|t| Arc::from(*t)).collect(),
        owned: Vec::new(),
        generation: -1,
    }
}

fn counts(list: &[(&str, i32)]) -> Counts {
    list.iter().map(|(t, n)| (Arc::from(*t), *n)).collect()
}

fn shown(assignment: &Assignment) -> Vec<String> {
    assignment.iter().map(|own| own.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn range_gives_the_longer_runs_to_the_first_members_of_each_topic() {
    // The example of Java's RangeAssignor: two topics of three partitions, two consumers.
    let members = [member("C0", &["t0", "t1"]), member("C1", &["t0", "t1"])];
    let got = assign(Assignor::Range, &members, &counts(&[("t0", 3), ("t1", 3)]));
    assert_eq!(shown(&got), ["t0-0 t0-1 t1-0 t1-1", "t0-2 t1-2"]);
}

#[test]
fn range_with_mixed_topics_and_more_members_than_partitions() {
    let members =
        [member("c", &["a"]), member("a", &["a", "b"]), member("b", &["a", "missing"]), member("d", &["b"])];
    let got = assign(Assignor::Range, &members, &counts(&[("a", 2), ("b", 5), ("unread", 3)]));
    assert_eq!(shown(&got), ["", "a-0 b-0 b-1 b-2", "a-1", "b-3 b-4"]);
}

#[test]
fn static_members_come_first_by_instance_id() {
    let mut members = vec![member("a", &["t"]), member("z", &["t"]), member("y", &["t"])];
    members[1].instance = Some("i1".into());
    members[2].instance = Some("i2".into());
    let got = assign(Assignor::Range, &members, &counts(&[("t", 4)]));
    assert_eq!(shown(&got), ["t-3", "t-0 t-1", "t-2"]);
    let got = assign(Assignor::RoundRobin, &members, &counts(&[("t", 4)]));
    assert_eq!(shown(&got), ["t-2", "t-0 t-3", "t-1"]);
}

#[test]
fn round_robin_as_in_javas_examples() {
    let members = [member("C0", &["t0", "t1"]), member("C1", &["t0", "t1"])];
    let got = assign(Assignor::RoundRobin, &members, &counts(&[("t0", 3), ("t1", 3)]));
    assert_eq!(shown(&got), ["t0-0 t0-2 t1-1", "t0-1 t1-0 t1-2"]);
    let members = [member("C0", &["t0"]), member("C1", &["t0", "t1"]), member("C2", &["t0", "t1", "t2"])];
    let got = assign(Assignor::RoundRobin, &members, &counts(&[("t0", 1), ("t1", 2), ("t2", 3)]));
    assert_eq!(shown(&got), ["t0-0", "t1-0", "t1-1 t2-0 t2-1 t2-2"]);
}

#[test]
fn nobody_and_nothing() {
    for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::CooperativeSticky] {
        assert!(assign(assignor, &[], &counts(&[("t", 3)])).is_empty());
        let alone = [member("m", &["t"])];
        assert_eq!(shown(&assign(assignor, &alone, &counts(&[]))), [""]);
        assert_eq!(shown(&assign(assignor, &alone, &counts(&[("t", 0)]))), [""]);
    }
}

#[test]
fn of_two_claims_the_later_generation_counts() {
    let t0 = TopicPartition::new("t", 0);
    let mut members = [member("a", &["t"]), member("b", &["t"])];
    members[0].owned = vec![t0.clone()];
    members[0].generation = 4;
    members[1].owned = vec![t0.clone()];
    members[1].generation = 5;
    let got = assign(Assignor::CooperativeSticky, &members, &counts(&[("t", 2)]));
    // b keeps t-0, but gets it only once a has given up its stale claim.
    assert_eq!(shown(&got), ["t-1", ""]);
    members[0].owned.clear();
    let got = assign(Assignor::CooperativeSticky, &members, &counts(&[("t", 2)]));
    assert_eq!(shown(&got), ["t-1", "t-0"]);
}

#[test]
fn claims_out_of_range_are_ignored() {
    let mut members = [member("a", &["t"])];
    members[0].owned =
        vec![TopicPartition::new("t", -1), TopicPartition::new("t", i32::MAX), TopicPartition::new("x", 0)];
    let got = assign(Assignor::CooperativeSticky, &members, &counts(&[("t", 1), ("x", 1)]));
    assert_eq!(shown(&got), ["t-0"]);
}

#[test]
fn a_joining_member_gets_its_share_in_the_second_generation() {
    let count = counts(&[("t", 6)]);
    let mut members = vec![member("a", &["t"]), member("b", &["t"])];
    settle(&mut members, &count);
    let before: Vec<BTreeSet<_>> = members.iter().map(|m| m.owned.iter().cloned().collect()).collect();
    members.push(member("c", &["t"]));
    let first = assign(Assignor::CooperativeSticky, &members, &count);
    assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 0]);
    for (own, before) in first.iter().zip(&before) {
        assert!(own.iter().all(|p| before.contains(p)), "kept what it had");
    }
    settle(&mut members, &count);
    assert_eq!(members.iter().map(|m| m.owned.len()).collect::<Vec<_>>(), [2, 2, 2]);
}

/// Rebalances until nothing moves; returns how many generations it took.
fn settle(members: &mut [Member], counts: &Counts) -> i32 {
    for generation in 1..10 {
        let got = assign(Assignor::CooperativeSticky, members, counts);
        let same = members.iter().zip(&got).all(|(m, own)| m.owned == *own);
        for (member, own) in members.iter_mut().zip(got) {
            member.owned = own;
            member.generation = generation;
        }
        if same {
            return generation;
        }
    }
    panic!("it does not settle: {members:?}");
}

fn check(members: &[Member], counts: &Counts, own: &[Vec<TopicPartition>]) {
    let mut seen = BTreeSet::new();
    for (member, own) in members.iter().zip(own) {
        for p in own {
            assert!(seen.insert(p.clone()), "{p} was given twice");
            assert!(member.topics.contains(&p.topic), "{p} was given to {} that does not want it", member.id);
        }
    }
    for (topic, n) in counts {
        let wanted = members.iter().any(|m| m.topics.contains(topic));
        for index in 0..*n {
            assert_eq!(seen.contains(&TopicPartition::new(topic.clone(), index)), wanted, "{topic}-{index}");
        }
    }
}

fn check_balance(members: &[Member], own: &[Vec<TopicPartition>]) {
    for from in own {
        for p in from {
            for (member, to) in members.iter().zip(own) {
                let better = member.topics.contains(&p.topic) && from.len() > to.len() + 1;
                assert!(!better, "{p} should move to {}: {own:?}", member.id);
            }
        }
    }
}

fn group() -> impl Strategy<Value = (Vec<Member>, Counts)> {
    let topics = proptest::collection::vec(0i32..8, 1..5);
    let members = proptest::collection::vec(proptest::collection::vec(any::<bool>(), 4), 1..7);
    (topics, members, any::<bool>()).prop_map(|(topics, members, same)| {
        let names = ["a", "b", "c", "d"];
        let counts = names.iter().zip(topics).map(|(t, n)| (Arc::from(*t), n)).collect();
        let members = members.into_iter().enumerate().map(|(i, wants)| {
            let own =
                names.iter().zip(wants).filter(|(_, w)| *w || same).map(|(n, _)| *n).collect::<Vec<_>>();
            member(&format!("m{i}"), &own)
        });
        (members.collect(), counts)
    })
}

proptest! {
    #[test]
    fn every_partition_has_one_reader((members, counts) in group()) {
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::CooperativeSticky] {
            check(&members, &counts, &assign(assignor, &members, &counts));
        }
    }

    #[test]
    fn cooperative_sticky_is_balanced((members, counts) in group()) {
        check_balance(&members, &assign(Assignor::CooperativeSticky, &members, &counts));
    }

    #[test]
    fn it_settles_balanced_after_members_come_and_go(
        (mut members, counts) in group(),
        leave in any::<proptest::sample::Index>(),
        join in any::<bool>(),
    ) {
        settle(&mut members, &counts);
        if join {
            members.push(member("late", &["a", "b", "c", "d"]));
        } else if members.len() > 1 {
            members.remove(leave.index(members.len()));
        }
        prop_assert!(settle(&mut members, &counts) <= 3);
        let own: Vec<_> = members.iter().map(|m| m.owned.clone()).collect();
        check(&members, &counts, &own);
        check_balance(&members, &own);
    }

    #[test]
    fn when_all_want_the_same_a_leaver_costs_nobody_a_partition(
        n in 2usize..6, partitions in 0i32..30, leave in any::<proptest::sample::Index>(),
    ) {
        let counts = counts(&[("t", partitions)]);
        let mut members: Vec<Member> = (0..n).map(|i| member(&format!("m{i}"), &["t"])).collect();
        settle(&mut members, &counts);
        members.remove(leave.index(n));
        let got = assign(Assignor::CooperativeSticky, &members, &counts);
        for (member, own) in members.iter().zip(&got) {
            prop_assert!(member.owned.iter().all(|p| own.contains(p)), "{:?} lost of {:?}", own, member.owned);
        }
        check(&members, &counts, &got);
    }

    #[test]
    fn when_all_want_the_same_a_joiner_moves_only_its_share(n in 1usize..6, partitions in 0i32..30) {
        let counts = counts(&[("t", partitions)]);
        let mut members: Vec<Member> = (0..n).map(|i| member(&format!("m{i}"), &["t"])).collect();
        settle(&mut members, &counts);
        let before = members.clone();
        members.push(member("late", &["t"]));
        settle(&mut members, &counts);
        let kept: usize = before.iter().zip(&members)
            .map(|(b, m)| b.owned.iter().filter(|p| m.owned.contains(p)).count()).sum();
        let share = partitions as usize / members.len() + 1;
        prop_assert!(kept + share >= partitions as usize, "{} moved, its share is {}", partitions as usize - kept, share);
    }
}
