//! The admin client: [`AdminClient`] on the application's threads over an [`AdminManager`](manager::AdminManager) on
//! the I/O thread.
//!
//! A call is a question to the I/O thread (`start_…`, which does not block) and a wait for its [`Answer`]. The
//! manager sends it to whom it is for, the controller or any broker, and sends it again after failures that pass,
//! until the call's time is over. What is asked is in [`topics`] and [`describe`].

mod call;
mod describe;
mod manager;
mod topics;
mod types;

pub use call::Answer;
pub use types::{ClusterDescription, NewTopic, TopicResult};

use self::call::{Inbox, Operation};
use self::describe::{DescribeCluster, DescribeTopics};
use self::manager::{AdminManager, Settings};
use self::topics::{CreateTopics, DeleteTopics};
use crate::client::request::RequestManager;
use crate::client::wire::{Machine, Wake};
use crate::client::{settings, ClientCore, Troubles};
use crate::config::AdminConfig;
use crate::error::{Code, Error, Result};
use crate::log::Logger;
use crate::net::{ClientHandle, Driver};
use crate::sys::clock;
use crate::sys::signal::Signal;
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

/// An admin client; any number of threads may use it at once.
pub struct AdminClient {
    inbox: Arc<Inbox>,
    waker: Arc<dyn Wake>,
    logger: Logger,
    log_signal: Arc<Signal>,
    api_timeout: Duration,
    /// The place on the I/O thread, kept as long as this; none in a simulation, which drives the machine by itself.
    handle: Option<ClientHandle>,
}

/// Requests under way on one connection.
const MAX_IN_FLIGHT: usize = 5;

impl AdminClient {
    /// An admin client on the I/O thread of this process. Connects to nobody before it is asked something.
    ///
    /// # Errors
    /// TRANSPORT when the system has no more threads or descriptors.
    pub fn new(config: &AdminConfig) -> Result<AdminClient> {
        let mut client = None;
        let handle = Driver::register_with(|waker| {
            let (made, machine) = AdminClient::parts(config, fastrand::u64(..), waker);
            client = Some(made);
            machine
        })?;
        let mut client = client.ok_or_else(|| Error::new(Code::PANIC, "the admin client was not made"))?;
        client.handle = Some(handle);
        Ok(client)
    }

    /// The application's side and the I/O thread's side, for who drives the latter by itself. `seed` decides
    /// everything that is left to chance.
    pub fn parts(config: &AdminConfig, seed: u64, waker: Arc<dyn Wake>) -> (AdminClient, Box<dyn Machine>) {
        let client = &config.client;
        let log_signal = Arc::new(Signal::new());
        let raise = log_signal.clone();
        let logger = Logger::with_waker(client.log, &client.client_id, move || raise.raise());
        let troubles = Arc::<Troubles>::default();
        let inbox = Arc::new(Inbox::new(troubles.clone()));
        let manager = AdminManager::new(
            inbox.clone(),
            Settings {
                retries: config.retries,
                retry: settings::retry_backoff(client),
                request_timeout_ms: client.request_timeout_ms,
            },
            seed.wrapping_add(2),
        );
        let managers: Vec<Box<dyn RequestManager>> = vec![Box::new(manager)];
        let core = ClientCore::new(
            settings::network(client, MAX_IN_FLIGHT, logger.clone(), troubles.clone()),
            settings::metadata(client, false),
            managers,
            seed,
        );
        let api_timeout = Duration::from_millis(client.default_api_timeout_ms);
        let client = AdminClient { inbox, waker, logger, log_signal, api_timeout, handle: None };
        (client, Box::new(core))
    }

    /// Creates topics, or only checks whether they could be. The answers come in the order of the question; an error
    /// of one topic is not one of the call. `timeout`: `None` is `default.api.timeout.ms`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a topic that is named twice; TIMED_OUT with the last failure as its cause.
    pub fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
        timeout: Option<Duration>,
    ) -> Result<Vec<TopicResult>> {
        self.start_create_topics(clock::now(), topics, validate_only, timeout)?.wait()
    }

    /// [`AdminClient::create_topics`] without the wait.
    pub fn start_create_topics(
        &self,
        now: Now,
        topics: Vec<NewTopic>,
        validate_only: bool,
        timeout: Option<Duration>,
    ) -> Result<Answer<Vec<TopicResult>>> {
        self.start(now, CreateTopics::new(topics, validate_only)?, timeout)
    }

    /// Deletes topics; as [`AdminClient::create_topics`].
    pub fn delete_topics(&self, names: &[&str], timeout: Option<Duration>) -> Result<Vec<TopicResult>> {
        self.start_delete_topics(clock::now(), names, timeout)?.wait()
    }

    /// [`AdminClient::delete_topics`] without the wait.
    pub fn start_delete_topics(
        &self,
        now: Now,
        names: &[&str],
        timeout: Option<Duration>,
    ) -> Result<Answer<Vec<TopicResult>>> {
        self.start(now, DeleteTopics::new(names)?, timeout)
    }

    /// Describes topics, in the order of the question; all topics, in the order of their names, if none are asked
    /// for by name. Creates none.
    pub fn describe_topics(
        &self,
        names: Option<&[&str]>,
        timeout: Option<Duration>,
    ) -> Result<Vec<TopicResult>> {
        self.start_describe_topics(clock::now(), names, timeout)?.wait()
    }

    /// [`AdminClient::describe_topics`] without the wait.
    pub fn start_describe_topics(
        &self,
        now: Now,
        names: Option<&[&str]>,
        timeout: Option<Duration>,
    ) -> Result<Answer<Vec<TopicResult>>> {
        self.start(now, DescribeTopics::new(names)?, timeout)
    }

    /// Describes the cluster.
    pub fn describe_cluster(&self, timeout: Option<Duration>) -> Result<ClusterDescription> {
        self.start_describe_cluster(clock::now(), timeout)?.wait()
    }

    /// [`AdminClient::describe_cluster`] without the wait.
    pub fn start_describe_cluster(
        &self,
        now: Now,
        timeout: Option<Duration>,
    ) -> Result<Answer<ClusterDescription>> {
        self.start(now, DescribeCluster, timeout)
    }

    fn start<O: Operation + 'static>(
        &self,
        now: Now,
        operation: O,
        timeout: Option<Duration>,
    ) -> Result<Answer<O::Answer>> {
        let answer = self.inbox.post(now, operation, timeout.unwrap_or(self.api_timeout))?;
        self.waker.wake();
        Ok(answer)
    }

    /// Ends the client: calls that wait end with CLOSED, as do later ones. Does not block.
    pub fn close(&self) {
        self.inbox.close();
        self.waker.wake();
    }

    /// Its log; with `log.sink=poll` the lines are taken from here.
    pub fn logger(&self) -> &Logger {
        &self.logger
    }

    /// Up since the log got a line; whoever takes the lines lowers it.
    pub fn log_signal(&self) -> &Signal {
        &self.log_signal
    }
}

impl Drop for AdminClient {
    fn drop(&mut self) {
        self.inbox.close();
        drop(self.handle.take());
    }
}
