//! The classic group protocol: a member joins, the leader assigns, all sync, and heartbeats keep it alive.
//!
//! A rebalance takes partitions away only with the application's knowledge: it sees a revoked event, and its next
//! poll says that it is done. Meanwhile heartbeats go on, so a slow application costs nothing but the group's time
//! (up to `max.poll.interval.ms`). With the eager protocol a member gives up everything before it joins; with the
//! cooperative one it keeps what it has, and gives up only what the new assignment takes away (KIP-429).

mod answers;
mod leaving;
mod requests;

use super::commits::{Commits, COMMIT_AGAIN};
use super::consumer_protocol as protocol;
use super::turn::{GroupSettings, Identity, Purpose, Turn};
use crate::client::metadata::{Metadata, TopicState};
use crate::client::request::{NodeKey, RequestId};
use crate::config::Assignor;
use crate::consumer::assignor::{self, Counts, Member};
use crate::consumer::shared::Shared;
use crate::consumer::types::Event;
use crate::error::{Code, Error};
use crate::log::{Context, Logger};
use crate::serialization::TopicPartition;
use crate::time::{earlier, Deadline, Nanos, Now};
use leaving::Farewell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long a leader waits for metadata of topics of others; then it assigns without them, and again when it comes.
const ELECTION_MS: u64 = 5_000;

enum State {
    /// In no group.
    Out,
    /// Left because nobody polled; back with the first poll after so many.
    Evicted {
        polls: u64,
    },
    /// Partitions are to be given up: the event with this number is not seen yet, or (`until`) the own commit goes on.
    Revoking {
        number: u64,
        until: Option<Nanos>,
    },
    /// About to join.
    Joining,
    /// The leader waits for metadata.
    Electing {
        members: Vec<Member>,
        until: Nanos,
    },
    Syncing,
    Stable,
    /// About to leave, as soon as the commits are through, at the latest at the first of these moments; the coordinator
    /// is told until the second.
    Leaving {
        commits_until: Nanos,
        until: Nanos,
    },
    /// Out, and the coordinator is being told.
    Left(Farewell),
    /// Something that will not pass by itself.
    Failed,
}

pub struct ClassicMember {
    shared: Arc<Shared>,
    settings: Arc<GroupSettings>,
    log: Logger,
    state: State,
    wanted: bool,
    member_id: Arc<str>,
    /// -1 outside of any.
    generation: i32,
    protocol: Assignor,
    /// The join or sync that is under way.
    request: Option<RequestId>,
    /// What was subscribed to when it joined.
    joined_topics: BTreeSet<Arc<str>>,
    /// The leader's: what it made the assignment of.
    assigned_of: Option<(BTreeSet<Arc<str>>, Counts)>,
    /// The topics of a leader that came back (KIP-814), as long as their partitions are not known.
    led: Option<BTreeSet<Arc<str>>>,
    reason: &'static str,
    heartbeat_at: Nanos,
    heartbeat_under_way: bool,
    retry_at: Nanos,
    failures: u32,
    /// Subscribing counts as a poll.
    subscribed_at: Nanos,
    revocations: u64,
    /// What was done, since this last poll, to have the application poll again: how many of the steps.
    prodded: (Nanos, u8),
    /// The subscription that this membership is for.
    session: u64,
    /// It left without the coordinator having been told, because of this.
    untold: Option<Error>,
    rng: fastrand::Rng,
}

/// What a step came to.
enum Step {
    Again,
    Wait(Option<Deadline>),
}

impl ClassicMember {
    pub fn new(shared: Arc<Shared>, settings: Arc<GroupSettings>, log: Logger, seed: u64) -> ClassicMember {
        ClassicMember {
            shared,
            log,
            state: State::Out,
            wanted: false,
            member_id: "".into(),
            generation: -1,
            protocol: settings.assignors.first().copied().unwrap_or(Assignor::Range),
            settings,
            request: None,
            joined_topics: BTreeSet::new(),
            assigned_of: None,
            led: None,
            reason: "",
            heartbeat_at: Nanos(0),
            heartbeat_under_way: false,
            retry_at: Nanos(0),
            failures: 0,
            subscribed_at: Nanos(0),
            revocations: 0,
            prodded: (Nanos(0), 0),
            session: 0,
            untold: None,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    // ---- from outside

    /// The application subscribed, or changed its subscription.
    pub fn subscribe(&mut self, now: Now, session: u64) {
        self.session = session;
        self.wanted = true;
        self.subscribed_at = now.mono;
        match self.state {
            State::Failed => self.state = State::Out,
            State::Stable => self.rejoin_if_changed(now),
            _ => {}
        }
    }

    pub fn is_out(&self) -> bool {
        !self.wanted && matches!(self.state, State::Out | State::Failed | State::Evicted { .. })
    }

    /// This member as a commit has to name it; nothing when it is out of the group, and from a join to the end of the
    /// sync: the coordinator is in the next generation then, or about to be, and would take the commit for a stranger's.
    pub fn committer(&self) -> Option<Identity> {
        match self.state {
            State::Joining if self.request.is_some() => None,
            State::Electing { .. } | State::Syncing => None,
            _ => self.identity(),
        }
    }

    fn identity(&self) -> Option<Identity> {
        (self.generation >= 0)
            .then(|| Identity { member_id: self.member_id.clone(), generation: self.generation })
    }

    /// Whether the group has gone on from this generation, or is about to.
    pub fn has_moved_on(&self, generation: i32) -> bool {
        self.request.is_some() || self.generation > generation
    }

    /// Why a commit is not possible while this member has no identity.
    pub fn outside(&self) -> Error {
        let (what, hint) = match self.state {
            State::Evicted { .. } => (
                "this member left its group, because the application did not poll for max.poll.interval.ms",
                "others may read its partitions already; the next poll joins again. Process less between two \
                 polls, or raise max.poll.interval.ms",
            ),
            State::Failed => {
                ("this member gave its group up after an error that poll returned", "subscribe again")
            }
            _ => {
                let text = "the offsets were not committed: this member is joining its group";
                return Error::new(Code::REBALANCE_IN_PROGRESS, text).hint(COMMIT_AGAIN).retriable(true);
            }
        };
        Error::new(Code::UNKNOWN_MEMBER_ID, format!("the offsets were not committed: {what}")).hint(hint)
    }

    pub fn wants_coordinator(&self) -> bool {
        match &self.state {
            State::Out | State::Evicted { .. } | State::Failed => false,
            State::Left(farewell) => farewell.wants_coordinator(),
            _ => true,
        }
    }

    // ---- time passes

    pub fn poll(
        &mut self,
        turn: &mut Turn<'_, '_>,
        coordinator: Option<NodeKey>,
        commits: &mut Commits,
    ) -> Option<Deadline> {
        let alive = self.check_poll_interval(turn, coordinator);
        let waits = loop {
            match self.step(turn, coordinator, commits) {
                Step::Again => {}
                Step::Wait(deadline) => break deadline,
            }
        };
        earlier(alive, earlier(waits, self.beat(turn, coordinator)))
    }

    fn step(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>, commits: &mut Commits) -> Step {
        let now = turn.now;
        match &self.state {
            State::Out if self.wanted => {
                self.reason = "the application subscribed";
                self.state = State::Joining;
                Step::Again
            }
            State::Evicted { polls } if self.shared.liveness.polls() > *polls => {
                self.shared.liveness.set_evicted(false);
                self.reason = "the application polls again";
                self.state = State::Joining;
                Step::Again
            }
            State::Revoking { number, until } => self.step_revoking(now, *number, *until, commits),
            State::Joining if self.request.is_none() => self.step_joining(turn, coordinator),
            State::Electing { until, .. } => {
                let until = *until;
                self.step_electing(turn, coordinator, until)
            }
            State::Leaving { commits_until, until } => {
                let times = (*commits_until, *until);
                self.step_leaving(now, times, commits.is_idle())
            }
            State::Left(_) => self.step_left(turn, coordinator),
            _ => Step::Wait(None),
        }
    }

    fn step_revoking(&mut self, now: Now, number: u64, until: Option<Nanos>, commits: &mut Commits) -> Step {
        if self.shared.liveness.acknowledged() < number {
            return Step::Wait(None);
        }
        let until = until.unwrap_or_else(|| {
            commits.push_own(now);
            now.mono.plus_ms(self.settings.request_timeout_ms.min(self.settings.max_poll_interval_ms))
        });
        if !commits.is_idle() && until > now.mono {
            self.state = State::Revoking { number, until: Some(until) };
            return Step::Wait(Some(until));
        }
        self.shared.subscription.lock().finish_revoking();
        self.state = State::Joining;
        Step::Again
    }

    fn step_joining(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Step {
        let Some(node) = coordinator else { return Step::Wait(None) };
        if self.retry_at > turn.now.mono {
            return Step::Wait(Some(self.retry_at));
        }
        let subscription = self.shared.subscription.lock();
        let (topics, owned) = (subscription.subscription().clone(), subscription.kept());
        drop(subscription);
        let encoded = self.settings.assignors.iter().map(|a| {
            let metadata = protocol::encode_subscription(*a, &topics, &owned, self.generation)?;
            Ok((a.protocol_name(), metadata))
        });
        let protocols = match encoded.collect::<Result<Vec<_>, crate::protocol::EncodeError>>() {
            Ok(protocols) => protocols,
            Err(e) => {
                self.fail(e.into_error("the subscription"));
                return Step::Again;
            }
        };
        self.log.info(
            turn.now,
            Context::Cgrp,
            format_args!("joining {}: {}", self.settings.group_id, self.reason),
        );
        self.joined_topics = topics;
        (self.assigned_of, self.led) = (None, None);
        let request = requests::join(&self.settings, node, &self.member_id, protocols, self.reason);
        self.request = Some(turn.send(Purpose::Join, request));
        Step::Wait(None)
    }

    fn step_electing(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>, until: Nanos) -> Step {
        let State::Electing { members, .. } = &self.state else { return Step::Wait(None) };
        let Some(node) = coordinator else {
            // The sync would come too late anyway.
            self.state = State::Joining;
            return Step::Again;
        };
        let topics: BTreeSet<Arc<str>> = members.iter().flat_map(|m| m.topics.iter().cloned()).collect();
        let Some(counts) = counts(turn.out.metadata, &topics, until <= turn.now.mono) else {
            return Step::Wait(Some(until));
        };
        let assignment = assignor::assign(self.protocol, members, &counts);
        let ids = members.iter().map(|m| m.id.clone());
        let encoded: Result<Vec<_>, crate::protocol::EncodeError> =
            ids.zip(&assignment).map(|(id, own)| Ok((id, protocol::encode_assignment(own)?))).collect();
        self.assigned_of = Some((topics, counts));
        match encoded {
            Ok(assignments) => self.send_sync(turn, node, assignments),
            Err(e) => self.fail(e.into_error("an assignment")),
        }
        Step::Wait(None)
    }

    fn send_sync(
        &mut self,
        turn: &mut Turn<'_, '_>,
        node: NodeKey,
        assignments: Vec<(Arc<str>, bytes::Bytes)>,
    ) {
        let member = Identity { member_id: self.member_id.clone(), generation: self.generation };
        let request =
            requests::sync(&self.settings, node, member, self.protocol.protocol_name(), assignments);
        self.request = Some(turn.send(Purpose::Sync, request));
        self.state = State::Syncing;
    }

    /// Sends heartbeats while this is a member. Joins and syncs count as such.
    fn beat(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Option<Deadline> {
        if !matches!(self.state, State::Stable | State::Revoking { .. }) || self.heartbeat_under_way {
            return None;
        }
        let (member, node) = (self.identity()?, coordinator?);
        if self.heartbeat_at > turn.now.mono {
            return Some(self.heartbeat_at);
        }
        let generation = member.generation;
        turn.send(Purpose::Heartbeat(generation), requests::heartbeat(&self.settings, node, member));
        self.heartbeat_under_way = true;
        self.heartbeat_at = turn.now.mono.plus_ms(self.settings.heartbeat_interval_ms);
        None
    }

    /// Leaves when the application has not polled for too long.
    fn check_poll_interval(
        &mut self,
        turn: &mut Turn<'_, '_>,
        coordinator: Option<NodeKey>,
    ) -> Option<Deadline> {
        if matches!(
            self.state,
            State::Out | State::Leaving { .. } | State::Left(_) | State::Failed | State::Evicted { .. }
        ) {
            return None;
        }
        let (now, interval) = (turn.now.mono, self.settings.max_poll_interval_ms);
        // The number first: a poll that begins from here on brings the member back.
        let (polls, last) = (self.shared.liveness.polls(), self.shared.liveness.last_poll());
        if last == Nanos::NEVER {
            return Some(now.plus_ms(interval));
        }
        let since = last.max(self.subscribed_at);
        let until = since.plus_ms(interval);
        if until > now {
            return earlier(self.prod(turn.now, since), Some(until));
        }
        let text = format!("the application did not poll for {interval} ms (max.poll.interval.ms)");
        self.log.warning(turn.now, Context::Cgrp, format_args!("{text}: leaving {}", self.settings.group_id));
        self.leave_once(turn, coordinator, "the application did not poll for max.poll.interval.ms");
        let hint = "process less between two polls, or raise max.poll.interval.ms; the next poll joins again";
        self.lose(Error::new(Code::TIMED_OUT, text).hint(hint));
        self.forget();
        self.shared.liveness.set_evicted(true);
        self.state = State::Evicted { polls };
        None
    }

    /// Before it is too late the descriptor says that poll wants to be called, then the log. Returns when to do so.
    fn prod(&mut self, now: Now, since: Nanos) -> Option<Deadline> {
        let interval = self.settings.max_poll_interval_ms;
        if self.prodded.0 != since {
            self.prodded = (since, 0);
        }
        loop {
            let after = match self.prodded.1 {
                0 => interval / 3 * 2,
                1 => interval / 5 * 4,
                _ => return None,
            };
            let at = since.plus_ms(after);
            if at > now.mono {
                return Some(at);
            }
            if self.prodded.1 == 0 {
                self.shared.ready.raise();
            } else {
                let what =
                    "the application did not poll for 80 % of max.poll.interval.ms; soon this member leaves";
                self.log.warning(now, Context::Cgrp, format_args!("{what} {}", self.settings.group_id));
            }
            self.prodded.1 += 1;
        }
    }

    // ---- rebalances

    /// Joins again; before, the application gives up what it must.
    fn rejoin(&mut self, now: Now, reason: &'static str) {
        self.log.info(now, Context::Cgrp, format_args!("rebalance of {}: {reason}", self.settings.group_id));
        self.reason = reason;
        let subscription = self.shared.subscription.lock();
        if subscription.session() != self.session {
            // The application unsubscribed; the command to leave is on its way.
            return;
        }
        let mut owned = subscription.owned();
        if self.settings.is_cooperative() {
            owned.retain(|p| !subscription.subscription().contains(&p.topic));
        }
        drop(subscription);
        self.give_up(owned);
    }

    /// Has the application give up these partitions, then joins.
    fn give_up(&mut self, partitions: Vec<TopicPartition>) {
        if partitions.is_empty() {
            self.state = State::Joining;
            return;
        }
        self.shared.subscription.lock().start_revoking(&partitions);
        self.revocations += 1;
        self.shared.notify_revoked(partitions, self.revocations);
        self.state = State::Revoking { number: self.revocations, until: None };
    }

    fn rejoin_if_changed(&mut self, now: Now) {
        let changed = *self.shared.subscription.lock().subscription() != self.joined_topics;
        if changed {
            self.rejoin(now, "the subscription changed");
        }
    }

    /// All partitions are gone already; nothing can be committed for them.
    fn lose(&mut self, reason: Error) {
        self.shared.withdraw_revoked();
        let mut subscription = self.shared.subscription.lock();
        if subscription.session() != self.session {
            return;
        }
        let partitions = subscription.lose_all();
        drop(subscription);
        if !partitions.is_empty() {
            self.shared.notify(Event::Lost { partitions, reason });
        }
    }

    fn forget(&mut self) {
        self.member_id = "".into();
        self.generation = -1;
        self.request = None;
        (self.assigned_of, self.led) = (None, None);
    }

    /// The coordinator does not know this member any more, or not in this generation.
    pub fn on_member_lost(&mut self, now: Now, code: Code, generation: i32) {
        if generation != self.generation || self.generation < 0 {
            return;
        }
        self.log.info(
            now,
            Context::Cgrp,
            format_args!("lost the membership of {}: {}", self.settings.group_id, code.name()),
        );
        if code == Code::UNKNOWN_MEMBER_ID {
            self.member_id = "".into();
        }
        self.generation = -1;
        self.lose(Error::new(code, "this member is not in the group any more"));
        if !matches!(self.state, State::Leaving { .. } | State::Left(_)) {
            self.reason = "the coordinator took this member out";
            self.request = None;
            self.state = State::Joining;
        }
    }

    /// Someone found the group rebalancing.
    pub fn on_rebalance(&mut self, now: Now) {
        if matches!(self.state, State::Stable) {
            self.rejoin(now, "the group rebalances");
        }
    }

    /// Gives the group up until the application subscribes anew.
    pub fn fail(&mut self, error: Error) {
        let error = error.fatal(true);
        self.lose(error.clone());
        self.forget();
        self.state = State::Failed;
        self.wanted = false;
        self.shared.report(error);
    }

    /// A leader that came back finds out what its former assignment was made of.
    fn take_up_lead(&mut self, metadata: &Metadata) {
        if let Some(topics) = self.led.take() {
            match counts(metadata, &topics, false) {
                Some(counts) => self.assigned_of = Some((topics, counts)),
                None => self.led = Some(topics),
            }
        }
    }

    /// The leader joins again when the partitions are not those that it assigned.
    pub fn on_metadata(&mut self, now: Now, metadata: &Metadata) {
        self.take_up_lead(metadata);
        let (State::Stable, Some((topics, assigned))) = (&self.state, &self.assigned_of) else { return };
        if counts(metadata, topics, true).is_some_and(|now| now != *assigned) {
            self.rejoin(now, "the number of partitions changed");
        }
    }
}

/// The partitions of these topics; nothing while some are not known yet, unless it is `late`.
fn counts(metadata: &Metadata, topics: &BTreeSet<Arc<str>>, late: bool) -> Option<Counts> {
    let mut counts = Counts::new();
    for topic in topics {
        match metadata.topic(topic) {
            Some(TopicState::Known(known)) => {
                let n = i32::try_from(known.partitions.len()).unwrap_or(i32::MAX);
                counts.insert(topic.clone(), n);
            }
            Some(TopicState::Failed(_)) => {}
            // It was asked for, and is not there.
            Some(TopicState::Unknown { last: Some(_) }) => {}
            Some(TopicState::Unknown { last: None }) | None if late => {}
            Some(TopicState::Unknown { last: None }) | None => return None,
        }
    }
    Some(counts)
}
