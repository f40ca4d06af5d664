//! What happens to a record before the accumulator: interceptors, serializers, checks.

use super::interceptor::ProducerInterceptor;
use super::record::{ProducerRecord, RecordSource};
use crate::config::Serde;
use crate::error::{Code, Error};
use std::sync::Arc;

/// The steps that are configured; with none, records pass untouched.
pub struct Steps {
    pub interceptors: Vec<Arc<dyn ProducerInterceptor>>,
    key: Serde,
    value: Serde,
    /// Asked for every record.
    empty: bool,
}

impl Steps {
    pub fn new(interceptors: Vec<Arc<dyn ProducerInterceptor>>, key: Serde, value: Serde) -> Steps {
        let empty = interceptors.is_empty() && key == Serde::Bytes && value == Serde::Bytes;
        Steps { interceptors, key, value, empty }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    fn apply(&self, topic: &str, record: &mut ProducerRecord<'_>) -> Result<(), Error> {
        for interceptor in &self.interceptors {
            interceptor.on_send(topic, record)?;
        }
        check_text(self.key, record.key, "key")?;
        check_text(self.value, record.value, "value")
    }
}

fn check_text(serializer: Serde, data: Option<&[u8]>, what: &str) -> Result<(), Error> {
    let Some(data) = data.filter(|_| serializer == Serde::Utf8) else { return Ok(()) };
    match std::str::from_utf8(data) {
        Ok(_) => Ok(()),
        Err(e) => {
            let text = format!("the {what} is not UTF-8: byte {} of {}", e.valid_up_to(), data.len());
            Err(Error::new(Code::INVALID_ARGUMENT, text)
                .hint(format!("{what}.serializer is StringSerializer; use ByteArraySerializer for bytes")))
        }
    }
}

/// A source whose records pass the steps on their way.
pub struct Prepared<'a, S> {
    pub source: &'a mut S,
    pub steps: &'a Steps,
    pub topic: &'a str,
}

impl<S: RecordSource> RecordSource for Prepared<'_, S> {
    fn peek(&mut self) -> Option<Result<ProducerRecord<'_>, Error>> {
        let record = self.source.peek()?;
        Some(record.and_then(|mut record| {
            self.steps.apply(self.topic, &mut record)?;
            Ok(record)
        }))
    }

    fn advance(&mut self) {
        self.source.advance();
    }
}
