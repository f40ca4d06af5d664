//! DescribeCluster (60): versions 0 to 2.
//!
//! Brokers that are down count as fenced; version 2 can ask for them, too.

use super::{CLUSTER_OPERATIONS, NO_OPERATIONS};
use crate::embedded::call::{Call, Reply};
use crate::protocol::messages::describe_cluster_response::DescribeClusterBroker;
use crate::protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};

/// Brokers, as opposed to controllers.
const BROKERS: i8 = 1;
const UNSUPPORTED_ENDPOINT_TYPE: i16 = 115;

pub(super) fn handle(call: &mut Call<'_>, request: DescribeClusterRequest) -> Reply {
    let call = &*call;
    let world = &*call.world;
    let wrong_type = (request.endpoint_type != BROKERS).then_some(UNSUPPORTED_ENDPOINT_TYPE);
    if let Some(error_code) = call.fault_at_all().or(wrong_type) {
        return call.reply(&DescribeClusterResponse { error_code, ..DescribeClusterResponse::default() });
    }
    let shown = world.brokers.iter().filter(|b| b.up || request.include_fenced_brokers);
    let brokers = shown.map(|b| DescribeClusterBroker {
        broker_id: b.id,
        host: &world.settings.host,
        port: i32::from(b.port),
        rack: world.rack(b.id),
        is_fenced: !b.up,
    });
    let operations = request.include_cluster_authorized_operations;
    call.reply(&DescribeClusterResponse {
        cluster_id: &world.settings.cluster_id,
        controller_id: world.controller(),
        brokers: brokers.collect(),
        cluster_authorized_operations: if operations { CLUSTER_OPERATIONS } else { NO_OPERATIONS },
        ..DescribeClusterResponse::default()
    })
}
