//! How a member leaves: after its commits, and again as long as that helps and there is time, because the others wait
//! for `session.timeout.ms` if the coordinator is not told.

use super::{requests, ClassicMember, State, Step};
use crate::client::request::{FailureKind, NodeKey, RequestId, RequestResult};
use crate::consumer::coordinator::turn::{verdict, Purpose, Turn, Verdict};
use crate::error::{Code, Error};
use crate::log::Context;
use crate::time::{Nanos, Now};
use std::sync::Arc;

/// A member that is out, and about to say so.
pub(super) struct Farewell {
    pub until: Nanos,
    member_id: Arc<str>,
    /// The one that is under way.
    request: Option<RequestId>,
    retry_at: Nanos,
    failures: u32,
    last_error: Option<Error>,
}

impl Farewell {
    pub fn wants_coordinator(&self) -> bool {
        self.request.is_none()
    }
}

const WHY: &str = "the consumer unsubscribed or was closed";

impl ClassicMember {
    /// Leaves the group as soon as the commits are through, at the latest at `commits_until`, and tries to tell it until
    /// `until`. The assignment is gone already.
    pub fn leave(&mut self, commits_until: Nanos, until: Nanos) {
        self.wanted = false;
        self.shared.withdraw_revoked();
        self.state = match std::mem::replace(&mut self.state, State::Out) {
            State::Out | State::Failed | State::Evicted { .. } => State::Out,
            State::Left(farewell) => State::Left(farewell),
            _ => State::Leaving { commits_until, until },
        };
        self.shared.liveness.set_evicted(false);
    }

    /// Whether the group has to find out by itself that this member left, and why.
    pub fn untold(&self) -> Option<&Error> {
        self.untold.as_ref()
    }

    /// Waits for the commits. A static member says no good-bye: its place is kept until its session ends.
    pub(super) fn step_leaving(
        &mut self,
        now: Now,
        (commits_until, until): (Nanos, Nanos),
        idle: bool,
    ) -> Step {
        if commits_until > now.mono && !idle {
            return Step::Wait(Some(commits_until));
        }
        self.untold = None;
        let is_static = self.settings.instance_id.is_some();
        let known = !self.member_id.is_empty() && !is_static;
        let farewell = Farewell {
            until,
            member_id: self.member_id.clone(),
            request: None,
            retry_at: now.mono,
            failures: 0,
            last_error: None,
        };
        self.forget();
        self.state = if known { State::Left(farewell) } else { State::Out };
        Step::Again
    }

    pub(super) fn step_left(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Step {
        let State::Left(farewell) = &mut self.state else { return Step::Wait(None) };
        if farewell.until <= turn.now.mono {
            let why = farewell.last_error.take().or_else(|| turn.no_coordinator.cloned());
            let error = Error::new(Code::TIMED_OUT, "the coordinator was not told in time");
            let error = match (&why, coordinator) {
                (None, Some(node)) => error.broker(node.id),
                _ => error,
            };
            let broker = coordinator.map(|node| node.id);
            self.not_told(turn.now, self.shared.troubles.explain(error, why.as_ref(), broker));
            return Step::Again;
        }
        let (until, retry_at) = (farewell.until, farewell.retry_at);
        let Some(node) = coordinator.filter(|_| farewell.request.is_none()) else {
            return Step::Wait(Some(until));
        };
        if retry_at > turn.now.mono {
            return Step::Wait(Some(retry_at.min(until)));
        }
        // Behind a join that is under way it would wait as long as that does.
        let node = turn.out.net.prompt(node);
        let request = requests::leave(&self.settings, node, &farewell.member_id, WHY);
        farewell.request = Some(turn.send(Purpose::Leave, request));
        Step::Wait(Some(until))
    }

    /// A member whose application does not poll leaves; told once, for it comes back.
    pub(super) fn leave_once(
        &mut self,
        turn: &mut Turn<'_, '_>,
        coordinator: Option<NodeKey>,
        why: &'static str,
    ) {
        let Some(node) = coordinator else { return };
        if !self.member_id.is_empty() && self.settings.instance_id.is_none() {
            let node = turn.out.net.prompt(node);
            turn.send(Purpose::Leave, requests::leave(&self.settings, node, &self.member_id, why));
        }
    }

    pub fn on_leave(&mut self, now: Now, id: RequestId, result: RequestResult) -> Verdict {
        let (lasts, result) = match result {
            Ok(response) => (false, requests::read_leave(&response)),
            Err(failure) => {
                let lasts = matches!(failure.kind, FailureKind::NoCommonVersion | FailureKind::Invalid);
                (lasts, Err(failure.error))
            }
        };
        let State::Left(farewell) = &mut self.state else { return Verdict::Fine };
        if farewell.request != Some(id) {
            return Verdict::Fine;
        }
        farewell.request = None;
        let error = match result {
            Ok(()) => {
                self.state = State::Out;
                return Verdict::Fine;
            }
            Err(error) => error,
        };
        // What can't be read may be so once: nothing else is lost by asking again.
        let again =
            error.is_retriable() || matches!(error.code(), Code::PROTOCOL | Code::UNKNOWN_SERVER_ERROR);
        if lasts || !again {
            self.not_told(now, error);
            return Verdict::Fine;
        }
        farewell.failures = farewell.failures.saturating_add(1);
        let pause = self.settings.retry.after(farewell.failures, self.rng.f64());
        farewell.retry_at = now.mono.plus_ms(pause);
        let verdict = match verdict(error.code()) {
            Verdict::Fine if error.code() != Code::COORDINATOR_LOAD_IN_PROGRESS => Verdict::CoordinatorLost,
            verdict => verdict,
        };
        farewell.last_error = Some(error);
        verdict
    }

    /// The group finds out by itself.
    fn not_told(&mut self, now: Now, error: Error) {
        let group = &self.settings.group_id;
        self.log.warning(
            now,
            Context::Cgrp,
            format_args!(
                "{group} was not told that this member leaves; the others wait for its session.timeout.ms: {error}"
            ),
        );
        self.untold = Some(error);
        self.state = State::Out;
    }
}
