//! Positions and assignments as calls, responses and rebalances change them.

use super::*;

fn tp(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

fn assigned(reset: Option<End>) -> (SubscriptionState, PartitionId) {
    let mut s = SubscriptionState::new(true, reset);
    s.assign(&[tp("t", 0)]).unwrap();
    let id = s.find(&tp("t", 0)).unwrap();
    (s, id)
}

fn at(offset: i64) -> Position {
    Position { offset, leader_epoch: 3 }
}

fn place(s: &mut SubscriptionState, id: PartitionId, offset: i64) -> u64 {
    let epoch = s.get(id).unwrap().epoch;
    s.on_committed(id, epoch, Some(at(offset)));
    s.get(id).unwrap().epoch
}

#[test]
fn a_partition_begins_at_its_committed_offset_or_where_the_policy_says() {
    let (mut s, id) = assigned(Some(End::Beginning));
    let (due, _) = s.take_needing_offset(Nanos(0));
    assert_eq!(due.len(), 1);
    assert!(s.take_needing_offset(Nanos(0)).0.is_empty(), "asked once");
    assert!(s.on_committed(id, due[0].1, None));
    assert_eq!(s.get(id).unwrap().place, Place::Reset(End::Beginning));
    assert!(s.take_needing_reset(Nanos(0), |_, _| false).0.is_empty(), "no leader is known");
    let (due, _) = s.take_needing_reset(Nanos(0), |_, _| true);
    s.on_reset(id, due[0].1, at(5));
    assert_eq!(s.position(&tp("t", 0)).unwrap().unwrap().offset, 5);
}

#[test]
fn without_a_policy_there_is_nowhere_to_go() {
    let (mut s, id) = assigned(None);
    let (due, _) = s.take_needing_offset(Nanos(0));
    assert!(!s.on_committed(id, due[0].1, None));
    s.back_off(id, due[0].1, Nanos(100), Some(Error::new(Code::NO_OFFSET, "none")), None);
    assert_eq!(s.take_needing_offset(Nanos(99)), (Vec::new(), Some(Nanos(100))));
    assert_eq!(s.take_needing_offset(Nanos(100)).0.len(), 1);
    assert_eq!(s.position(&tp("t", 0)).unwrap().unwrap_err().unwrap().code(), Code::NO_OFFSET);
}

#[test]
fn stale_answers_change_nothing() {
    let (mut s, id) = assigned(Some(End::End));
    let old = s.get(id).unwrap().epoch;
    s.seek(&tp("t", 0), at(7)).unwrap();
    assert!(s.on_committed(id, old, Some(at(1))));
    s.on_reset(id, old, at(2));
    s.back_off(id, old, Nanos(9), None, None);
    assert!(!s.advance(id, old, 7, at(8)));
    assert!(s.on_out_of_range(id, old));
    assert_eq!(s.position(&tp("t", 0)).unwrap().unwrap(), at(7));
    assert_eq!(s.get(id).unwrap().retry_at, Nanos(0));
}

#[test]
fn only_what_a_former_poll_gave_is_to_be_committed() {
    let (mut s, id) = assigned(Some(End::End));
    let epoch = place(&mut s, id, 10);
    assert!(!s.acknowledge(), "it is committed already");
    assert!(s.advance(id, epoch, 10, at(12)));
    assert!(!s.has_uncommitted());
    assert!(s.acknowledge());
    assert!(s.advance(id, epoch, 12, at(15)));
    let taken = s.take_uncommitted(false);
    assert_eq!((taken.len(), taken[0].1.offset, taken[0].1.leader_epoch), (1, 12, 3));
    assert!(s.take_uncommitted(false).is_empty());
    s.put_back_uncommitted([tp("t", 0), tp("gone", 0)].into_iter());
    assert_eq!(s.take_uncommitted(false).len(), 1);
    s.acknowledge();
    assert_eq!(s.take_uncommitted(false)[0].1.offset, 15);
    assert_eq!(s.take_uncommitted(true).len(), 1, "all of it, now and then");
}

#[test]
fn a_position_that_was_found_is_committed_although_nothing_was_read() {
    let (mut s, id) = assigned(Some(End::End));
    let epoch = s.get(id).unwrap().epoch;
    s.on_committed(id, epoch, None);
    let epoch = s.get(id).unwrap().epoch;
    s.on_reset(id, epoch, at(4));
    assert!(s.acknowledge());
    assert_eq!(s.take_uncommitted(false)[0].1.offset, 4);
}

#[test]
fn what_stays_assigned_keeps_its_position() {
    let (mut s, id) = assigned(Some(End::End));
    let epoch = place(&mut s, id, 10);
    s.assign(&[tp("t", 0), tp("t", 1)]).unwrap();
    assert_eq!(s.current(id, epoch).unwrap().position(), Some(at(10)));
    s.assign(&[tp("t", 1)]).unwrap();
    assert!(s.get(id).is_none());
    s.assign(&[tp("t", 0)]).unwrap();
    assert_eq!(s.get(id).unwrap().place, Place::Unknown);
}

#[test]
fn fetches_ahead_are_counted_and_begin_anew_after_a_jump() {
    let (mut s, id) = assigned(Some(End::End));
    let epoch = place(&mut s, id, 10);
    let state = s.current_mut(id, epoch).unwrap();
    assert_eq!((state.next_fetch, state.is_blocked()), (Some(10), false));
    (state.next_fetch, state.buffered) = (Some(30), 2);
    assert!(state.is_blocked());
    assert!(s.drained(id, epoch), "the fetcher waited for it");
    assert!(!s.drained(id, epoch));
    let state = s.current_mut(id, epoch).unwrap();
    (state.next_fetch, state.buffered) = (None, 1);
    assert!(s.advance(id, epoch, 10, at(20)));
    assert!(s.drained(id, epoch));
    assert_eq!(s.get(id).unwrap().next_fetch, Some(20));
    s.current_mut(id, epoch).unwrap().buffered = 2;
    s.refetch(id, epoch, Nanos(7), None);
    let state = s.get(id).unwrap();
    assert_eq!((state.next_fetch, state.buffered, state.retry_at), (Some(20), 0, Nanos(7)));
    assert_ne!(state.epoch, epoch);
}

#[test]
fn for_the_application_a_revoked_partition_is_assigned_until_it_is_told() {
    let mut s = SubscriptionState::new(true, Some(End::End));
    s.subscribe(["t".into()].into()).unwrap();
    s.add_from_group(&[tp("t", 0), tp("t", 1)]);
    let id = s.find(&tp("t", 0)).unwrap();
    let epoch = place(&mut s, id, 10);
    s.start_revoking(&[tp("t", 0)]);
    assert!(s.current(id, epoch).is_none(), "what was fetched is stale");
    assert!(!s.get(id).unwrap().is_readable());
    assert_eq!((s.assignment().len(), s.kept().len(), s.owned().len()), (2, 1, 2));
    s.set_paused(&tp("t", 0), true).unwrap();
    s.seek(&tp("t", 0), at(7)).unwrap();
    assert_eq!(s.position(&tp("t", 0)).unwrap().unwrap(), at(7), "where the next member begins");
    assert!(!s.get(id).unwrap().is_readable());
    s.seek_to(&tp("t", 0), End::Beginning).unwrap();
    assert_eq!(s.position(&tp("t", 0)).unwrap().unwrap(), at(7), "nobody looks for it any more");
    s.tell_revoked();
    assert_eq!(s.assignment(), [tp("t", 1)]);
    assert!(s.seek(&tp("t", 0), at(0)).is_err());
    assert_eq!(s.all_positions()[0].0, tp("t", 0), "it can be committed still");
    s.finish_revoking();
    assert_eq!((s.owned(), s.all_positions().len()), (vec![tp("t", 1)], 0));
}

#[test]
fn lost_partitions_can_be_neither_read_nor_committed() {
    let mut s = SubscriptionState::new(true, Some(End::End));
    s.subscribe(["t".into()].into()).unwrap();
    s.add_from_group(&[tp("t", 0), tp("t", 1), tp("t", 2)]);
    let id = s.find(&tp("t", 0)).unwrap();
    let epoch = place(&mut s, id, 10);
    s.advance(id, epoch, 10, at(11));
    s.start_revoking(&[tp("t", 1)]);
    s.tell_revoked();
    assert_eq!(s.lose_all(), [tp("t", 0), tp("t", 2)], "the revoked one is known to be gone");
    assert!(!s.acknowledge() && s.take_uncommitted(true).is_empty() && s.all_positions().is_empty());
    assert_eq!((s.assignment().len(), s.owned().len()), (2, 0));
    s.set_paused(&tp("t", 0), true).unwrap();
    // One comes back before the event was seen.
    s.add_from_group(&[tp("t", 2)]);
    s.tell_lost();
    assert_eq!(s.assignment(), [tp("t", 2)]);
    assert_eq!(s.take_needing_offset(Nanos(0)).0.len(), 1);
}

#[test]
fn topics_of_interest_are_counted() {
    let mut s = SubscriptionState::new(true, None);
    s.subscribe(["a".into()].into()).unwrap();
    s.set_group_topics(["b".into()].into());
    s.add_lookup(&"c".into());
    s.add_lookup(&"c".into());
    s.remove_lookup(&"c".into());
    let topics: Vec<Arc<str>> = s.topics().into_iter().collect();
    assert_eq!(topics, ["a".into(), "b".into(), "c".into()]);
    s.remove_lookup(&"c".into());
    s.unsubscribe();
    assert!(s.topics().is_empty());
    assert_eq!(s.session(), 1);
}

#[test]
fn what_is_lost_before_the_own_commit_is_not_committed() {
    let mut s = SubscriptionState::new(true, Some(End::End));
    s.subscribe(["t".into()].into()).unwrap();
    s.add_from_group(&[tp("t", 0)]);
    let id = s.find(&tp("t", 0)).unwrap();
    let epoch = place(&mut s, id, 10);
    assert!(s.advance(id, epoch, 10, at(11)));
    assert!(s.acknowledge());
    s.lose_all();
    assert!(s.take_uncommitted(false).is_empty());
}
