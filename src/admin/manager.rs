//! `AdminManager`: sends the calls of an admin client to the brokers, again where that helps, until their time is
//! over.

use super::call::{Inbox, Job};
use crate::client::connection_states::Backoff;
use crate::client::request::{
    FailureKind, NodeKey, Outbox, RequestError, RequestId, RequestManager, RequestResult, Target,
};
use crate::error::{Code, Error};
use crate::time::{earlier, Deadline, Nanos, Now};
use std::sync::Arc;

pub(super) struct Settings {
    /// How often a call is sent again.
    pub retries: u32,
    pub retry: Backoff,
    pub request_timeout_ms: u64,
}

pub(super) struct AdminManager {
    inbox: Arc<Inbox>,
    settings: Settings,
    calls: Vec<Tracked>,
    rng: fastrand::Rng,
    ended: bool,
}

/// A call and how far it is.
struct Tracked {
    job: Box<dyn Job>,
    failures: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be sent, not before this time.
    Due(Nanos),
    /// To be sent when a controller is known; looked at again at this time.
    NoController(Nanos),
    Sent(RequestId),
    Ended,
}

impl AdminManager {
    pub fn new(inbox: Arc<Inbox>, settings: Settings, seed: u64) -> AdminManager {
        let rng = fastrand::Rng::with_seed(seed);
        AdminManager { inbox, settings, calls: Vec::new(), rng, ended: false }
    }

    /// Sends a call, unless it must wait for a controller.
    fn send(&mut self, now: Now, number: usize, out: &mut Outbox<'_>) {
        let Some(call) = self.calls.get_mut(number) else { return };
        let left = call.job.deadline().ms_since(now.mono);
        if left == 0 {
            call.job.time_out();
            call.state = State::Ended;
            return;
        }
        let target = match call.job.to_controller() {
            false => Target::Any,
            true => match out.metadata.controller() {
                Some(id) => Target::Node(NodeKey::data(id)),
                None => {
                    out.metadata.request_update();
                    // Without a broker that can be reached nobody can tell of a controller.
                    call.job.note(&out.net.troubles().last().unwrap_or_else(no_controller));
                    call.state = State::NoController(now.mono.plus_ms(self.settings.retry.max_ms));
                    return;
                }
            },
        };
        let spec = call.job.request(target, left.min(self.settings.request_timeout_ms));
        call.state = State::Sent(out.send(now, spec));
    }

    /// The call failed in a way that passes: once more, after a pause.
    fn failed(&mut self, now: Now, number: usize, error: Error, out: &mut Outbox<'_>) {
        // Whom it went to may be the wrong one.
        out.metadata.request_update();
        let chance = self.rng.f64();
        let Some(call) = self.calls.get_mut(number) else { return };
        call.failures = call.failures.saturating_add(1);
        call.job.note(&error);
        if call.failures > self.settings.retries {
            call.job.fail(error);
            call.state = State::Ended;
            return;
        }
        call.state = State::Due(now.mono.plus_ms(self.settings.retry.after(call.failures, chance)));
    }

    fn end(&mut self, error: &Error) {
        self.ended = true;
        self.inbox.end(error);
        for call in self.calls.drain(..) {
            call.job.fail(error.clone());
        }
    }
}

impl RequestManager for AdminManager {
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        if let Some(error) = self.inbox.ended() {
            self.end(&error);
            return None;
        }
        let new = self.inbox.take().into_iter();
        self.calls.extend(new.map(|job| Tracked { job, failures: 0, state: State::Due(now.mono) }));
        let mut next = None;
        for number in 0..self.calls.len() {
            let Some(call) = self.calls.get_mut(number) else { break };
            if call.job.is_abandoned() {
                call.state = State::Ended;
            } else if call.job.deadline() <= now.mono && !matches!(call.state, State::Sent(_)) {
                // One that is sent ends by its request, which ends no later and knows why.
                call.job.time_out();
                call.state = State::Ended;
            }
            if matches!(call.state, State::Due(at) | State::NoController(at) if at <= now.mono) {
                self.send(now, number, out);
            }
            next = earlier(next, self.calls.get(number).and_then(Tracked::wakes));
        }
        self.calls.retain(|call| call.state != State::Ended);
        next
    }

    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>) {
        let Some(number) = self.calls.iter().position(|c| c.state == State::Sent(id)) else { return };
        let Some(call) = self.calls.get_mut(number) else { return };
        let passes = match result {
            Ok(response) => call.job.on_response(&response),
            Err(RequestError { kind: FailureKind::NotSent, error }) => Some(error),
            Err(RequestError { kind: FailureKind::Disconnected | FailureKind::TimedOut, error }) => {
                call.job.on_lost();
                Some(error)
            }
            Err(error) => {
                call.job.fail_request(error);
                None
            }
        };
        match passes {
            Some(error) => self.failed(now, number, error, out),
            None => call.state = State::Ended,
        }
    }

    fn on_metadata(&mut self, now: Now, out: &mut Outbox<'_>) {
        for number in 0..self.calls.len() {
            if self.calls.get(number).is_some_and(|c| matches!(c.state, State::NoController(_))) {
                self.send(now, number, out);
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.ended
    }

    fn on_fatal(&mut self, error: &Error) {
        self.end(error);
    }
}

impl Tracked {
    /// When poll has something to do for it at the latest.
    fn wakes(&self) -> Option<Deadline> {
        match self.state {
            State::Due(at) | State::NoController(at) => Some(at.min(self.job.deadline())),
            State::Sent(_) | State::Ended => None,
        }
    }
}

fn no_controller() -> Error {
    Error::new(Code::NOT_CONTROLLER, "no broker is known to be the controller")
}
