//! ApiVersions (18): versions 0 to 5.
//!
//! A version that is not offered is answered in version 0 with UNSUPPORTED_VERSION and the range of ApiVersions
//! itself (KIP-511), so that any client can find a common one. Version 5 checks whom the client meant to reach
//! (KIP-1242).

use crate::embedded::call::{Call, Outcome, Reply};
use crate::embedded::errors::*;
use crate::protocol::messages::api_versions_response::ApiVersion;
use crate::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::{encode_response, ApiKey, Message, Reader};

pub(super) fn handle(call: &mut Call<'_>, body: &[u8]) -> Reply {
    let Some((_, max_version)) = call.world.offer.range(ApiKey::ApiVersions) else {
        return Ok(Outcome::Close);
    };
    let refused = call.fault_at_all();
    if !(0..=max_version).contains(&call.version) || refused == Some(UNSUPPORTED_VERSION) {
        let own = ApiVersion { api_key: ApiKey::ApiVersions as i16, min_version: 0, max_version };
        let response = ApiVersionsResponse {
            error_code: UNSUPPORTED_VERSION,
            api_keys: vec![own],
            ..ApiVersionsResponse::default()
        };
        return Ok(Outcome::Answer(encode_response(&response, 0, call.correlation)?));
    }
    let Ok(request) = ApiVersionsRequest::decode(&mut Reader::new(body), call.version) else {
        return Ok(Outcome::Close);
    };
    let error_code = refused.unwrap_or_else(|| check(call, &request));
    let offered = call.world.offer.rows().iter().filter(|_| error_code == NONE);
    let rows = offered.map(|(api, min, max)| ApiVersion {
        api_key: *api as i16,
        min_version: *min,
        max_version: *max,
    });
    call.reply(&ApiVersionsResponse {
        error_code,
        api_keys: rows.collect(),
        ..ApiVersionsResponse::default()
    })
}

fn check(call: &Call<'_>, request: &ApiVersionsRequest<'_>) -> i16 {
    let names = [request.client_software_name, request.client_software_version];
    if call.version >= 3 && !names.iter().all(|name| is_software_name(name)) {
        return INVALID_REQUEST;
    }
    if request.cluster_id.is_some() != (request.node_id >= 0) {
        return INVALID_REQUEST;
    }
    let other_cluster = request.cluster_id.is_some_and(|id| id != call.world.settings.cluster_id);
    let other_broker = request.node_id >= 0 && request.node_id != call.broker;
    if other_cluster || other_broker {
        return REBOOTSTRAP_REQUIRED;
    }
    NONE
}

/// Letters, digits, '-' and '.', the latter two not at the ends.
fn is_software_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    end(bytes.first()) && end(bytes.last()) && bytes.iter().all(|b| inner(*b))
}
