//! The consumer as a member of its group: the coordinator, the membership, commits and committed offsets, in one
//! request manager, because they share the coordinator and the membership.

mod classic;
mod commits;
mod committed;
mod consumer_protocol;
mod finder;
mod turn;

pub use turn::GroupSettings;

use super::commands::{GroupCommand, Reply};
use super::shared::Shared;
use super::subscription_state::Mode;
use crate::client::request::{Outbox, RequestId, RequestManager, RequestResult};
use crate::error::{Code, Error};
use crate::log::Logger;
use crate::time::{earlier, Deadline, Nanos, Now};
use classic::ClassicMember;
use commits::{Commits, Sink};
use committed::CommittedOffsets;
use finder::CoordinatorFinder;
use std::collections::BTreeMap;
use std::sync::Arc;
use turn::{Purpose, Turn, Verdict, FENCED};

/// How much of the time to close a commit leaves at least, of what there is.
const GOOD_BYE_MS: u64 = 1000;

pub struct CoordinatorManager {
    shared: Arc<Shared>,
    settings: Arc<GroupSettings>,
    finder: CoordinatorFinder,
    member: ClassicMember,
    commits: Commits,
    committed: CommittedOffsets,
    requests: BTreeMap<RequestId, Purpose>,
    closing: Option<Closing>,
    finished: bool,
}

/// The end: commit, leave, and say so.
struct Closing {
    deadline: Nanos,
    offsets: usize,
    reply: Reply<()>,
}

impl CoordinatorManager {
    pub fn new(
        shared: Arc<Shared>,
        settings: Arc<GroupSettings>,
        log: Logger,
        seed: u64,
    ) -> CoordinatorManager {
        CoordinatorManager {
            finder: CoordinatorFinder::new(settings.clone(), log.clone(), seed),
            member: ClassicMember::new(shared.clone(), settings.clone(), log.clone(), seed.wrapping_add(1)),
            commits: Commits::new(shared.clone(), settings.clone(), log.clone(), seed.wrapping_add(2)),
            committed: CommittedOffsets::new(shared.clone(), settings.clone(), log, seed.wrapping_add(3)),
            shared,
            settings,
            requests: BTreeMap::new(),
            closing: None,
            finished: false,
        }
    }

    fn take_commands(&mut self, now: Now) {
        while let Some(command) = self.shared.next_group_command() {
            match command {
                GroupCommand::Commit { offsets, timeout_ms, reply, own } => {
                    let sink = match reply {
                        Some(reply) => Sink::Reply(reply),
                        None if own => Sink::Own,
                        None => Sink::Event,
                    };
                    self.commits.push(now, offsets, timeout_ms, sink);
                }
                GroupCommand::Committed { partitions, timeout_ms, reply } => {
                    self.committed.push(now, partitions, timeout_ms, reply);
                }
                GroupCommand::Subscribe { session } => self.member.subscribe(now, session),
                GroupCommand::Unsubscribe { offsets } => {
                    let timeout_ms = self.settings.request_timeout_ms;
                    self.commits.push(now, offsets, timeout_ms, Sink::Own);
                    let until = now.mono.plus_ms(timeout_ms.saturating_mul(2));
                    self.member.leave(now.mono.plus_ms(timeout_ms), until);
                }
                GroupCommand::Close { offsets, timeout_ms, reply } => {
                    let deadline = now.mono.plus_ms(timeout_ms);
                    self.closing = Some(Closing { deadline, offsets: offsets.len(), reply });
                    // A commit in vain leaves some time to say good-bye.
                    let commit_ms = timeout_ms - (timeout_ms / 4).min(GOOD_BYE_MS);
                    self.commits.push(now, offsets, commit_ms, Sink::Close);
                    self.member.leave(now.mono.plus_ms(commit_ms), deadline);
                }
            }
        }
    }

    /// Ends the consumer when nothing is left to do, or no time.
    fn poll_closing(&mut self, now: Now) -> Option<Deadline> {
        let closing = self.closing.as_ref()?;
        let done = self.commits.is_idle() && self.member.is_out();
        if !done && closing.deadline > now.mono {
            return Some(closing.deadline);
        }
        let mut left = Vec::new();
        let failure = self.commits.take_failure();
        if failure.is_some() || !self.commits.is_idle() {
            left.push(format!("the offsets of {} partitions were not committed", closing.offsets));
        }
        let untold = self.member.untold().cloned();
        if !self.member.is_out() || untold.is_some() {
            left.push("the group was not told that this member leaves".to_owned());
        }
        self.finished = true;
        let closing = self.closing.take()?;
        if left.is_empty() {
            closing.reply.complete(Ok(()));
            return None;
        }
        let failure = failure.or(untold);
        let code = failure.as_ref().map_or(Code::TIMED_OUT, Error::code);
        let error = Error::new(code, format!("the consumer is closed, but {}", left.join(" and ")));
        let own = failure.as_ref().or(self.finder.last_error());
        let broker = self.finder.node().map(|node| node.id);
        closing.reply.complete(Err(self.shared.troubles.explain(error, own, broker)));
        None
    }

    fn poll_parts(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        let coordinator = self.finder.node();
        let subscribed = self.shared.subscription.lock().mode() == Mode::Subscribed;
        let no_coordinator = self.finder.last_error().cloned();
        let no_coordinator = no_coordinator.as_ref();
        let mut turn = Turn { now, out, requests: &mut self.requests, no_coordinator };
        let mut deadline = self.member.poll(&mut turn, coordinator, &mut self.commits);
        let identity = self.member.committer();
        let outside = (subscribed && identity.is_none()).then(|| self.member.outside());
        let next = self.commits.poll(&mut turn, coordinator, identity.as_ref(), outside);
        deadline = earlier(deadline, next);
        deadline = earlier(deadline, self.committed.poll(&mut turn, coordinator));
        let wanted =
            self.member.wants_coordinator() || !self.commits.is_idle() || self.committed.wants_coordinator();
        earlier(deadline, self.finder.poll(&mut turn, wanted))
    }

    /// `error` said so, if there was one.
    fn act(&mut self, now: Now, verdict: Verdict, generation: i32, error: Option<Error>) {
        match verdict {
            Verdict::Fine => {}
            Verdict::CoordinatorLost => self.finder.lost(now),
            Verdict::Rebalance => self.member.on_rebalance(now),
            Verdict::MemberLost(code) => self.member.on_member_lost(now, code, generation),
            Verdict::Fenced => {
                let fenced = Error::new(Code::FENCED_INSTANCE_ID, FENCED);
                self.member.fail(match error {
                    Some(error) => fenced.caused_by(&error),
                    None => fenced,
                });
            }
        }
    }
}

impl RequestManager for CoordinatorManager {
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        if self.finished {
            return None;
        }
        if self.shared.is_abandoned() {
            self.finished = true;
            self.commits.fail_all(now, &Error::new(Code::CLOSED, "the consumer was closed"));
            return None;
        }
        self.take_commands(now);
        let deadline = self.poll_parts(now, out);
        earlier(deadline, self.poll_closing(now))
    }

    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>) {
        let Some(purpose) = self.requests.remove(&id) else { return };
        let mut turn = Turn { now, out, requests: &mut self.requests, no_coordinator: None };
        let (mut generation, mut error) = (-1, None);
        let verdict = match purpose {
            Purpose::Find => {
                if let Err(error) = self.finder.on_response(now, result, turn.out) {
                    self.commits.fail_waiting(now, &error);
                    self.committed.fail_all(&error);
                    self.shared.report(error);
                }
                Verdict::Fine
            }
            Purpose::Join => self.member.on_join(&mut turn, id, result),
            Purpose::Sync => self.member.on_sync(now, id, result),
            Purpose::Heartbeat(of) => self.member.on_heartbeat(now, of, result),
            Purpose::Leave => self.member.on_leave(now, id, result),
            Purpose::Commit(of) => {
                generation = of;
                let moved_on = self.member.has_moved_on(of);
                let (verdict, said) = self.commits.on_response(now, id, moved_on, result);
                error = said;
                verdict
            }
            Purpose::Committed(number) => self.committed.on_call(now, number, result),
            Purpose::Positions => self.committed.on_positions(now, result),
        };
        self.act(now, verdict, generation, error);
    }

    fn on_metadata(&mut self, now: Now, out: &mut Outbox<'_>) {
        self.member.on_metadata(now, out.metadata);
    }

    fn is_finished(&self) -> bool {
        self.finished
    }

    fn on_fatal(&mut self, error: &Error) {
        self.commits.fail_all(Now::default(), error);
        self.committed.fail_all(error);
        if let Some(closing) = self.closing.take() {
            closing.reply.complete(Err(error.clone()));
        }
        self.shared.set_fatal(error);
    }
}
