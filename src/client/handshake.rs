//! The handshake of a new connection: ApiVersions tells which versions both sides speak (KIP-35, KIP-511).

use crate::error::{Code, Error, Phase};
use crate::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::versions::{BrokerVersions, VersionRange};
use crate::protocol::{encode_request, ApiKey, EncodeError, Message, Reader};
use bytes::Bytes;

/// Tried first; an older broker answers it with UNSUPPORTED_VERSION, in the layout of version 0.
pub const FIRST_VERSION: i16 = 3;

pub enum Answer {
    Versions(BrokerVersions),
    /// The broker wants ApiVersions itself in this lower version.
    TryVersion(i16),
}

pub fn request(version: i16, correlation: i32, client_id: &str) -> Result<Vec<Bytes>, EncodeError> {
    let body = ApiVersionsRequest {
        client_software_name: "milena",
        client_software_version: env!("CARGO_PKG_VERSION"),
        ..Default::default()
    };
    encode_request(&body, version, correlation, Some(client_id))
}

/// Reads the answer to ApiVersions in version `sent`.
pub fn answer(sent: i16, body: &[u8]) -> Result<Answer, Error> {
    let unsupported = body.starts_with(&(Code::UNSUPPORTED_VERSION.0 as i16).to_be_bytes());
    let layout = if unsupported { 0 } else { sent };
    let response = ApiVersionsResponse::decode(&mut Reader::new(body), layout)
        .map_err(|e| malformed(&format!("its ApiVersions response cannot be read: {e}")))?;
    let table = BrokerVersions::new(&response);
    if unsupported && sent > 0 {
        // Brokers before 2.4 list nothing here; those after name the range they would take.
        let lower = table.pick(ApiKey::ApiVersions, VersionRange { min: 0, max: sent - 1 }).unwrap_or(0);
        return Ok(Answer::TryVersion(lower));
    }
    if response.error_code != 0 {
        let code = Code(i32::from(response.error_code));
        return Err(Error::new(code, "the broker refused ApiVersions").phase(Phase::ApiVersions));
    }
    Ok(Answer::Versions(table))
}

fn malformed(text: &str) -> Error {
    Error::new(Code::PROTOCOL, text).phase(Phase::ApiVersions).hint("is this the port of a Kafka broker?")
}

/// Adds what usually stands behind a connection that ends before ApiVersions was answered.
pub fn explain(error: Error) -> Error {
    if error.code() != Code::TRANSPORT {
        return error;
    }
    error.hint(
        "the peer closed the connection during the handshake: the port may expect TLS or SASL, be no Kafka \
         broker, or belong to a broker older than 0.10",
    )
}
