//! Which broker coordinates the group.

use super::turn::{GroupSettings, Purpose, Turn};
use crate::client::request::{NodeId, NodeKey, Outbox, RequestResult, RequestSpec, Response, Target};
use crate::error::{Code, Error};
use crate::log::{Context, Logger};
use crate::protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use crate::protocol::{ApiKey, Message, Reader};
use crate::time::{Deadline, Nanos, Now};
use std::sync::Arc;

/// A search in vain is told in the log after so long, which is more than a new cluster takes, then after twice as
/// long, and so on.
const WARN_FIRST_MS: u64 = 5_000;
const WARN_MAX_MS: u64 = 600_000;

pub struct CoordinatorFinder {
    settings: Arc<GroupSettings>,
    log: Logger,
    coordinator: Option<NodeId>,
    under_way: bool,
    retry_at: Nanos,
    failures: u32,
    /// What the search failed of last.
    last_error: Option<Error>,
    /// When to tell the log next, and how long before that it was told or the search began.
    warn: Option<(Nanos, u64)>,
    rng: fastrand::Rng,
}

impl CoordinatorFinder {
    pub fn new(settings: Arc<GroupSettings>, log: Logger, seed: u64) -> CoordinatorFinder {
        CoordinatorFinder {
            settings,
            log,
            coordinator: None,
            under_way: false,
            retry_at: Nanos(0),
            failures: 0,
            last_error: None,
            warn: None,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// The coordinator, if it is known. Its lane is its own, so that nothing waits for a fetch.
    pub fn node(&self) -> Option<NodeKey> {
        self.coordinator.map(NodeKey::coordinator)
    }

    /// Why the coordinator is not known, while it is searched for in vain.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// The coordinator was found to be another one, or does not answer.
    pub fn lost(&mut self, now: Now) {
        if self.coordinator.take().is_some() {
            self.failures = 0;
            self.retry_at = now.mono;
        }
    }

    /// Asks for the coordinator if it is wanted and not known.
    pub fn poll(&mut self, turn: &mut Turn<'_, '_>, wanted: bool) -> Option<Deadline> {
        if !wanted || self.under_way || self.coordinator.is_some() {
            return None;
        }
        if self.retry_at > turn.now.mono {
            return Some(self.retry_at);
        }
        let group = self.settings.group_id.clone();
        let timeout_ms = self.settings.request_timeout_ms;
        let request =
            RequestSpec::new(Target::Any, ApiKey::FindCoordinator, (0, 4), timeout_ms, move |w, version| {
                match version {
                    0..=3 => FindCoordinatorRequest { key: &group, ..Default::default() }.encode(w, version),
                    _ => FindCoordinatorRequest { coordinator_keys: vec![&group], ..Default::default() }
                        .encode(w, version),
                }
            });
        turn.send(Purpose::Find, request);
        self.under_way = true;
        self.warn.get_or_insert((turn.now.mono.plus_ms(WARN_FIRST_MS), WARN_FIRST_MS));
        None
    }

    /// Takes the answer in. An error is one that will not pass by itself; the search goes on nevertheless.
    pub fn on_response(
        &mut self,
        now: Now,
        result: RequestResult,
        out: &mut Outbox<'_>,
    ) -> Result<(), Error> {
        self.under_way = false;
        let found = result.map_err(|e| e.error).and_then(|r| read(&r));
        let error = match found {
            Ok(id) if out.metadata.brokers().any(|b| b.id == id) => {
                self.coordinator = Some(id);
                self.failures = 0;
                (self.last_error, self.warn) = (None, None);
                return Ok(());
            }
            Ok(id) => {
                out.metadata.request_update();
                let text =
                    format!("the group's coordinator, broker {id}, is not in the cluster's metadata yet");
                let error = Error::new(Code::COORDINATOR_NOT_AVAILABLE, text);
                out.net.troubles().explain(error, out.metadata.last_error(), None)
            }
            Err(error) => error,
        };
        self.last_error = Some(error.clone());
        self.tell(now, &error);
        let failed = if error.is_retriable() { Ok(()) } else { Err(error) };
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.mono.plus_ms(self.settings.retry.after(self.failures, self.rng.f64()));
        failed
    }
}

impl CoordinatorFinder {
    /// Calls and polls that wait say it when their time is over; who waits for records only would never know.
    fn tell(&mut self, now: Now, error: &Error) {
        let Some((_, pause)) = self.warn.filter(|(at, _)| *at <= now.mono) else { return };
        let pause = pause.saturating_mul(2).min(WARN_MAX_MS);
        self.warn = Some((now.mono.plus_ms(pause), pause));
        let group = &self.settings.group_id;
        self.log.warning(
            now,
            Context::Cgrp,
            format_args!("the coordinator of {group} is still not found: {error}"),
        );
    }
}

fn read(response: &Response) -> Result<NodeId, Error> {
    let answer = FindCoordinatorResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let (code, text, id) = match answer.coordinators.first() {
        Some(c) if response.version >= 4 => (c.error_code, c.error_message, c.node_id),
        _ => (answer.error_code, answer.error_message, answer.node_id),
    };
    if code != 0 {
        let error = response.error(Code(i32::from(code)), "the group's coordinator is not to be had");
        return Err(match text {
            Some(text) if !text.is_empty() => error.cause(text),
            _ => error,
        });
    }
    Ok(id)
}
