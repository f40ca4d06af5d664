//! One request in the hands of a broker: what its handler sees, and what it can answer.

use super::faults::FaultKind;
use super::group::Ticket;
use super::world::World;
use crate::protocol::{encode_response, ApiKey, ApiMessage, EncodeError};
use crate::time::{Nanos, Now};
use bytes::Bytes;

/// What a handler makes of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A whole frame, its length in front.
    Answer(Vec<Bytes>),
    /// This request gets no answer (produce with acks=0).
    NoAnswer,
    /// The answer comes later: a fetch is tried again when it is woken and at the deadline; joins and syncs are
    /// completed by their group.
    Wait(Option<Nanos>),
    /// The request can't be answered: the connection is closed, as Kafka does it.
    Close,
}

pub(super) type Reply = Result<Outcome, EncodeError>;

/// A request, and the broker it came to.
pub(super) struct Call<'a> {
    pub world: &'a mut World,
    pub now: Now,
    /// The broker that got the request.
    pub broker: i32,
    pub ticket: Ticket,
    pub api: ApiKey,
    pub version: i16,
    pub correlation: i32,
    pub client_id: &'a str,
    /// The whole frame, which slices of the request can share.
    pub frame: &'a Bytes,
    /// Until when the request waits, if it has waited already.
    pub waited_until: Option<Nanos>,
}

impl Call<'_> {
    /// Answers with this response.
    pub fn reply<'m, M: ApiMessage<'m>>(&self, response: &M) -> Reply {
        Ok(Outcome::Answer(encode_response(response, self.version, self.correlation)?))
    }

    /// The scripted error for a part of the request: a topic (or group) or a partition of it.
    pub fn fault(&self, topic: &str, partition: i32) -> Option<i16> {
        self.world.faults.error(self.broker, self.api, Some(topic), Some(partition))
    }

    /// The scripted error for a topic, group or resource in the request.
    pub fn fault_of(&self, name: &str) -> Option<i16> {
        self.world.faults.error(self.broker, self.api, Some(name), None)
    }

    /// The scripted error for the request as a whole.
    pub fn fault_at_all(&self) -> Option<i16> {
        self.world.faults.error(self.broker, self.api, None, None)
    }
}

/// What a fault makes of an answer before it is sent.
#[derive(Debug)]
pub(super) enum Spoiled {
    /// Send this, and go on.
    Send(Vec<Bytes>),
    /// Send this, and close.
    SendAndClose(Vec<Bytes>),
    Close,
    /// Say nothing from now on.
    Silence,
}

/// Whether a fault changes the answer.
pub(super) fn spoils_answer(kind: FaultKind) -> bool {
    !matches!(kind, FaultKind::Error(_) | FaultKind::Delay(_) | FaultKind::DisconnectBefore)
}

/// Does to an answer what the fault says.
pub(super) fn spoil(kind: FaultKind, segments: Vec<Bytes>, rng: &mut fastrand::Rng) -> Spoiled {
    let mut frame: Vec<u8> = segments.concat();
    match kind {
        FaultKind::Error(_) | FaultKind::Delay(_) => Spoiled::Send(segments),
        FaultKind::DisconnectBefore | FaultKind::DisconnectAfter => Spoiled::Close,
        FaultKind::DropAnswer => Spoiled::Silence,
        FaultKind::Garbage => {
            frame.clear();
            frame.resize_with(64, || rng.u8(..));
            Spoiled::Send(vec![frame.into()])
        }
        FaultKind::HugeLength => {
            frame.truncate(8);
            set_length(&mut frame, i32::MAX);
            Spoiled::Send(vec![frame.into()])
        }
        FaultKind::CutOff => {
            frame.truncate(frame.len() / 2);
            Spoiled::SendAndClose(vec![frame.into()])
        }
        FaultKind::Truncated => {
            frame.truncate((frame.len() / 2).max(8));
            let length = i32::try_from(frame.len().saturating_sub(4)).unwrap_or(i32::MAX);
            set_length(&mut frame, length);
            Spoiled::Send(vec![frame.into()])
        }
        FaultKind::WrongCorrelation => {
            if let Some(byte) = frame.get_mut(4) {
                *byte ^= 0x40;
            }
            Spoiled::Send(vec![frame.into()])
        }
    }
}

fn set_length(frame: &mut [u8], length: i32) {
    if let Some(head) = frame.first_chunk_mut::<4>() {
        *head = length.to_be_bytes();
    }
}
