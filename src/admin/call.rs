//! A call on its way: the operation, the place for its answer, and the inbox in which the I/O thread finds it.

use crate::client::request::{Encode, RequestError, RequestSpec, Response, Target};
use crate::client::Troubles;
use crate::error::{Code, Error, Result};
use crate::protocol::ApiKey;
use crate::sys::clock;
use crate::time::{Nanos, Now};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Duration;

/// What one call asks of the brokers, and how it understands the answer.
pub(super) trait Operation: Send {
    type Answer: Send + 'static;
    /// Whether it is for the controller; else any broker will do.
    const TO_CONTROLLER: bool;
    /// How a time-out begins to say what was not done.
    const FAILURE: &'static str;

    /// The request for what is still open; the broker may take `timeout_ms` for it.
    fn request(&mut self, timeout_ms: i32) -> Question;
    fn on_response(&mut self, response: &Response) -> std::result::Result<Self::Answer, Trouble>;
    /// There was no response, and it is not known whether the request was carried out.
    fn on_lost(&mut self) {}
    /// What more there is to say about a request that cannot be made.
    fn explain(&self, error: Error) -> Error {
        error
    }
}

/// A request before it has a target.
pub(super) struct Question {
    pub api: ApiKey,
    pub versions: (i16, i16),
    pub encode: Encode,
}

/// Why a response is not the answer to the call.
pub(super) enum Trouble {
    /// It failed in a way that passes.
    Again(Error),
    Failed(Error),
}

struct Slot<A> {
    state: Mutex<State<A>>,
    changed: Condvar,
    deadline: Nanos,
    failure: &'static str,
    troubles: Arc<Troubles>,
}

impl<A> Slot<A> {
    fn timed_out(&self, trouble: &Option<Error>) -> Error {
        let error = Error::new(Code::TIMED_OUT, format!("{} in time", self.failure));
        let error = self.troubles.explain(error, trouble.as_ref(), None);
        match error.cause_text() {
            Some(_) => error,
            None => error.hint("no broker could be asked: check bootstrap.servers"),
        }
    }
}

struct State<A> {
    result: Option<Result<A>>,
    /// The last failure: what a time-out names as its cause.
    trouble: Option<Error>,
}

/// How much longer than the call's time its answer is waited for: the I/O thread ends it, and knows why.
const GRACE: Duration = Duration::from_millis(100);

/// The application's end of a call. Dropping it gives the call up.
pub struct Answer<A>(Arc<Slot<A>>);

impl<A> Answer<A> {
    /// The answer if it is there, once.
    pub fn try_take(&self) -> Option<Result<A>> {
        self.0.state.lock().result.take()
    }

    /// Waits for the answer, at most until the call's time is over.
    ///
    /// # Errors
    /// TIMED_OUT, with the last failure as its cause; whatever else ended the call.
    pub fn wait(self) -> Result<A> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(result) = state.result.take() {
                return result;
            }
            let left = (self.0.deadline + GRACE).since(clock::now().mono);
            if left.is_zero() {
                return Err(self.0.timed_out(&state.trouble));
            }
            self.0.changed.wait_for(&mut state, left);
        }
    }
}

fn closed() -> Error {
    Error::new(Code::CLOSED, "the admin client is closed")
}

/// A call as the manager sees it, whatever it asks.
pub(super) trait Job: Send {
    fn deadline(&self) -> Nanos;
    fn to_controller(&self) -> bool;
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    fn request(&mut self, target: Target, timeout_ms: u64) -> RequestSpec;
    /// Takes a response in. The error of a failure that passes: it is to be sent again.
    fn on_response(&mut self, response: &Response) -> Option<Error>;
    fn on_lost(&mut self);
    fn note(&self, trouble: &Error);
    fn fail(&self, error: Error);
    /// As [`Job::fail`], of a request that could not be made.
    fn fail_request(&self, error: RequestError);
    fn time_out(&self);
}

struct Call<O: Operation> {
    operation: O,
    slot: Arc<Slot<O::Answer>>,
}

impl<O: Operation> Call<O> {
    fn complete(&self, result: Result<O::Answer>) {
        self.slot.state.lock().result.get_or_insert(result);
        self.slot.changed.notify_all();
    }
}

/// Nobody waits for a call that was forgotten.
impl<O: Operation> Drop for Call<O> {
    fn drop(&mut self) {
        self.complete(Err(closed()));
    }
}

impl<O: Operation> Job for Call<O> {
    fn deadline(&self) -> Nanos {
        self.slot.deadline
    }

    fn to_controller(&self) -> bool {
        O::TO_CONTROLLER
    }

    fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.slot) == 1
    }

    fn request(&mut self, target: Target, timeout_ms: u64) -> RequestSpec {
        let Question { api, versions, encode } =
            self.operation.request(i32::try_from(timeout_ms).unwrap_or(i32::MAX));
        RequestSpec { target, api, versions, timeout_ms, answered: true, encode }
    }

    fn on_response(&mut self, response: &Response) -> Option<Error> {
        match self.operation.on_response(response) {
            Ok(answer) => self.complete(Ok(answer)),
            Err(Trouble::Failed(error)) => self.complete(Err(error)),
            Err(Trouble::Again(error)) => return Some(error),
        }
        None
    }

    fn on_lost(&mut self) {
        self.operation.on_lost();
    }

    fn note(&self, trouble: &Error) {
        self.slot.state.lock().trouble = Some(trouble.clone());
    }

    fn fail(&self, error: Error) {
        self.complete(Err(error));
    }

    fn fail_request(&self, error: RequestError) {
        self.complete(Err(self.operation.explain(error.error)));
    }

    fn time_out(&self) {
        let error = self.slot.timed_out(&self.slot.state.lock().trouble);
        self.complete(Err(error));
    }
}

/// The calls that wait for the I/O thread.
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    troubles: Arc<Troubles>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Box<dyn Job>>,
    /// Why no more are taken.
    ended: Option<Error>,
}

impl Inbox {
    pub fn new(troubles: Arc<Troubles>) -> Inbox {
        Inbox { waiting: Mutex::default(), troubles }
    }

    pub fn post<O: Operation + 'static>(
        &self,
        now: Now,
        operation: O,
        timeout: Duration,
    ) -> Result<Answer<O::Answer>> {
        let slot = Arc::new(Slot {
            state: Mutex::new(State { result: None, trouble: None }),
            changed: Condvar::new(),
            deadline: now.mono + timeout,
            failure: O::FAILURE,
            troubles: self.troubles.clone(),
        });
        let mut waiting = self.waiting.lock();
        if let Some(error) = &waiting.ended {
            return Err(error.clone());
        }
        waiting.jobs.push(Box::new(Call { operation, slot: slot.clone() }));
        Ok(Answer(slot))
    }

    pub fn take(&self) -> Vec<Box<dyn Job>> {
        std::mem::take(&mut self.waiting.lock().jobs)
    }

    pub fn close(&self) {
        self.end(&closed());
    }

    /// Takes no more calls, for this reason unless there is one already; those not taken yet fail with it.
    pub fn end(&self, error: &Error) {
        let mut waiting = self.waiting.lock();
        waiting.ended.get_or_insert_with(|| error.clone());
        let jobs = std::mem::take(&mut waiting.jobs);
        drop(waiting);
        for job in jobs {
            job.fail(error.clone());
        }
    }

    /// Why no more calls are taken.
    pub fn ended(&self) -> Option<Error> {
        self.waiting.lock().ended.clone()
    }
}
