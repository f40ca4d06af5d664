//! Embedded cluster
//!
//! A Kafka for tests: brokers inside this process, in memory, on loopback, that any Kafka client can connect to. Their
//! ids are 1, 2, 3 … What is to go wrong can be said by script. All calls but free may be made from any threads at
//! once; they block for a moment at most.

use super::config::milena_config;
use super::embedded_settings::cluster_settings;
use super::error::{c_string, milena_error};
use super::guard::{guard, guard_value, invalid, nullable, object, text, Out};
use super::handles::{Inside, Kind, Table};
use super::types::{milena_bytes, milena_status};
use crate::embedded::{EmbeddedServer, Fault, FaultKind};
use crate::error::codes::TABLE;
use crate::error::Result;
use crate::protocol::ApiKey;
use std::ffi::CString;
use std::mem::size_of;
use std::os::raw::c_char;
use std::ptr;

/// An embedded cluster; a handle, not memory.
pub struct milena_embedded {
    _private: (),
}

/// The request is answered with `code` and not carried out. (Produce with REQUEST_TIMED_OUT or
/// NOT_ENOUGH_REPLICAS_AFTER_APPEND appends all the same, as Kafka does.)
pub const MILENA_FAULT_ERROR: i32 = 1;
/// The answer, whatever it is, comes `delay_ms` later; so do later ones on the same connection.
pub const MILENA_FAULT_DELAY: i32 = 2;
/// The connection is closed and the request not carried out.
pub const MILENA_FAULT_DISCONNECT_BEFORE: i32 = 3;
/// The request is carried out, and the connection closed instead of an answer.
pub const MILENA_FAULT_DISCONNECT_AFTER: i32 = 4;
/// The request is carried out and never answered, nor is any later one on the same connection.
pub const MILENA_FAULT_DROP_ANSWER: i32 = 5;
/// Random bytes come instead of the answer.
pub const MILENA_FAULT_GARBAGE: i32 = 6;
/// Instead of the answer comes the start of a frame that says to be 2 GiB long.
pub const MILENA_FAULT_HUGE_LENGTH: i32 = 7;
/// The first half of the answer comes, then the connection is closed.
pub const MILENA_FAULT_CUT_OFF: i32 = 8;
/// The answer comes in a sound frame, but ends in the middle.
pub const MILENA_FAULT_TRUNCATED: i32 = 9;
/// The answer has another request's correlation id.
pub const MILENA_FAULT_WRONG_CORRELATION: i32 = 10;

/// Something that is to go wrong. Start from MILENA_FAULT_INIT, which fits every request, once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_fault {
    /// MILENA_FAULT_ERROR and the like.
    pub kind: i32,
    /// Of MILENA_FAULT_ERROR: one of Kafka's codes.
    pub code: milena_status,
    /// Only requests of this API, by its number in the protocol (0 Produce, 1 Fetch, 3 Metadata …); -1: all.
    pub api_key: i32,
    /// Only requests to this broker; -1: all.
    pub broker: i32,
    /// Of MILENA_FAULT_ERROR: only this topic (or group) fails; null: all.
    pub topic: milena_bytes,
    /// Of MILENA_FAULT_ERROR: only this partition fails; -1: all.
    pub partition: i32,
    /// How many requests that fit pass unharmed first.
    pub skip: u32,
    /// How many requests it happens to; UINT32_MAX: all, until the faults are cleared.
    pub times: u32,
    /// Of MILENA_FAULT_DELAY: milliseconds.
    pub delay_ms: u32,
}

/// What a handle stands for.
struct Embedded {
    server: EmbeddedServer,
    bootstrap: CString,
}

static CLUSTERS: Table<Embedded> = Table::new(Kind::Embedded);

/// Starts `brokers` brokers (1 to 1000), which listen on 127.0.0.1, broker i at port `base_port` + i - 1; with a
/// `base_port` of 0 at ports that are free.
///
/// `settings` may be NULL. Otherwise its names are: auto.create.topics.enable (true), num.partitions (1),
/// default.replication.factor (1), message.max.bytes, log.retention.bytes, group.initial.rebalance.delay.ms (0),
/// cluster.id, broker.version (1.1, 2.8, 3.9 or 4.4: which version of Kafka to pretend to be), seed (what ids are drawn from).
///
/// Errors: INVALID_ARGUMENT; INVALID_CONFIGURATION; TRANSPORT when a port is taken or the system has no more threads
/// or descriptors.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_new(
    brokers: i32,
    base_port: i32,
    settings: *const milena_config,
    out: *mut *mut milena_embedded,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: NULL or a configuration of this library, and a place for a pointer, by contract.
        let (settings, out) = unsafe { (settings.as_ref(), Out::new(out, "out")?) };
        let settings = cluster_settings(brokers, settings)?;
        let port = u16::try_from(base_port)
            .map_err(|_| invalid(format!("base_port is {base_port}; it must be 0 to 65535")))?;
        let server = EmbeddedServer::start(settings, port)?;
        let bootstrap = c_string(&server.bootstrap_servers());
        out.set(CLUSTERS.insert(Embedded { server, bootstrap })? as *mut milena_embedded);
        Ok(())
    })
}

/// What clients need as bootstrap.servers, "127.0.0.1:port,…". NULL when `cluster` is NULL or freed. Lives as long as
/// the cluster.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_bootstrap_servers(cluster: *const milena_embedded) -> *const c_char {
    guard_value(ptr::null(), || enter(cluster).map_or(ptr::null(), |c| c.bootstrap.as_ptr()))
}

/// Creates a topic; -1 takes the default for the number of partitions or replicas. milena_admin_create_topics can say
/// more.
///
/// Errors: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_create_topic(
    cluster: *const milena_embedded,
    name: milena_bytes,
    partitions: i32,
    replication_factor: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        // SAFETY: the text is there for the length of the call, by contract.
        let name = unsafe { text(name, "name") }?;
        let replicas = i16::try_from(replication_factor)
            .map_err(|_| invalid(format!("replication_factor is {replication_factor}")))?;
        cluster.server.create_topic(name, partitions, replicas, &[])
    })
}

/// Adds a fault to the script; `size` is sizeof(milena_fault). Each request takes the first error that fits it and
/// the first other fault that fits, in the order in which they were added.
///
/// Errors: INVALID_ARGUMENT for a kind, code or API that does not exist.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_push_fault(
    cluster: *const milena_embedded,
    fault: *const milena_fault,
    size: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        if size < size_of::<milena_fault>() {
            let text = format!("size is {size}, a milena_fault has {} bytes", size_of::<milena_fault>());
            return Err(invalid(text));
        }
        // SAFETY: a fault is there for the length of the call, and its text, by contract.
        let fault = unsafe { fault_from_c(object(fault, "fault")?)? };
        cluster.server.push_fault(fault);
        Ok(())
    })
}

/// The short form: the next `times` requests of this API are answered with this code of Kafka's.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_push_error(
    cluster: *const milena_embedded,
    api_key: i32,
    code: milena_status,
    times: u32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        cluster.server.push_fault(Fault::error(api(api_key)?, kafka_code(code)?).times(times));
        Ok(())
    })
}

/// Takes all faults back. Brokers that are down or paused stay so.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_clear_faults(
    cluster: *const milena_embedded,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        enter(cluster)?.server.with(|cluster, _| cluster.clear_faults());
        Ok(())
    })
}

/// Ends a broker as kill -9 would: its connections are closed, its port refuses, its partitions get other leaders.
/// Its records are kept. No error when it is down already.
///
/// Errors, of this and the next calls: INVALID_ARGUMENT when there is no such broker.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_broker_down(
    cluster: *const milena_embedded,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || enter(cluster)?.server.broker_down(broker))
}

/// Starts a broker again, on the same port.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_broker_up(
    cluster: *const milena_embedded,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || enter(cluster)?.server.broker_up(broker))
}

/// Stops a broker from answering and reading, as SIGSTOP would: connections stay open. What came is handled after
/// milena_embedded_broker_resume.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_broker_pause(
    cluster: *const milena_embedded,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || enter(cluster)?.server.with(|cluster, _| cluster.pause(broker)))
}

/// Ends milena_embedded_broker_pause.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_broker_resume(
    cluster: *const milena_embedded,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || enter(cluster)?.server.with(|cluster, now| cluster.resume(now, broker)))
}

/// Makes a broker the leader of a partition (it becomes a replica if it is none). Clients are not told.
///
/// Errors: UNKNOWN_TOPIC_OR_PARTITION; INVALID_ARGUMENT when there is no such broker.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_move_leader(
    cluster: *const milena_embedded,
    topic: milena_bytes,
    partition: i32,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        // SAFETY: the text is there for the length of the call, by contract.
        let topic = unsafe { text(topic, "topic") }?;
        cluster.server.with(|cluster, now| cluster.move_leader(now, topic, partition, broker))
    })
}

/// Makes a broker the coordinator of a group. Clients are not told.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_move_coordinator(
    cluster: *const milena_embedded,
    group: milena_bytes,
    broker: i32,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        // SAFETY: the text is there for the length of the call, by contract.
        let group = unsafe { text(group, "group") }?;
        cluster.server.with(|cluster, _| cluster.move_coordinator(group, broker))
    })
}

/// Flips a bit in a stored batch of a partition, so that its checksum is wrong: 0 is the oldest batch.
///
/// Errors: UNKNOWN_TOPIC_OR_PARTITION; INVALID_ARGUMENT when there are not so many batches.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_corrupt_batch(
    cluster: *const milena_embedded,
    topic: milena_bytes,
    partition: i32,
    batch: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        // SAFETY: the text is there for the length of the call, by contract.
        let topic = unsafe { text(topic, "topic") }?;
        cluster.server.with(|cluster, _| cluster.corrupt_batch(topic, partition, batch))
    })
}

/// How many requests of an API all brokers have received so far (-1: of all APIs).
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_request_count(
    cluster: *const milena_embedded,
    api_key: i32,
    out: *mut u64,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let cluster = enter(cluster)?;
        // SAFETY: a place for a number, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        let apis: Vec<ApiKey> = match api_key {
            -1 => ApiKey::ALL.to_vec(),
            key => vec![api(key)?],
        };
        let count = |api: &ApiKey| cluster.server.with(|cluster, _| cluster.request_count(*api));
        out.set(apis.iter().map(count).sum());
        Ok(())
    })
}

/// Ends the brokers and frees the cluster with all its records; NULL, and one that is freed already, are fine.
#[no_mangle]
pub unsafe extern "C" fn milena_embedded_free(cluster: *mut milena_embedded) {
    guard_value((), || CLUSTERS.free(cluster as usize, |_| ()));
}

fn enter(cluster: *const milena_embedded) -> Result<Inside<'static, Embedded>> {
    CLUSTERS.enter(cluster as usize)
}

fn api(key: i32) -> Result<ApiKey> {
    i16::try_from(key).ok().and_then(|key| ApiKey::try_from(key).ok()).ok_or_else(|| {
        invalid(format!("{key} is not an API of Kafka's")).hint("0 Produce, 1 Fetch, 3 Metadata …")
    })
}

/// A code as brokers answer it.
fn kafka_code(code: milena_status) -> Result<i16> {
    match i16::try_from(code) {
        Ok(kafka) if kafka != 0 && code > -1000 && TABLE.iter().any(|row| row.0 == code) => Ok(kafka),
        _ => Err(invalid(format!("{code} is not one of Kafka's error codes"))),
    }
}

/// # Safety
/// The fault's topic is there for the length of the call.
unsafe fn fault_from_c(from: &milena_fault) -> Result<Fault> {
    let kind = match from.kind {
        MILENA_FAULT_ERROR => FaultKind::Error(kafka_code(from.code)?),
        MILENA_FAULT_DELAY => FaultKind::Delay(u64::from(from.delay_ms)),
        MILENA_FAULT_DISCONNECT_BEFORE => FaultKind::DisconnectBefore,
        MILENA_FAULT_DISCONNECT_AFTER => FaultKind::DisconnectAfter,
        MILENA_FAULT_DROP_ANSWER => FaultKind::DropAnswer,
        MILENA_FAULT_GARBAGE => FaultKind::Garbage,
        MILENA_FAULT_HUGE_LENGTH => FaultKind::HugeLength,
        MILENA_FAULT_CUT_OFF => FaultKind::CutOff,
        MILENA_FAULT_TRUNCATED => FaultKind::Truncated,
        MILENA_FAULT_WRONG_CORRELATION => FaultKind::WrongCorrelation,
        kind => return Err(invalid(format!("{kind} is not a kind of fault"))),
    };
    let mut fault = Fault::new(kind).skip(from.skip).times(from.times);
    fault.api = if from.api_key == -1 { None } else { Some(api(from.api_key)?) };
    fault.broker = Some(from.broker).filter(|id| *id != -1);
    fault.partition = Some(from.partition).filter(|index| *index != -1);
    // SAFETY: as the caller promises.
    if unsafe { nullable(from.topic, "the fault's topic") }?.is_some() {
        // SAFETY: as the caller promises.
        fault = fault.topic(unsafe { text(from.topic, "the fault's topic") }?);
    }
    Ok(fault)
}
