//! Why a record is refused at once.

use crate::error::{Code, Error};

#[cold]
pub(super) fn closed() -> Error {
    Error::new(Code::CLOSED, "the producer is closed")
}

/// Retriable, as in Java's client, where `send` itself waits for the partition until `max.block.ms` is over.
#[cold]
pub(super) fn no_such_partition(topic: &str, index: usize) -> Error {
    Error::new(Code::UNKNOWN_TOPIC_OR_PARTITION, format!("topic {topic} has no partition {index}"))
        .hint("send to an existing partition, or leave the choice to the partitioner (-1)")
}

#[cold]
pub(super) fn too_large(size: usize, limit: usize) -> Error {
    let text = format!("a record of about {size} bytes is larger than max.request.size ({limit})");
    Error::new(Code::MESSAGE_TOO_LARGE, text)
        .hint("raise max.request.size, and the topic's max.message.bytes with it")
        .retriable(false)
}

/// Kafka's rules for the names of topics, so that a wrong one fails at once and not at every broker.
pub(super) fn check_topic_name(name: &str) -> Result<(), Error> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let why = match name {
        "" => "it is empty".to_owned(),
        "." | ".." => "it may not be . or ..".to_owned(),
        _ if name.len() > 249 => format!("it has {} characters, 249 are allowed", name.len()),
        _ => match name.bytes().position(|b| !legal(b)) {
            None => return Ok(()),
            Some(at) => format!("the character at position {at} is not one of a-z A-Z 0-9 . _ -"),
        },
    };
    Err(Error::new(Code::INVALID_TOPIC_EXCEPTION, format!("{name:?} is not a topic's name: {why}")))
}
