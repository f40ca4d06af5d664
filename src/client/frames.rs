//! Request frames with their headers, and response frames without.

use crate::error::{Code, Error};
use crate::protocol::messages::{RequestHeader, ResponseHeader};
use crate::protocol::{ApiKey, EncodeError, Message, Reader, Writer};
use bytes::Bytes;

/// Writes a request's header into a frame begun by [`Writer::frame`].
pub fn begin_request(
    w: &mut Writer,
    api: ApiKey,
    version: i16,
    correlation: i32,
    client_id: &str,
) -> Result<(), EncodeError> {
    let header = RequestHeader {
        request_api_key: api as i16,
        request_api_version: version,
        correlation_id: correlation,
        client_id: Some(client_id),
    };
    header.encode(w, api.request_header_version(version))
}

/// The body of a response frame, if it answers the request with this correlation id.
pub fn response_body(api: ApiKey, version: i16, correlation: i32, frame: &Bytes) -> Result<Bytes, Error> {
    let mut reader = Reader::new(frame);
    let header = ResponseHeader::decode(&mut reader, api.response_header_version(version)).map_err(|e| {
        Error::new(Code::PROTOCOL, format!("the header of a {} response cannot be read: {e}", api.name()))
    })?;
    if header.correlation_id != correlation {
        let text = format!(
            "a response has correlation id {}, the request it should answer ({}) has {correlation}",
            header.correlation_id,
            api.name()
        );
        return Err(
            Error::new(Code::PROTOCOL, text).hint("something between here and the broker mixes up responses")
        );
    }
    let body = frame.len().saturating_sub(reader.remaining());
    Ok(frame.slice(body..))
}
