//! `TransactionManager`: the producer id and epoch under which batches are numbered, so that a retry is not
//! written twice (KIP-98, KIP-360).

use crate::client::connection_states::Backoff;
use crate::client::request::{Outbox, RequestId, RequestResult, RequestSpec, Target};
use crate::error::{Code, Error};
use crate::protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use crate::protocol::{ApiKey, Message, Reader, Writer};
use crate::time::{Deadline, Nanos, Now};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdAndEpoch {
    pub id: i64,
    pub epoch: i16,
}

pub struct TransactionManager {
    state: State,
    retry: Backoff,
    request_timeout_ms: u64,
    failures: u32,
    retry_at: Nanos,
    rng: fastrand::Rng,
}

enum State {
    /// Not idempotent: batches are not numbered.
    Off,
    None,
    Requested(RequestId),
    Ready(ProducerIdAndEpoch),
}

impl TransactionManager {
    pub fn new(idempotence: bool, retry: Backoff, request_timeout_ms: u64, seed: u64) -> TransactionManager {
        TransactionManager {
            state: if idempotence { State::None } else { State::Off },
            retry,
            request_timeout_ms,
            failures: 0,
            retry_at: Nanos(0),
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    pub fn is_idempotent(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// What to number batches under; nothing while the broker has not given it.
    pub fn producer_id(&self) -> Option<ProducerIdAndEpoch> {
        match self.state {
            State::Ready(id) => Some(id),
            _ => None,
        }
    }

    /// Asks for a producer id if there is none. Returns when to try again.
    pub fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        if !matches!(self.state, State::None) {
            return None;
        }
        if now.mono < self.retry_at {
            return Some(self.retry_at);
        }
        let encode = |w: &mut Writer, version: i16| {
            // The time-out means nothing without a transactional id, and must be what Java's client sends.
            InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                ..Default::default()
            }
            .encode(w, version)
        };
        let spec =
            RequestSpec::new(Target::Any, ApiKey::InitProducerId, (0, 5), self.request_timeout_ms, encode);
        self.state = State::Requested(out.send(now, spec));
        None
    }

    pub fn owns(&self, id: RequestId) -> bool {
        matches!(self.state, State::Requested(ours) if ours == id)
    }

    /// Takes the broker's answer. An error is one that does not pass by itself.
    pub fn on_response(&mut self, now: Now, result: RequestResult) -> Result<(), Error> {
        self.state = State::None;
        let error = match result {
            Ok(response) => {
                let decoded =
                    InitProducerIdResponse::decode(&mut Reader::new(&response.body), response.version);
                match decoded {
                    Ok(r) if r.error_code == 0 => {
                        self.failures = 0;
                        self.state =
                            State::Ready(ProducerIdAndEpoch { id: r.producer_id, epoch: r.producer_epoch });
                        return Ok(());
                    }
                    Ok(r) => response.error(Code(i32::from(r.error_code)), "no producer id for idempotence"),
                    Err(e) => response.unreadable(e),
                }
            }
            Err(failure) => failure.error,
        };
        self.failures += 1;
        self.retry_at = now.mono.plus_ms(self.retry.after(self.failures, self.rng.f64()));
        match error.is_retriable() || error.code() == Code::PROTOCOL {
            true => Ok(()),
            false => Err(error.hint("set enable.idempotence=false if this broker does not allow it")),
        }
    }

    /// A new epoch, for partitions whose numbering must begin again. Without transactions the client counts
    /// epochs by itself; when they run out, a new producer id is asked for.
    pub fn bump_epoch(&mut self) {
        if let State::Ready(id) = &mut self.state {
            if id.epoch < i16::MAX - 1 {
                id.epoch += 1;
            } else {
                self.state = State::None;
            }
        }
    }
}
