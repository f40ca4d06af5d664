//! Topics and clusters
//!
//! What the admin client's calls give. All that is read here borrows from the milena_topics or milena_cluster.

use super::deliveries::rows;
use super::error::{c_string, milena_error};
use super::guard::guard_value;
use super::types::{milena_bytes, milena_status};
use crate::admin::{ClusterDescription, TopicResult};
use crate::client::metadata::PartitionMetadata;
use std::ffi::CString;
use std::mem::size_of;
use std::os::raw::c_char;
use std::ptr;

/// Rows about topics; the caller's to free.
pub struct milena_topics {
    rows: Vec<milena_topic>,
    /// What the rows point into.
    _partitions: Vec<Vec<milena_partition>>,
    _errors: Vec<Option<Box<milena_error>>>,
    _topics: Vec<TopicResult>,
}

/// A partition of a topic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_partition {
    pub partition: i32,
    /// The id of the broker that leads it; -1 when there is none at the moment.
    pub leader: i32,
    /// -1 when it is not known.
    pub leader_epoch: i32,
    /// MILENA_OK, or what is wrong with it, such as LEADER_NOT_AVAILABLE.
    pub status: milena_status,
    /// The ids of the brokers that have it.
    pub replicas: *const i32,
    pub replicas_len: usize,
    /// The ids of those that have all of it.
    pub in_sync: *const i32,
    pub in_sync_len: usize,
}

/// What is known of a topic, or what came of creating or deleting it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_topic {
    pub name: milena_bytes,
    /// The topic's id, 16 bytes as in the protocol; all 0 from brokers before 2.8.
    pub id: [u8; 16],
    pub status: milena_status,
    /// 1 for topics of Kafka's own, else 0.
    pub is_internal: i32,
    /// Why it failed; NULL when it did not. Not to be freed by itself.
    pub error: *const milena_error,
    /// `partitions_len` partitions, `partitions_stride` bytes apart, in the order of their numbers; none after
    /// creating and deleting.
    pub partitions: *const milena_partition,
    pub partitions_len: usize,
    pub partitions_stride: usize,
}

/// The topics: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are none or `topics` is NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_topics_rows(
    topics: *const milena_topics,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_topic {
    // SAFETY: NULL or topics of this library, and places for numbers, by contract.
    unsafe { rows(topics.as_ref().map(|t| t.rows.as_slice()), n, stride) }
}

/// Frees topics; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_topics_free(topics: *mut milena_topics) {
    if !topics.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(topics) }));
    }
}

/// What is known of a cluster; the caller's to free.
pub struct milena_cluster {
    id: Option<CString>,
    controller: i32,
    rows: Vec<milena_broker>,
    /// What the rows point into.
    _texts: Vec<(CString, Option<CString>)>,
}

/// A broker of a cluster.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_broker {
    pub id: i32,
    pub port: i32,
    /// Never NULL.
    pub host: *const c_char,
    /// NULL when it has none.
    pub rack: *const c_char,
}

/// The cluster's id; NULL when it has none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_cluster_id(cluster: *const milena_cluster) -> *const c_char {
    // SAFETY: NULL or a cluster of this library, by contract.
    unsafe { cluster.as_ref() }.and_then(|c| c.id.as_ref()).map_or(ptr::null(), |id| id.as_ptr())
}

/// The id of the broker to send changes to; -1 when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_cluster_controller(cluster: *const milena_cluster) -> i32 {
    // SAFETY: NULL or a cluster of this library, by contract.
    unsafe { cluster.as_ref() }.map_or(-1, |c| c.controller)
}

/// The brokers: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when `cluster` is NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_cluster_brokers(
    cluster: *const milena_cluster,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_broker {
    // SAFETY: NULL or a cluster of this library, and places for numbers, by contract.
    unsafe { rows(cluster.as_ref().map(|c| c.rows.as_slice()), n, stride) }
}

/// Frees a cluster's description; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_cluster_free(cluster: *mut milena_cluster) {
    if !cluster.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(cluster) }));
    }
}

impl milena_topics {
    pub(super) fn new(topics: Vec<TopicResult>) -> *mut milena_topics {
        let partitions: Vec<Vec<milena_partition>> =
            topics.iter().map(|t| t.partitions.iter().map(partition).collect()).collect();
        let errors: Vec<Option<Box<milena_error>>> =
            topics.iter().map(|t| t.error.clone().map(milena_error::boxed)).collect();
        let rows = topics
            .iter()
            .zip(&partitions)
            .zip(&errors)
            .map(|((topic, partitions), error)| milena_topic {
                name: topic.name.as_bytes().into(),
                id: topic.id.0,
                status: topic.error.as_ref().map_or(0, |e| e.code().0),
                is_internal: i32::from(topic.internal),
                error: error.as_deref().map_or(ptr::null(), ptr::from_ref),
                partitions: if partitions.is_empty() { ptr::null() } else { partitions.as_ptr() },
                partitions_len: partitions.len(),
                partitions_stride: size_of::<milena_partition>(),
            })
            .collect();
        let all = milena_topics { rows, _partitions: partitions, _errors: errors, _topics: topics };
        Box::into_raw(Box::new(all))
    }
}

fn partition(p: &PartitionMetadata) -> milena_partition {
    milena_partition {
        partition: p.index,
        leader: p.leader.unwrap_or(-1),
        leader_epoch: p.leader_epoch,
        status: p.error.0,
        replicas: p.replicas.as_ptr(),
        replicas_len: p.replicas.len(),
        in_sync: p.in_sync.as_ptr(),
        in_sync_len: p.in_sync.len(),
    }
}

impl milena_cluster {
    pub(super) fn new(cluster: ClusterDescription) -> *mut milena_cluster {
        let texts: Vec<(CString, Option<CString>)> =
            cluster.brokers.iter().map(|b| (c_string(&b.host), b.rack.as_deref().map(c_string))).collect();
        let rows = cluster
            .brokers
            .iter()
            .zip(&texts)
            .map(|(broker, (host, rack))| milena_broker {
                id: broker.id,
                port: i32::from(broker.port),
                host: host.as_ptr(),
                rack: rack.as_deref().map_or(ptr::null(), |r| r.as_ptr()),
            })
            .collect();
        let all = milena_cluster {
            id: cluster.id.as_deref().map(c_string),
            controller: cluster.controller.unwrap_or(-1),
            rows,
            _texts: texts,
        };
        Box::into_raw(Box::new(all))
    }
}
