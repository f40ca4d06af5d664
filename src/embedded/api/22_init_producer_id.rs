//! InitProducerId (22): versions 0 to 5.
//!
//! Gives a new producer id with epoch 0, whatever id the request names: so does Kafka for producers without a
//! transactional id, which raise their epoch by themselves. Transactional ids are refused.

use crate::embedded::call::{Call, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};

pub(super) fn handle(call: &mut Call<'_>, request: InitProducerIdRequest<'_>) -> Reply {
    let half = (request.producer_id < 0) != (request.producer_epoch < 0);
    let refused = call.fault_at_all().or(half.then_some(INVALID_REQUEST));
    let refused = refused.or_else(|| request.transactional_id.map(|_| UNSUPPORTED_VERSION));
    if let Some(error_code) = refused {
        let response = InitProducerIdResponse {
            error_code,
            producer_id: -1,
            producer_epoch: -1,
            ..InitProducerIdResponse::default()
        };
        return call.reply(&response);
    }
    let producer_id = call.world.next_producer_id;
    call.world.next_producer_id = producer_id.saturating_add(1);
    call.reply(&InitProducerIdResponse {
        producer_id,
        producer_epoch: 0,
        ..InitProducerIdResponse::default()
    })
}
