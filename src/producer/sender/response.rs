//! What the broker's answer means for each batch: delivered, to be sent again, to be split, or failed.

use super::partition::InFlightBatch;
use super::{Outcome, Sender, Slots};
use crate::client::request::{FailureKind, Outbox, RequestError, RequestId, RequestResult, Response};
use crate::error::{Code, Error};
use crate::producer::batch::SealedBatch;
use crate::protocol::messages::produce_response::PartitionProduceResponse;
use crate::protocol::messages::ProduceResponse;
use crate::protocol::{Message, Reader};
use crate::time::Now;
use smallvec::SmallVec;

/// One partition's part of an answer.
struct Answer {
    code: Code,
    base_offset: i64,
    append_time_ms: i64,
    text: Option<String>,
}

impl Sender {
    pub(super) fn on_produce_response(
        &mut self,
        now: Now,
        id: RequestId,
        slots: Slots,
        result: RequestResult,
        out: &mut Outbox<'_>,
    ) {
        match result {
            Ok(_) if self.settings.acks == 0 => self.deliver_unconfirmed(id, &slots),
            Ok(response) => match ProduceResponse::decode(&mut Reader::new(&response.body), response.version)
            {
                Ok(decoded) => self.on_answers(now, id, &slots, &response, &decoded, out),
                Err(e) => {
                    let failure = failure(response.unreadable(e));
                    self.on_request_failure(now, id, &slots, &failure, out);
                }
            },
            Err(error) => self.on_request_failure(now, id, &slots, &error, out),
        }
        for slot in slots {
            self.look_at(now, slot, out);
        }
    }

    fn deliver_unconfirmed(&mut self, id: RequestId, slots: &[usize]) {
        for slot in slots {
            if let Some(InFlightBatch { mut batch, reported: false, .. }) = self.take_in_flight(*slot, id) {
                self.report(*slot, &mut batch, Outcome::Delivered { base_offset: -1, append_time_ms: -1 });
            }
        }
    }

    fn take_in_flight(&mut self, slot: usize, id: RequestId) -> Option<InFlightBatch> {
        self.state(slot)?.take_in_flight(id)
    }

    fn on_answers(
        &mut self,
        now: Now,
        id: RequestId,
        slots: &[usize],
        response: &Response,
        decoded: &ProduceResponse<'_>,
        out: &mut Outbox<'_>,
    ) {
        // Brokers answer in the order of the request, nearly always; look there first.
        let answers: SmallVec<[_; 4]> = decoded
            .responses
            .iter()
            .flat_map(|t| t.partition_responses.iter().map(move |p| (t, p)))
            .collect();
        for (i, slot) in slots.iter().enumerate() {
            let Some(in_flight) = self.take_in_flight(*slot, id) else { continue };
            let Some(state) = self.state(*slot) else { continue };
            let (topic, index) = (state.partition.topic.clone(), state.partition.index);
            let topic_id = out.metadata.known(&topic).map(|t| t.id);
            let is_mine = |(t, p): &(
                &crate::protocol::messages::produce_response::TopicProduceResponse<'_>,
                &PartitionProduceResponse<'_>,
            )| {
                p.index == index
                    && (if response.version >= 13 { Some(t.topic_id) == topic_id } else { t.name == &*topic })
            };
            let found = answers.get(i).filter(|a| is_mine(a)).or_else(|| answers.iter().find(|a| is_mine(a)));
            let answer = match found {
                Some((_, p)) => answer_of(p),
                None => missing(),
            };
            self.on_answer(now, *slot, in_flight, answer, response, out);
        }
    }

    fn on_answer(
        &mut self,
        now: Now,
        slot: usize,
        in_flight: InFlightBatch,
        answer: Answer,
        response: &Response,
        out: &mut Outbox<'_>,
    ) {
        let InFlightBatch { mut batch, reported, .. } = in_flight;
        let code = answer.code;
        // A duplicate is a batch that was written before, its first answer lost.
        if code.is_ok() || code == Code::DUPLICATE_SEQUENCE_NUMBER {
            self.last_retried = None;
            if let Some(state) = self.state(slot) {
                state.confirmed(&batch);
            }
            if !reported {
                let (base_offset, append_time_ms) = (answer.base_offset, answer.append_time_ms);
                self.report(slot, &mut batch, Outcome::Delivered { base_offset, append_time_ms });
            }
            return;
        }
        let error = self.error_of(slot, &answer, response);
        if code == Code::MESSAGE_TOO_LARGE && batch.records() > 1 && !reported {
            return self.split_and_put_back(slot, batch, error);
        }
        let renumber = self.must_renumber(slot, &batch, code);
        if renumber {
            self.restart_numbering(slot);
        }
        if reported {
            return;
        }
        if renumber || self.settings.idempotence && code == Code::OUT_OF_ORDER_SEQUENCE_NUMBER {
            // Not written, and what stood before it is resolved, or will be: it goes again.
            return self.retry(now, slot, batch, error);
        }
        if error.is_retriable() {
            if let Some(state) = self.state(slot) {
                let topic = state.partition.topic.clone();
                out.metadata.request_topic_update(&topic);
            }
            return self.retry(now, slot, batch, error);
        }
        // Refused for good, and so not written: those behind it would leave a gap in the numbers.
        self.leave_gap(slot, &batch);
        self.report(slot, &mut batch, Outcome::Failed(error));
    }

    /// Whether the broker no longer takes this partition's numbers, so that they must begin again.
    fn must_renumber(&mut self, slot: usize, batch: &SealedBatch, code: Code) -> bool {
        if !self.settings.idempotence {
            return false;
        }
        match code {
            Code::UNKNOWN_PRODUCER_ID | Code::INVALID_PRODUCER_EPOCH => true,
            // Behind an unresolved batch this passes; for the oldest one it does not.
            Code::OUT_OF_ORDER_SEQUENCE_NUMBER => self.state(slot).is_some_and(|s| s.is_oldest(batch)),
            _ => false,
        }
    }

    /// A batch goes that was not written, and its numbers with it. Numbering begins again at once only if nothing
    /// before it is unresolved: that may have been written, and only its old numbers tell. Else the broker refuses
    /// the next batch when its turn comes, which is the reason then.
    pub(super) fn leave_gap(&mut self, slot: usize, batch: &SealedBatch) {
        if self.settings.idempotence && self.state(slot).is_some_and(|s| s.is_oldest(batch)) {
            self.restart_numbering(slot);
        }
    }

    pub(super) fn restart_numbering(&mut self, slot: usize) {
        if self.state(slot).is_some_and(|s| s.request_restart()) {
            self.transaction_manager.bump_epoch();
        }
    }

    fn on_request_failure(
        &mut self,
        now: Now,
        id: RequestId,
        slots: &[usize],
        failure: &RequestError,
        out: &mut Outbox<'_>,
    ) {
        for slot in slots {
            let Some(InFlightBatch { mut batch, reported, .. }) = self.take_in_flight(*slot, id) else {
                continue;
            };
            if reported {
                continue;
            }
            match failure.kind {
                FailureKind::NoCommonVersion | FailureKind::Invalid => {
                    self.leave_gap(*slot, &batch);
                    self.report(*slot, &mut batch, Outcome::Failed(failure.error.clone()));
                }
                FailureKind::NotSent | FailureKind::Disconnected | FailureKind::TimedOut => {
                    if let Some(state) = self.state(*slot) {
                        let topic = state.partition.topic.clone();
                        out.metadata.request_topic_update(&topic);
                    }
                    if failure.kind == FailureKind::NotSent {
                        // It did not cost an attempt.
                        batch.attempts = batch.attempts.saturating_sub(1);
                    }
                    self.retry(now, *slot, batch, failure.error.clone());
                }
            }
        }
    }

    /// Puts a batch back to be sent again, or reports it when it has no attempt left.
    fn retry(&mut self, now: Now, slot: usize, mut batch: Box<SealedBatch>, error: Error) {
        if batch.attempts > self.settings.retries {
            let text = format!(
                "not delivered after {} attempts (retries={})",
                batch.attempts, self.settings.retries
            );
            let error = Error::new(error.code(), text).caused_by(&error).retriable(error.is_retriable());
            return self.report(slot, &mut batch, Outcome::Failed(error));
        }
        let pause = self.settings.retry.after(batch.attempts.max(1), self.rng.f64());
        batch.retry_at = now.mono.plus_ms(pause);
        self.last_retried = Some(error.clone());
        batch.last_error = Some(error);
        if let Some(state) = self.state(slot) {
            state.put_back(batch);
        }
    }

    fn error_of(&mut self, slot: usize, answer: &Answer, response: &Response) -> Error {
        let place = self.place(slot);
        let error = response.error(answer.code, format!("the broker refused a batch for {place}"));
        match &answer.text {
            Some(text) => error.cause(text.clone()),
            None => error,
        }
    }

    /// `topic-partition`, for messages.
    pub(super) fn place(&mut self, slot: usize) -> String {
        self.state(slot).map_or_else(String::new, |s| format!("{}-{}", s.partition.topic, s.partition.index))
    }
}

fn failure(error: Error) -> RequestError {
    RequestError { kind: FailureKind::Disconnected, error }
}

fn answer_of(p: &PartitionProduceResponse<'_>) -> Answer {
    let records = p.record_errors.iter().take(3).map(|e| {
        format!("record {}: {}", e.batch_index, e.batch_index_error_message.unwrap_or("no reason given"))
    });
    let parts: Vec<String> = p.error_message.map(str::to_owned).into_iter().chain(records).collect();
    Answer {
        code: Code(i32::from(p.error_code)),
        base_offset: p.base_offset,
        append_time_ms: p.log_append_time_ms,
        text: (!parts.is_empty()).then(|| parts.join("; ")),
    }
}

/// The broker left a partition out of its answer: what became of the batch is unknown.
fn missing() -> Answer {
    Answer {
        code: Code::NETWORK_EXCEPTION,
        base_offset: -1,
        append_time_ms: -1,
        text: Some("the answer does not mention this partition".to_owned()),
    }
}
