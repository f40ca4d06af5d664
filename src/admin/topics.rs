//! Creating and deleting topics. Both go to the controller; brokers since 2.7 would pass them on as well (KIP-590).

use super::call::{Operation, Question, Trouble};
use super::types::{NewTopic, TopicResult};
use crate::client::request::Response;
use crate::error::{Code, Error, Result};
use crate::protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use crate::protocol::messages::delete_topics_request::DeleteTopicState;
use crate::protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::protocol::{ApiKey, DecodeError, EncodeError, Message, Reader, Uuid, Writer};
use std::collections::HashSet;
use std::sync::Arc;

/// The answers for some topics, as they come in.
struct Results {
    names: Vec<Arc<str>>,
    /// In the order of the names.
    results: Vec<Option<TopicResult>>,
    /// A request was lost: it may have been carried out.
    lost: bool,
}

/// What a broker says of one topic.
struct Report<'a> {
    name: &'a str,
    id: Uuid,
    code: i16,
    message: Option<&'a str>,
}

impl Results {
    fn new(names: Vec<Arc<str>>) -> Result<Results> {
        let mut seen = HashSet::new();
        for name in &names {
            if name.is_empty() {
                return Err(Error::new(Code::INVALID_ARGUMENT, "a topic has an empty name"));
            }
            if !seen.insert(name.clone()) {
                return Err(Error::new(Code::INVALID_ARGUMENT, format!("topic {name} is named twice")));
            }
        }
        let results = names.iter().map(|_| None).collect();
        Ok(Results { names, results, lost: false })
    }

    /// The numbers of those without an answer.
    fn open(&self) -> Vec<usize> {
        self.results.iter().enumerate().filter(|(_, r)| r.is_none()).map(|(i, _)| i).collect()
    }

    /// Takes a response in. `maybe_done` is what a broker says if a lost request was carried out.
    fn take_in<'a>(
        &mut self,
        response: &Response,
        reports: impl Iterator<Item = Report<'a>>,
        maybe_done: Code,
        verb: &str,
    ) -> std::result::Result<Vec<TopicResult>, Trouble> {
        let mut again = None;
        for report in reports {
            let Some(at) = self.names.iter().position(|n| &**n == report.name) else { continue };
            let code = Code::from(report.code);
            let mut error = (!code.is_ok()).then(|| error_of(response, code, verb, &report));
            if let (true, Some(e)) = (self.lost && code == maybe_done, &error) {
                error = Some(e.clone().cause(format!(
                    "an earlier request of this call got no answer; it may have {verb}d the topic"
                )));
            }
            match error {
                Some(error) if passes(code) => again = Some(error),
                error => {
                    let result = TopicResult { id: report.id, ..TopicResult::new(report.name, error) };
                    if let Some(place) = self.results.get_mut(at) {
                        *place = Some(result);
                    }
                }
            }
        }
        if let Some(error) = again {
            return Err(Trouble::Again(error));
        }
        let missing = |name: &Arc<str>| {
            let text = format!("the broker's answer says nothing about topic {name}");
            TopicResult::new(name.clone(), Some(response.error(Code::UNKNOWN_SERVER_ERROR, text)))
        };
        let results = std::mem::take(&mut self.results).into_iter().zip(&self.names);
        Ok(results.map(|(result, name)| result.unwrap_or_else(|| missing(name))).collect())
    }
}

/// Whether the same request may succeed a moment later.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::NOT_CONTROLLER | Code::THROTTLING_QUOTA_EXCEEDED | Code::COORDINATOR_LOAD_IN_PROGRESS
    )
}

fn error_of(response: &Response, code: Code, verb: &str, report: &Report<'_>) -> Error {
    let error = response.error(code, format!("cannot {verb} topic {}", report.name));
    match report.message {
        Some(message) if !message.is_empty() => error.cause(message),
        _ => error,
    }
}

pub(super) fn unreadable(response: &Response, e: DecodeError) -> Trouble {
    Trouble::Failed(response.unreadable(e))
}

/// See [`AdminClient::create_topics`](super::AdminClient::create_topics).
pub(super) struct CreateTopics {
    topics: Arc<[NewTopic]>,
    validate_only: bool,
    results: Results,
}

impl CreateTopics {
    pub fn new(topics: Vec<NewTopic>, validate_only: bool) -> Result<CreateTopics> {
        let results = Results::new(topics.iter().map(|t| t.name.as_str().into()).collect())?;
        Ok(CreateTopics { topics: topics.into(), validate_only, results })
    }

    /// Whether something is left to the broker, which it can since version 4 of the request.
    fn uses_defaults(&self) -> bool {
        self.topics.iter().any(|t| t.partitions == -1 || t.replication_factor == -1)
    }
}

impl Operation for CreateTopics {
    type Answer = Vec<TopicResult>;
    const TO_CONTROLLER: bool = true;
    const FAILURE: &'static str = "the topics were not created";

    fn request(&mut self, timeout_ms: i32) -> Question {
        let (topics, open, validate_only) = (self.topics.clone(), self.results.open(), self.validate_only);
        let encode = move |w: &mut Writer, version: i16| -> std::result::Result<(), EncodeError> {
            let topics = open.iter().filter_map(|i| topics.get(*i)).map(creatable).collect();
            CreateTopicsRequest { topics, timeout_ms, validate_only }.encode(w, version)
        };
        let least = match (self.uses_defaults(), validate_only) {
            (true, _) => 4,
            (false, true) => 1,
            (false, false) => 0,
        };
        Question { api: ApiKey::CreateTopics, versions: (least, 7), encode: Box::new(encode) }
    }

    fn on_response(&mut self, response: &Response) -> std::result::Result<Vec<TopicResult>, Trouble> {
        let mut reader = Reader::new(&response.body);
        let decoded = CreateTopicsResponse::decode(&mut reader, response.version)
            .map_err(|e| unreadable(response, e))?;
        let reports = decoded.topics.iter().map(|t| Report {
            name: t.name,
            id: t.topic_id,
            code: t.error_code,
            message: t.error_message,
        });
        self.results.take_in(response, reports, Code::TOPIC_ALREADY_EXISTS, "create")
    }

    fn on_lost(&mut self) {
        self.results.lost = true;
    }

    fn explain(&self, error: Error) -> Error {
        match error.code() == Code::NO_COMMON_VERSION && self.uses_defaults() {
            true => error.hint("brokers before 2.4 need the numbers of partitions and replicas said"),
            false => error,
        }
    }
}

fn creatable(topic: &NewTopic) -> CreatableTopic<'_> {
    let config = |(name, value)| CreatableTopicConfig { name, value };
    CreatableTopic {
        name: &topic.name,
        num_partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        assignments: Vec::new(),
        configs: topic.configs.iter().map(|(n, v)| config((n.as_str(), v.as_deref()))).collect(),
    }
}

/// See [`AdminClient::delete_topics`](super::AdminClient::delete_topics).
pub(super) struct DeleteTopics {
    results: Results,
}

impl DeleteTopics {
    pub fn new(names: &[&str]) -> Result<DeleteTopics> {
        Ok(DeleteTopics { results: Results::new(names.iter().map(|n| Arc::from(*n)).collect())? })
    }
}

impl Operation for DeleteTopics {
    type Answer = Vec<TopicResult>;
    const TO_CONTROLLER: bool = true;
    const FAILURE: &'static str = "the topics were not deleted";

    fn request(&mut self, timeout_ms: i32) -> Question {
        let open = self.results.open();
        let names: Vec<Arc<str>> =
            open.into_iter().filter_map(|i| self.results.names.get(i).cloned()).collect();
        let encode = move |w: &mut Writer, version: i16| -> std::result::Result<(), EncodeError> {
            let mut request = DeleteTopicsRequest { timeout_ms, ..DeleteTopicsRequest::default() };
            if version >= 6 {
                let state = |name| DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO };
                request.topics = names.iter().map(|n| state(&**n)).collect();
            } else {
                request.topic_names = names.iter().map(|n| &**n).collect();
            }
            request.encode(w, version)
        };
        Question { api: ApiKey::DeleteTopics, versions: (0, 6), encode: Box::new(encode) }
    }

    fn on_response(&mut self, response: &Response) -> std::result::Result<Vec<TopicResult>, Trouble> {
        let mut reader = Reader::new(&response.body);
        let decoded = DeleteTopicsResponse::decode(&mut reader, response.version)
            .map_err(|e| unreadable(response, e))?;
        let reports = decoded.responses.iter().map(|t| Report {
            name: t.name.unwrap_or(""),
            id: t.topic_id,
            code: t.error_code,
            message: t.error_message,
        });
        self.results.take_in(response, reports, Code::UNKNOWN_TOPIC_OR_PARTITION, "delete")
    }

    fn on_lost(&mut self) {
        self.results.lost = true;
    }
}
