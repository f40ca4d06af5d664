//! From the caller's bytes to a record's and back: `Serializer`, `Deserializer` and the built-in ones.
//!
//! The caller of a C library has bytes already, so the built-ins only pass or check them, without a copy; a
//! type of a language is encoded on the caller's side. A serializer of one's own is a Rust trait.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::config::Serde;
use crate::error::{Code, Error};

/// A partition of a topic; displays as `topic-0`, and sorts by topic, then partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Makes a record's key or value from what the caller passed. `None` is Kafka's null, which is not the same
/// as empty.
pub trait Serializer: Send + Sync {
    /// An error refuses the record before it is accepted.
    fn serialize<'a>(&self, topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error>;
}

/// The way back: makes what the caller gets from a record's key or value.
pub trait Deserializer: Send + Sync {
    fn deserialize<'a>(&self, topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error>;
}

/// Passes bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteArraySerializer;

/// Passes bytes that are UTF-8 and refuses others.
#[derive(Clone, Copy, Debug, Default)]
pub struct StringSerializer;

/// Passes bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteArrayDeserializer;

/// Passes bytes that are UTF-8 and reports others.
#[derive(Clone, Copy, Debug, Default)]
pub struct StringDeserializer;

impl Serializer for ByteArraySerializer {
    fn serialize<'a>(&self, _topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error> {
        Ok(data.map(Cow::Borrowed))
    }
}

impl Serializer for StringSerializer {
    fn serialize<'a>(&self, topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error> {
        utf8(topic, data).map_err(|e| e.hint("pass UTF-8, or set the serializer to ByteArraySerializer"))
    }
}

impl Deserializer for ByteArrayDeserializer {
    fn deserialize<'a>(&self, _topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error> {
        Ok(data.map(Cow::Borrowed))
    }
}

impl Deserializer for StringDeserializer {
    fn deserialize<'a>(&self, topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error> {
        utf8(topic, data)
            .map_err(|e| e.hint("seek past the record, or set the deserializer to ByteArrayDeserializer"))
    }
}

/// The error shows no data: it may be a secret of the application.
fn utf8<'a>(topic: &str, data: Option<&'a [u8]>) -> Result<Option<Cow<'a, [u8]>>, Error> {
    let Some(bytes) = data else { return Ok(None) };
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(Some(Cow::Borrowed(bytes))),
        Err(e) => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("{} bytes for topic {topic} are not UTF-8 from byte {}", bytes.len(), e.valid_up_to()),
        )),
    }
}

/// The built-in serializer for a `key.serializer` or `value.serializer`.
pub fn serializer(serde: Serde) -> &'static dyn Serializer {
    match serde {
        Serde::Bytes => &ByteArraySerializer,
        Serde::Utf8 => &StringSerializer,
    }
}

/// The built-in deserializer for a `key.deserializer` or `value.deserializer`.
pub fn deserializer(serde: Serde) -> &'static dyn Deserializer {
    match serde {
        Serde::Bytes => &ByteArrayDeserializer,
        Serde::Utf8 => &StringDeserializer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_partition_orders_and_displays() {
        let mut all = [
            TopicPartition::new("b", 0),
            TopicPartition::new("a", 10),
            TopicPartition::new(String::from("a"), 2),
        ];
        all.sort();
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a-2", "a-10", "b-0"]);
    }

    #[test]
    fn null_empty_and_bytes_pass_without_a_copy() {
        for serde in [Serde::Bytes, Serde::Utf8] {
            let data: &[u8] = "grüße".as_bytes();
            for out in [
                serializer(serde).serialize("t", Some(data)).unwrap(),
                deserializer(serde).deserialize("t", Some(data)).unwrap(),
            ] {
                match out {
                    Some(Cow::Borrowed(same)) => assert!(std::ptr::eq(same, data)),
                    other => panic!("copied or lost: {other:?}"),
                }
            }
            assert_eq!(serializer(serde).serialize("t", None).unwrap(), None);
            assert_eq!(deserializer(serde).deserialize("t", Some(b"")).unwrap().as_deref(), Some(&b""[..]));
        }
    }

    #[test]
    fn only_the_string_classes_check_utf8() {
        let bad: &[u8] = b"ab\xffsecret";
        assert_eq!(serializer(Serde::Bytes).serialize("t", Some(bad)).unwrap().as_deref(), Some(bad));
        for e in [
            serializer(Serde::Utf8).serialize("orders", Some(bad)).unwrap_err(),
            deserializer(Serde::Utf8).deserialize("orders", Some(bad)).unwrap_err(),
        ] {
            assert_eq!(e.code(), Code::INVALID_ARGUMENT);
            let text = e.to_string();
            assert!(
                text.contains("orders") && text.contains("from byte 2") && !text.contains("secret"),
                "{text}"
            );
        }
    }
}
