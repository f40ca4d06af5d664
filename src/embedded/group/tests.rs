//! Members of a classic group, step by step, against one coordinator.

use super::*;
use crate::embedded::ServerConn;

/// A group, a clock, and the answers by ticket number.
struct Scene {
    group: Group,
    now: Nanos,
    out: Vec<Completion>,
    tickets: u64,
}

const LIMITS: GroupLimits = GroupLimits {
    initial_rebalance_delay_ms: 0,
    min_session_timeout_ms: 100,
    max_session_timeout_ms: 60_000,
    max_size: 100,
};

fn join_params<'a>(member_id: &'a str, new_id: &str) -> JoinParams<'a> {
    JoinParams {
        member_id,
        instance_id: None,
        client_id: "c",
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer",
        protocols: vec![("range", b"meta"), ("sticky", b"more")],
        needs_known_id: false,
        can_skip_assignment: true,
        new_id: new_id.to_owned(),
    }
}

impl Scene {
    fn new() -> Scene {
        Scene::with(LIMITS)
    }
    fn with(limits: GroupLimits) -> Scene {
        Scene { group: Group::new(limits), now: Nanos(1), out: Vec::new(), tickets: 0 }
    }
    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket { conn: ServerConn(self.tickets), number: self.tickets }
    }
    fn join(&mut self, params: &JoinParams<'_>) -> u64 {
        let ticket = self.ticket();
        self.group.join(self.now, params, ticket, &mut self.out);
        ticket.number
    }
    fn sync(&mut self, member: &str, generation: i32, assignments: &[(&str, &[u8])]) -> u64 {
        let ticket = self.ticket();
        let params = SyncParams {
            member_id: member,
            generation,
            assignments: assignments.to_vec(),
            ..SyncParams::default()
        };
        self.group.sync(self.now, &params, ticket, &mut self.out);
        ticket.number
    }
    fn leave(&mut self, member: &str) -> i16 {
        self.group.leave(self.now, member, None, &mut self.out)
    }
    fn pass_ms(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while let Some(next) = self.group.on_time(self.now, &mut self.out).filter(|n| *n <= end) {
            assert!(next > self.now, "the group asks to be called again at once");
            self.now = next;
        }
        self.now = end;
    }
    fn joined(&mut self, number: u64) -> Option<JoinAnswer> {
        let at = self.out.iter().position(|c| matches!(c, Completion::Join(t, _) if t.number == number))?;
        match self.out.remove(at) {
            Completion::Join(_, answer) => Some(answer),
            Completion::Sync(..) => None,
        }
    }
    fn synced(&mut self, number: u64) -> Option<SyncAnswer> {
        let at = self.out.iter().position(|c| matches!(c, Completion::Sync(t, _) if t.number == number))?;
        match self.out.remove(at) {
            Completion::Sync(_, answer) => Some(answer),
            Completion::Join(..) => None,
        }
    }
    /// Two members, "a" (the leader) and "b", in a stable group.
    fn stable_pair() -> Scene {
        let mut s = Scene::new();
        s.join(&join_params("", "a"));
        s.join(&join_params("", "b"));
        s.join(&join_params("a", ""));
        let generation = s.group.generation();
        s.sync("b", generation, &[]);
        s.sync("a", generation, &[("a", b"0"), ("b", b"1")]);
        assert_eq!(s.group.state(), GroupState::Stable);
        s.out.clear();
        s
    }
}

#[test]
fn one_member_joins_syncs_and_leaves() {
    let mut s = Scene::new();
    let join = s.join(&join_params("", "a"));
    let answer = s.joined(join).unwrap();
    assert_eq!((answer.error, answer.generation, answer.leader.as_str()), (NONE, 1, "a"));
    assert_eq!(answer.protocol.as_deref(), Some("range"));
    assert_eq!(answer.members, [("a".to_owned(), None, Bytes::from_static(b"meta"))]);
    assert_eq!(s.group.heartbeat(s.now, "a", None, 1), NONE);
    let sync = s.sync("a", 1, &[("a", b"all")]);
    assert_eq!(s.synced(sync).unwrap().assignment, Bytes::from_static(b"all"));
    assert_eq!(s.group.state(), GroupState::Stable);
    assert_eq!(s.leave("a"), NONE);
    assert_eq!((s.group.state(), s.group.is_dead()), (GroupState::Empty, true));
    assert_eq!(s.leave("a"), UNKNOWN_MEMBER_ID);
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut s = Scene::new();
    s.join(&join_params("", "a"));
    s.sync("a", 1, &[("a", b"0")]);
    let second = s.join(&join_params("", "b"));
    assert!(s.joined(second).is_none());
    assert_eq!(s.group.heartbeat(s.now, "a", None, 1), REBALANCE_IN_PROGRESS);
    let first = s.join(&join_params("a", ""));
    let (first, second) = (s.joined(first).unwrap(), s.joined(second).unwrap());
    assert_eq!((first.generation, first.members.len()), (2, 2));
    assert_eq!((second.generation, second.members.len(), second.leader.as_str()), (2, 0, "a"));
    let waiting = s.sync("b", 2, &[]);
    assert!(s.synced(waiting).is_none());
    s.sync("a", 2, &[("a", b"0"), ("b", b"1")]);
    assert_eq!(s.synced(waiting).unwrap().assignment, Bytes::from_static(b"1"));
    let again = s.sync("b", 2, &[]);
    assert_eq!(s.synced(again).unwrap().assignment, Bytes::from_static(b"1"), "a lost answer is given again");
}

#[test]
fn who_does_not_come_back_is_out_at_the_rebalance_timeout() {
    let mut s = Scene::stable_pair();
    let join = s.join(&join_params("b", ""));
    assert!(s.joined(join).is_some(), "a follower that says the same again changes nothing");
    let leader = s.join(&join_params("a", ""));
    s.pass_ms(5_000);
    assert_eq!(s.group.heartbeat(s.now, "b", None, 2), REBALANCE_IN_PROGRESS);
    s.pass_ms(9_999);
    assert!(s.joined(leader).is_none());
    // b's session ends 10 s after its heartbeat, well before the rebalance timeout of 30 s.
    s.pass_ms(2);
    let answer = s.joined(leader).unwrap();
    assert_eq!((answer.generation, answer.members.len()), (3, 1));
}

#[test]
fn the_join_phase_ends_at_the_rebalance_timeout() {
    let mut s = Scene::stable_pair();
    let join = s.join(&join_params("a", ""));
    for _ in 0..29 {
        s.pass_ms(1_000);
        s.group.heartbeat(s.now, "b", None, 2);
    }
    assert!(s.joined(join).is_none());
    s.pass_ms(1_001);
    assert_eq!(s.joined(join).unwrap().members.len(), 1);
}

#[test]
fn silence_ends_a_session_and_the_rest_rebalances() {
    let mut s = Scene::stable_pair();
    s.pass_ms(6_000);
    assert_eq!(s.group.heartbeat(s.now, "a", None, 2), NONE);
    s.pass_ms(4_001);
    assert_eq!(s.group.members().count(), 1);
    assert_eq!(s.group.state(), GroupState::PreparingRebalance);
    assert_eq!(s.group.heartbeat(s.now, "b", None, 2), UNKNOWN_MEMBER_ID);
    let join = s.join(&join_params("a", ""));
    assert_eq!(s.joined(join).unwrap().generation, 3);
    s.sync("a", 3, &[]);
    s.pass_ms(10_001);
    assert_eq!(s.group.state(), GroupState::Empty);
}

#[test]
fn the_leader_leaves_and_another_leads() {
    let mut s = Scene::stable_pair();
    assert_eq!(s.leave("a"), NONE);
    assert_eq!(s.group.heartbeat(s.now, "b", None, 2), REBALANCE_IN_PROGRESS);
    let join = s.join(&join_params("b", ""));
    let answer = s.joined(join).unwrap();
    assert_eq!((answer.leader.as_str(), answer.members.len()), ("b", 1));
}

#[test]
fn who_does_not_sync_is_out() {
    let mut s = Scene::new();
    s.join(&join_params("", "a"));
    let b = s.join(&join_params("", "b"));
    s.join(&join_params("a", ""));
    s.joined(b).unwrap();
    let waiting = s.sync("b", 2, &[]);
    // The leader keeps its session alive but never sends the assignments.
    for _ in 0..30 {
        s.group.heartbeat(s.now, "a", None, 2);
        s.pass_ms(1_000);
    }
    s.pass_ms(1);
    assert_eq!(s.synced(waiting).unwrap().error, REBALANCE_IN_PROGRESS);
    assert_eq!(s.group.members().map(|m| m.id.to_string()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn new_members_come_back_with_their_id() {
    let mut s = Scene::new();
    let mut params = join_params("", "a");
    params.needs_known_id = true;
    let join = s.join(&params);
    let answer = s.joined(join).unwrap();
    assert_eq!((answer.error, answer.member_id.as_str()), (MEMBER_ID_REQUIRED, "a"));
    assert_eq!(s.group.members().count(), 0);
    let mut params = join_params("a", "");
    params.needs_known_id = true;
    let join = s.join(&params);
    assert_eq!(s.joined(join).unwrap().error, NONE);
    // An id that is not used is forgotten when its session would have ended.
    let mut params = join_params("", "b");
    params.needs_known_id = true;
    s.join(&params);
    s.out.clear();
    s.pass_ms(10_000);
    let late = s.join(&join_params("b", ""));
    assert_eq!(s.joined(late).unwrap().error, UNKNOWN_MEMBER_ID);
}

#[test]
fn strangers_and_old_generations_are_refused() {
    let mut s = Scene::stable_pair();
    assert_eq!(s.group.heartbeat(s.now, "x", None, 2), UNKNOWN_MEMBER_ID);
    assert_eq!(s.group.heartbeat(s.now, "a", None, 1), ILLEGAL_GENERATION);
    let sync = s.sync("a", 1, &[]);
    assert_eq!(s.synced(sync).unwrap().error, ILLEGAL_GENERATION);
    let join = s.join(&join_params("x", ""));
    assert_eq!(s.joined(join).unwrap().error, UNKNOWN_MEMBER_ID);
    let mut other = join_params("", "c");
    other.protocol_type = "connect";
    let join = s.join(&other);
    assert_eq!(s.joined(join).unwrap().error, INCONSISTENT_GROUP_PROTOCOL);
    let mut other = join_params("", "c");
    other.protocols = vec![("roundrobin", b"")];
    let join = s.join(&other);
    assert_eq!(s.joined(join).unwrap().error, INCONSISTENT_GROUP_PROTOCOL);
    let mut other = join_params("", "c");
    other.session_timeout_ms = 99;
    let join = s.join(&other);
    assert_eq!(s.joined(join).unwrap().error, INVALID_SESSION_TIMEOUT);
    assert_eq!(s.group.state(), GroupState::Stable);
}

#[test]
fn the_protocol_that_all_know_and_most_prefer_is_chosen() {
    let mut s = Scene::new();
    s.join(&join_params("", "a"));
    let mut only_sticky = join_params("", "b");
    only_sticky.protocols = vec![("other", b""), ("sticky", b"s")];
    let b = s.join(&only_sticky);
    s.join(&join_params("a", ""));
    assert_eq!(s.joined(b).unwrap().protocol.as_deref(), Some("sticky"));
}

#[test]
fn the_first_rebalance_waits_for_more_members() {
    let mut s = Scene::with(GroupLimits { initial_rebalance_delay_ms: 3_000, ..LIMITS });
    let a = s.join(&join_params("", "a"));
    s.pass_ms(2_900);
    assert!(s.joined(a).is_none());
    let b = s.join(&join_params("", "b"));
    s.pass_ms(200);
    assert!(s.joined(a).is_none(), "the delay begins again when somebody has come");
    s.pass_ms(3_000);
    assert_eq!(s.joined(a).unwrap().members.len() + s.joined(b).unwrap().members.len(), 2);
    assert_eq!(s.group.generation(), 1);
}

#[test]
fn a_static_member_takes_its_place_again() {
    let mut s = Scene::new();
    let mut params = join_params("", "i-1");
    params.instance_id = Some("i");
    let join = s.join(&params);
    assert_eq!(s.joined(join).unwrap().member_id, "i-1");
    s.sync("i-1", 1, &[("i-1", b"0")]);
    s.out.clear();
    params.new_id = "i-2".to_owned();
    let join = s.join(&params);
    let answer = s.joined(join).unwrap();
    assert_eq!((answer.error, answer.generation, answer.member_id.as_str()), (NONE, 1, "i-2"));
    assert!(answer.skip_assignment && answer.leader == "i-2");
    assert_eq!(s.group.state(), GroupState::Stable);
    assert_eq!(s.group.heartbeat(s.now, "i-1", Some("i"), 1), FENCED_INSTANCE_ID);
    let sync = s.sync("i-2", 1, &[]);
    assert_eq!(s.synced(sync).unwrap().assignment, Bytes::from_static(b"0"));
    // Another subscription changes nothing, another assignor does.
    params.new_id = "i-3".to_owned();
    params.protocols = vec![("range", b"changed"), ("sticky", b"")];
    let join = s.join(&params);
    assert_eq!(s.joined(join).unwrap().generation, 1);
    params.new_id = "i-4".to_owned();
    params.protocols = vec![("sticky", b"")];
    let join = s.join(&params);
    assert_eq!(s.joined(join).unwrap().generation, 2);
    assert_eq!(s.group.leave(s.now, "", Some("i"), &mut s.out), NONE);
    assert!(!s.group.has_members());
}

#[test]
fn commits_are_taken_from_members_and_from_anyone_in_an_empty_group() {
    let mut s = Scene::new();
    assert_eq!(s.group.check_commit(s.now, "", None, -1), Ok(()));
    assert_eq!(s.group.check_commit(s.now, "x", None, 3), Err(UNKNOWN_MEMBER_ID));
    let mut s = Scene::stable_pair();
    assert_eq!(s.group.check_commit(s.now, "", None, -1), Err(UNKNOWN_MEMBER_ID));
    assert_eq!(s.group.check_commit(s.now, "b", None, 1), Err(ILLEGAL_GENERATION));
    assert_eq!(s.group.check_commit(s.now, "b", None, 2), Ok(()));
    s.join(&join_params("a", ""));
    assert_eq!(s.group.check_commit(s.now, "b", None, 2), Ok(()), "revoked partitions are committed then");
    s.join(&join_params("b", ""));
    assert_eq!(s.group.check_commit(s.now, "b", None, 3), Err(REBALANCE_IN_PROGRESS));
    let committed = CommittedOffset { offset: 5, leader_epoch: 0, metadata: "m".to_owned() };
    s.group.commit("t", 1, committed.clone());
    assert_eq!(s.group.committed("t", 1), Some(&committed));
    assert_eq!(s.group.committed("t", 0), None);
    s.group.forget_topic("t");
    assert_eq!(s.group.all_committed().count(), 0);
}
