//! `TopicInterest`: keeps the metadata to the topics that the subscription is about, and tells the application of
//! those that cannot be read.

use super::shared::Shared;
use crate::client::metadata::TopicState;
use crate::client::request::{Outbox, RequestId, RequestManager, RequestResult};
use crate::error::{Code, Error};
use crate::log::{Context, Logger};
use crate::time::{Deadline, Now};
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct TopicInterest {
    shared: Arc<Shared>,
    log: Logger,
    topics: BTreeSet<Arc<str>>,
    version: u64,
    /// Topics that were told to be missing.
    missing: BTreeSet<Arc<str>>,
}

impl TopicInterest {
    pub fn new(shared: Arc<Shared>, log: Logger) -> TopicInterest {
        let (topics, missing) = (BTreeSet::new(), BTreeSet::new());
        TopicInterest { shared, log, topics, version: 0, missing }
    }
}

impl RequestManager for TopicInterest {
    fn poll(&mut self, _now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        let subscription = self.shared.subscription.lock();
        if subscription.topics_version() == self.version {
            return None;
        }
        self.version = subscription.topics_version();
        let topics = subscription.topics();
        drop(subscription);
        self.topics.difference(&topics).for_each(|t| out.metadata.unwant(t));
        topics.difference(&self.topics).for_each(|t| out.metadata.want(t));
        self.missing.retain(|t| topics.contains(t));
        self.topics = topics;
        None
    }

    fn on_response(&mut self, _now: Now, _id: RequestId, _result: RequestResult, _out: &mut Outbox<'_>) {}

    fn on_metadata(&mut self, now: Now, out: &mut Outbox<'_>) {
        for topic in out.metadata.changed().filter(|t| self.topics.contains(*t)) {
            match out.metadata.topic(topic) {
                Some(TopicState::Failed(error)) => self.shared.report(error.clone()),
                Some(TopicState::Unknown { last: Some(error) }) => {
                    // Once: whoever subscribes to a topic that is still to come need not be told with each refresh.
                    let missing = error.code() == Code::UNKNOWN_TOPIC_OR_PARTITION;
                    if missing && self.missing.insert(topic.clone()) {
                        self.log.warning(
                            now,
                            Context::Metadata,
                            format_args!(
                                "topic {topic} does not exist; it is read as soon as it does: {error}"
                            ),
                        );
                    }
                }
                Some(TopicState::Known(_)) => _ = self.missing.remove(topic),
                _ => {}
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.shared.is_closing()
    }

    fn on_fatal(&mut self, error: &Error) {
        self.shared.set_fatal(error);
    }
}
