//! Admin client
//!
//! Creates, deletes and describes topics, and describes the cluster. All calls but free may be made from any threads
//! at once. Each asks the brokers and blocks until they have answered, at most `timeout_ms` (-1:
//! default.api.timeout.ms); what passes by itself, such as a controller that moved, is tried again until then.

use super::config::{milena_config, settings};
use super::error::milena_error;
use super::guard::{array, guard, guard_value, invalid, nullable, strided, text, timeout, Out};
use super::handles::{Inside, Kind, Table};
use super::log::{milena_log, warn, Taken};
use super::topics::{milena_cluster, milena_topics};
use super::types::{milena_bytes, milena_fd, milena_status};
use crate::admin::{AdminClient, NewTopic, TopicResult};
use crate::config::parse;
use crate::error::Result;
use std::mem::size_of;
use std::time::Duration;

/// An admin client; a handle, not memory.
pub struct milena_admin {
    _private: (),
}

/// A name and a value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_property {
    pub name: milena_bytes,
    /// Null: the default.
    pub value: milena_bytes,
}

/// A topic to create. Start from MILENA_NEW_TOPIC_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_new_topic {
    pub name: milena_bytes,
    /// -1: the broker's default, which brokers before 2.4 do not have.
    pub partitions: i32,
    /// 1 to 32767; -1: the broker's default, which brokers before 2.4 do not have.
    pub replication_factor: i32,
    /// `configs_len` properties of the topic, such as cleanup.policy; NULL when there are none.
    pub configs: *const milena_property,
    pub configs_len: usize,
}

static ADMINS: Table<AdminClient> = Table::new(Kind::Admin);

/// Makes an admin client. Does not wait for the brokers.
///
/// Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
/// effect yet; TRANSPORT when the system has no more threads or descriptors.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_new(
    config: *const milena_config,
    out: *mut *mut milena_admin,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a configuration of this library and a place for a pointer, by contract.
        let (config, out) = unsafe { (settings(config)?, Out::new(out, "out")?) };
        let config = parse::admin(config)?;
        let client = AdminClient::new(&config.value)?;
        warn(client.logger(), &config.warnings);
        out.set(ADMINS.insert(client)? as *mut milena_admin);
        Ok(())
    })
}

/// Creates topics, or with `validate_only` not 0 checks whether they could be. With out not NULL, `*out` has a row for
/// each, in the order of the question.
///
/// The status is that of the call, or of the first topic that failed; `*out` is written in that case, too. Errors:
/// TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG,
/// POLICY_VIOLATION, authorization errors; TIMED_OUT. A topic that was just created may not be known to all brokers
/// for a moment.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_create_topics(
    admin: *const milena_admin,
    topics: *const milena_new_topic,
    stride: usize,
    n: usize,
    validate_only: i32,
    timeout_ms: i64,
    out: *mut *mut milena_topics,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: `n` topics and all they point to are there for the length of the call, by contract.
        let topics: Result<Vec<NewTopic>> = unsafe { strided(topics, stride, n, "topics") }?
            // SAFETY: as above.
            .map(|topic| unsafe { topic_from_c(topic) })
            .collect();
        give(out, admin.create_topics(topics?, validate_only != 0, limit(timeout_ms)?)?)
    })
}

/// Deletes topics, with all their records. Results as of milena_admin_create_topics.
///
/// Errors: UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED, authorization errors; TIMED_OUT.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_delete_topics(
    admin: *const milena_admin,
    topics: *const milena_bytes,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_topics,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: `n` names are there for the length of the call, by contract.
        let names = unsafe { names_from_c(topics, n) }?;
        give(out, admin.delete_topics(&names, limit(timeout_ms)?)?)
    })
}

/// Describes topics: id, partitions, leaders, replicas. Results as of milena_admin_create_topics; does not create
/// topics.
///
/// Errors: UNKNOWN_TOPIC_OR_PARTITION, authorization errors; TIMED_OUT.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_describe_topics(
    admin: *const milena_admin,
    topics: *const milena_bytes,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_topics,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: `n` names are there for the length of the call, by contract.
        let names = unsafe { names_from_c(topics, n) }?;
        give(out, admin.describe_topics(Some(&names), limit(timeout_ms)?)?)
    })
}

/// Describes all topics, in the order of their names; Kafka's own (such as __consumer_offsets) only with
/// `list_internal` not 0.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_list_topics(
    admin: *const milena_admin,
    list_internal: i32,
    timeout_ms: i64,
    out: *mut *mut milena_topics,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        let mut topics = admin.describe_topics(None, limit(timeout_ms)?)?;
        topics.retain(|topic| list_internal != 0 || !topic.internal);
        give(out, topics)
    })
}

/// Describes the cluster: its id, its controller, its brokers.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_describe_cluster(
    admin: *const milena_admin,
    timeout_ms: i64,
    out: *mut *mut milena_cluster,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(milena_cluster::new(admin.describe_cluster(limit(timeout_ms)?)?));
        Ok(())
    })
}

/// Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_log(
    admin: *const milena_admin,
    out: *mut *mut milena_log,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        // First, so that a line that comes meanwhile raises it again.
        admin.log_signal().lower();
        out.set(milena_log::new(Taken::from(admin.logger())));
        Ok(())
    })
}

/// A descriptor that is readable as long as milena_admin_log has lines. Only wait for it: don't read, write or close
/// it. Valid until the client is freed.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_fd(
    admin: *const milena_admin,
    out: *mut milena_fd,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let admin = enter(admin)?;
        // SAFETY: a place for a descriptor, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(admin.log_signal().fd()? as milena_fd);
        Ok(())
    })
}

/// Ends the client: calls that wait end with CLOSED, as do later ones. Does not block. Closing again is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_close(
    admin: *const milena_admin,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        enter(admin)?.close();
        Ok(())
    })
}

/// Frees an admin client; NULL, and one that is freed already, are fine. Safe while other threads are inside its
/// calls, which end with CLOSED then.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_free(admin: *mut milena_admin) {
    guard_value((), || ADMINS.free(admin as usize, AdminClient::close));
}

fn enter(admin: *const milena_admin) -> Result<Inside<'static, AdminClient>> {
    ADMINS.enter(admin as usize)
}

fn limit(timeout_ms: i64) -> Result<Option<Duration>> {
    timeout(timeout_ms, "timeout_ms")
}

/// Gives the rows to who wants them; the error of the first topic that failed is that of the call.
fn give(out: *mut *mut milena_topics, topics: Vec<TopicResult>) -> Result<()> {
    let failed = topics.iter().find_map(|topic| topic.error.clone());
    if !out.is_null() {
        // SAFETY: not NULL, and by contract a place for a pointer.
        unsafe { out.write_unaligned(milena_topics::new(topics)) };
    }
    failed.map_or(Ok(()), Err)
}

/// # Safety
/// `n` names are there for the length of the call.
unsafe fn names_from_c<'a>(names: *const milena_bytes, n: usize) -> Result<Vec<&'a str>> {
    // SAFETY: as the caller promises.
    unsafe { array::<milena_bytes>(names, n, "topics") }?
        .iter()
        // SAFETY: as the caller promises.
        .map(|name| unsafe { text(*name, "a topic's name") })
        .collect()
}

/// # Safety
/// What the topic points to is there for the length of the call.
unsafe fn topic_from_c(topic: &milena_new_topic) -> Result<NewTopic> {
    // SAFETY: as the caller promises.
    let name = unsafe { text(topic.name, "a topic's name") }?;
    let replicas = topic.replication_factor;
    let replication_factor = i16::try_from(replicas)
        .map_err(|_| invalid(format!("the replication factor of topic {name} is {replicas}")))?;
    let stride = size_of::<milena_property>();
    let mut configs = Vec::new();
    // SAFETY: as the caller promises.
    for property in unsafe { strided(topic.configs, stride, topic.configs_len, "a topic's configs") }? {
        // SAFETY: as the caller promises.
        let (key, value) = unsafe {
            (text(property.name, "a config's name")?, nullable(property.value, "a config's value")?)
        };
        let value = match value {
            // SAFETY: as the caller promises.
            Some(_) => Some(unsafe { text(property.value, "a config's value") }?.to_owned()),
            None => None,
        };
        configs.push((key.to_owned(), value));
    }
    Ok(NewTopic { name: name.to_owned(), partitions: topic.partitions, replication_factor, configs })
}
