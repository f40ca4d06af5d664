//! Admin client
//!
//! Creates, deletes and describes topics, and describes the cluster. All calls but free may be made from any threads
//! at once. Each asks the brokers and blocks until they have answered, at most `timeout_ms` (-1:
//! default.api.timeout.ms); what passes by itself, such as a controller that moved, is tried again until then.

use super::config::milena_config;
use super::error::milena_error;
use super::guard::guard;
use super::log::milena_log;
use super::topics::{milena_cluster, milena_topics};
use super::types::{milena_bytes, milena_status};
use crate::error::{Code, Error, Result};

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

fn later() -> Result<()> {
    Err(Error::new(Code::NOT_IMPLEMENTED, "the admin client is not there yet"))
}

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
    guard(err, later)
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
    guard(err, later)
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
    guard(err, later)
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
    guard(err, later)
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
    guard(err, later)
}

/// Describes the cluster: its id, its controller, its brokers.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_describe_cluster(
    admin: *const milena_admin,
    timeout_ms: i64,
    out: *mut *mut milena_cluster,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, later)
}

/// Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_log(
    admin: *const milena_admin,
    out: *mut *mut milena_log,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, later)
}

/// Ends the client: calls that wait end with CLOSED, as do later ones. Does not block. Closing again is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_close(
    admin: *const milena_admin,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, later)
}

/// Frees an admin client; NULL, and one that is freed already, are fine. Safe while other threads are inside its
/// calls, which end with CLOSED then.
#[no_mangle]
pub unsafe extern "C" fn milena_admin_free(admin: *mut milena_admin) {
}
