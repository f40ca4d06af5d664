//! `TopicInterest`: keeps the metadata to the topics that the subscription is about, and tells the application of
//! those that cannot be read.

use super::shared::Shared;
use crate::client::metadata::TopicState;
use crate::client::request::{Outbox, RequestId, RequestManager, RequestResult};
use crate::error::Error;
use crate::time::{Deadline, Now};
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct TopicInterest {
    shared: Arc<Shared>,
    topics: BTreeSet<Arc<str>>,
    version: u64,
}

impl TopicInterest {
    pub fn new(shared: Arc<Shared>) -> TopicInterest {
        TopicInterest { shared, topics: BTreeSet::new(), version: 0 }
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
        self.topics = topics;
        None
    }

    fn on_response(&mut self, _now: Now, _id: RequestId, _result: RequestResult, _out: &mut Outbox<'_>) {}

    fn on_metadata(&mut self, _now: Now, out: &mut Outbox<'_>) {
        for topic in out.metadata.changed().filter(|t| self.topics.contains(*t)) {
            if let Some(TopicState::Failed(error)) = out.metadata.topic(topic) {
                self.shared.report(error.clone());
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
