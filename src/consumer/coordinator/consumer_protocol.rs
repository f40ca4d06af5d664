//! What members tell each other through the coordinator, which does not read it: subscriptions on the way to the
//! leader, assignments on the way back. Each begins with its version.

use crate::config::Assignor;
use crate::consumer::assignor::Member;
use crate::error::{Code, Error};
use crate::protocol::messages::{
    consumer_protocol_assignment as assignment, consumer_protocol_subscription as subscription,
};
use crate::protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use crate::protocol::{EncodeError, Message, Reader, Writer};
use crate::serialization::TopicPartition;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The highest versions that are written, and that others are read as.
const SUBSCRIPTION_VERSION: i16 = 3;
const ASSIGNMENT_VERSION: i16 = 3;

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<&str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for p in partitions {
        topics.entry(&p.topic).or_default().push(p.partition);
    }
    topics
}

/// This member's subscription for one of its assignors.
pub fn encode_subscription(
    assignor: Assignor,
    topics: &BTreeSet<Arc<str>>,
    owned: &[TopicPartition],
    generation: i32,
) -> Result<Bytes, EncodeError> {
    // Leaders that do not read the generation field look for it here.
    let user_data = generation.to_be_bytes();
    let owned = by_topic(owned).into_iter();
    let message = ConsumerProtocolSubscription {
        topics: topics.iter().map(|t| &**t).collect(),
        user_data: (assignor == Assignor::CooperativeSticky).then_some(&user_data[..]),
        owned_partitions: owned
            .map(|(topic, partitions)| subscription::TopicPartition { topic, partitions })
            .collect(),
        generation_id: generation,
        ..Default::default()
    };
    let mut w = Writer::new();
    w.put_i16(SUBSCRIPTION_VERSION);
    message.encode(&mut w, SUBSCRIPTION_VERSION)?;
    Ok(w.into_bytes())
}

/// Another member's subscription, as the leader gets it.
pub fn decode_subscription(id: &str, instance: Option<&str>, bytes: &[u8]) -> Result<Member, Error> {
    let mut r = Reader::new(bytes);
    let version = version(&mut r, SUBSCRIPTION_VERSION, id)?;
    let message = ConsumerProtocolSubscription::decode(&mut r, version)
        .map_err(|e| e.into_error("the subscription of a member of the group").cause(id))?;
    let owned = message.owned_partitions.iter().flat_map(|t| {
        let topic: Arc<str> = t.topic.into();
        t.partitions.iter().map(move |p| TopicPartition::new(topic.clone(), *p))
    });
    let in_user_data = || message.user_data?.first_chunk::<4>().map(|b| i32::from_be_bytes(*b));
    let generation = Some(message.generation_id).filter(|g| *g >= 0).or_else(in_user_data).unwrap_or(-1);
    Ok(Member {
        id: id.into(),
        instance: instance.map(Arc::from),
        topics: message.topics.iter().map(|t| Arc::from(*t)).collect(),
        owned: owned.collect(),
        generation,
    })
}

/// What a member gets.
pub fn encode_assignment(partitions: &[TopicPartition]) -> Result<Bytes, EncodeError> {
    let topics = by_topic(partitions).into_iter();
    let message = ConsumerProtocolAssignment {
        assigned_partitions: topics
            .map(|(topic, partitions)| assignment::TopicPartition { topic, partitions })
            .collect(),
        user_data: None,
    };
    let mut w = Writer::new();
    // All versions are written alike; the first is understood by all members.
    w.put_i16(0);
    message.encode(&mut w, 0)?;
    Ok(w.into_bytes())
}

/// What this member gets. No bytes at all mean nothing.
pub fn decode_assignment(bytes: &[u8]) -> Result<Vec<TopicPartition>, Error> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut r = Reader::new(bytes);
    let version = version(&mut r, ASSIGNMENT_VERSION, "the leader")?;
    let message = ConsumerProtocolAssignment::decode(&mut r, version)
        .map_err(|e| e.into_error("the assignment made by the group's leader"))?;
    let all = message.assigned_partitions.iter().flat_map(|t| {
        let topic: Arc<str> = t.topic.into();
        t.partitions.iter().map(move |p| TopicPartition::new(topic.clone(), *p))
    });
    Ok(all.collect())
}

/// A version that is not known yet is read as the highest known: what is new stands at the end.
fn version(r: &mut Reader<'_>, highest: i16, whose: &str) -> Result<i16, Error> {
    let version = r.i16().map_err(|e| e.into_error("the group's consumer protocol").cause(whose))?;
    if version < 0 {
        let text = format!("{whose} speaks version {version} of the consumer protocol, which cannot be");
        return Err(Error::new(Code::PROTOCOL, text));
    }
    Ok(version.min(highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions() -> Vec<TopicPartition> {
        vec![TopicPartition::new("a", 0), TopicPartition::new("a", 2), TopicPartition::new("b", 1)]
    }

    #[test]
    fn a_subscription_survives_the_way_to_the_leader() {
        let topics: BTreeSet<Arc<str>> = ["a".into(), "b".into()].into();
        let bytes = encode_subscription(Assignor::CooperativeSticky, &topics, &partitions(), 7).unwrap();
        let member = decode_subscription("m", Some("i"), &bytes).unwrap();
        assert_eq!((&*member.id, member.instance.as_deref(), member.generation), ("m", Some("i"), 7));
        assert_eq!((member.topics, member.owned), (topics, partitions()));
    }

    #[test]
    fn an_old_sticky_member_tells_its_generation_in_its_user_data() {
        let message = ConsumerProtocolSubscription {
            topics: vec!["a"],
            user_data: Some(&[0, 0, 0, 9]),
            ..Default::default()
        };
        let mut w = Writer::new();
        w.put_i16(1);
        message.encode(&mut w, 1).unwrap();
        assert_eq!(decode_subscription("m", None, &w.into_bytes()).unwrap().generation, 9);
    }

    #[test]
    fn an_assignment_of_any_version_is_read() {
        let bytes = encode_assignment(&partitions()).unwrap();
        assert_eq!(decode_assignment(&bytes).unwrap(), partitions());
        let mut newer = bytes.to_vec();
        newer[1] = 9;
        newer.extend(b"something new");
        assert_eq!(decode_assignment(&newer).unwrap(), partitions());
        assert!(decode_assignment(&[]).unwrap().is_empty());
    }

    #[test]
    fn garbage_is_an_error() {
        assert_eq!(decode_assignment(&[0xff, 0xff, 0, 0]).unwrap_err().code(), Code::PROTOCOL);
        assert!(decode_assignment(&[0]).is_err());
        let bytes = encode_assignment(&partitions()).unwrap();
        for cut in 1..bytes.len() {
            let _ = decode_assignment(&bytes[..cut]);
            let _ = decode_subscription("m", None, &bytes[..cut]);
        }
    }
}
