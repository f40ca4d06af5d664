//! FindCoordinator (10): versions 0 to 6; 4 and newer ask for several keys.
//!
//! The coordinator of a group follows from a hash of its name; it moves when its broker goes down, and by hand.
//! There are no transactions and no share groups, so other kinds of keys are refused.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::find_coordinator_response::Coordinator;
use crate::protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};

const GROUP: i8 = 0;

pub(super) fn handle(call: &mut Call<'_>, request: FindCoordinatorRequest<'_>) -> Reply {
    let call = &*call;
    if call.version >= 4 {
        let keys = request.coordinator_keys.iter();
        let coordinators = keys.map(|key| find(call, request.key_type, key)).collect();
        return call.reply(&FindCoordinatorResponse { coordinators, ..FindCoordinatorResponse::default() });
    }
    let found = find(call, request.key_type, request.key);
    call.reply(&FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    })
}

fn find<'c>(call: &'c Call<'_>, key_type: i8, key: &'c str) -> Coordinator<'c> {
    let world = &*call.world;
    let nobody = |error_code, error_message| Coordinator {
        key,
        node_id: -1,
        host: "",
        port: -1,
        error_code,
        error_message,
    };
    if let Some(code) = call.fault_of(key) {
        return nobody(code, None);
    }
    if key_type != GROUP {
        return nobody(INVALID_REQUEST, Some("This cluster coordinates groups only"));
    }
    match world.coordinator(key).and_then(|id| world.broker(id)) {
        None => nobody(COORDINATOR_NOT_AVAILABLE, None),
        Some(broker) => Coordinator {
            key,
            node_id: broker.id,
            host: &world.settings.host,
            port: i32::from(broker.port),
            error_code: NONE,
            error_message: None,
        },
    }
}
