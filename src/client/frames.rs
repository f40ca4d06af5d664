//! Response frames without their headers, once it is sure what they answer.

use crate::error::{Code, Error};
use crate::protocol::{decode_response_header, ApiKey, Reader};
use bytes::{Buf, Bytes};

/// The body of a response frame, if it answers the request with this correlation id.
pub fn response_body(api: ApiKey, version: i16, correlation: i32, mut frame: Bytes) -> Result<Bytes, Error> {
    let mut reader = Reader::new(&frame);
    let found = decode_response_header(&mut reader, api, version).map_err(|e| {
        Error::new(Code::PROTOCOL, format!("the header of a {} response cannot be read: {e}", api.name()))
    })?;
    if found != correlation {
        let text = format!(
            "a response has correlation id {found}, the request it should answer ({}) has {correlation}",
            api.name()
        );
        return Err(
            Error::new(Code::PROTOCOL, text).hint("something between here and the broker mixes up responses")
        );
    }
    let body = frame.len().saturating_sub(reader.remaining());
    frame.advance(body);
    Ok(frame)
}
