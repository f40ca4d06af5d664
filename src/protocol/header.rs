//! Whole frames: a header and a message behind it, and the header alone where the message is for somebody else.

use bytes::Bytes;

use super::api::ApiKey;
use super::codec::{ApiMessage, DecodeError, EncodeError, Message, Reader, Writer};
use super::messages::{RequestHeader, ResponseHeader};

/// A request as a frame, its size in front: the segments of a vectored write. `client_id` is what the broker's
/// logs and quotas call this client.
pub fn encode_request<'m, M: ApiMessage<'m>>(
    message: &M,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<Vec<Bytes>, EncodeError> {
    let mut w = Writer::frame();
    begin_request(&mut w, M::API, version, correlation_id, client_id)?;
    message.encode(&mut w, version)?;
    w.finish_frame()
}

/// Writes the header of a request into a frame begun by [`Writer::frame`]; the message goes behind it.
pub fn begin_request(
    w: &mut Writer,
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<(), EncodeError> {
    let header = RequestHeader {
        request_api_key: api as i16,
        request_api_version: version,
        correlation_id,
        client_id,
    };
    header.encode(w, api.request_header_version(version))
}

/// A response as a frame, its size in front.
pub fn encode_response<'m, M: ApiMessage<'m>>(
    message: &M,
    version: i16,
    correlation_id: i32,
) -> Result<Vec<Bytes>, EncodeError> {
    let mut w = Writer::frame();
    let header = ResponseHeader { correlation_id };
    header.encode(&mut w, M::API.response_header_version(version))?;
    message.encode(&mut w, version)?;
    w.finish_frame()
}

/// Reads the header of a request; the message follows it. The key may be of an API that is not spoken here, and
/// the version need not be one of the API's: the broker that reads it has to answer both.
pub fn decode_request_header<'a>(r: &mut Reader<'a>) -> Result<RequestHeader<'a>, DecodeError> {
    let mut ahead = r.clone();
    let key = ahead.i16()?;
    let version = ahead.i16()?;
    let header_version = ApiKey::try_from(key).map_or(1, |api| api.request_header_version(version));
    RequestHeader::decode(r, header_version)
}

/// Reads the header of the response to a request of this API and version, and gives its correlation id; the
/// message follows it.
pub fn decode_response_header(r: &mut Reader<'_>, api: ApiKey, version: i16) -> Result<i32, DecodeError> {
    Ok(ResponseHeader::decode(r, api.response_header_version(version))?.correlation_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::{
        ApiVersionsRequest, ApiVersionsResponse, HeartbeatRequest, HeartbeatResponse, MetadataRequest,
    };

    fn joined(segments: Vec<Bytes>) -> Vec<u8> {
        segments.iter().flat_map(|s| s.iter().copied()).collect()
    }

    #[test]
    fn request_frame_is_what_the_protocol_says() {
        let frame = joined(encode_request(&ApiVersionsRequest::default(), 0, 7, Some("me")).unwrap());
        assert_eq!(frame, [0, 0, 0, 12, 0, 18, 0, 0, 0, 0, 0, 7, 0, 2, b'm', b'e']);
        // From the flexible versions on there are tagged fields behind the client id, which keeps its old form.
        let request = ApiVersionsRequest {
            client_software_name: "a",
            client_software_version: "b",
            ..Default::default()
        };
        let frame = joined(encode_request(&request, 3, 7, None).unwrap());
        assert_eq!(frame, [0, 0, 0, 16, 0, 18, 0, 3, 0, 0, 0, 7, 255, 255, 0, 2, b'a', 2, b'b', 0]);
    }

    #[test]
    fn response_header_of_api_versions_is_never_flexible() {
        let frame = joined(encode_response(&ApiVersionsResponse::default(), 3, 9).unwrap());
        assert_eq!(frame[4..10], [0, 0, 0, 9, 0, 0]);
        let mut r = Reader::new(&frame[4..]);
        assert_eq!(decode_response_header(&mut r, ApiKey::ApiVersions, 3), Ok(9));
        assert_eq!(ApiVersionsResponse::decode(&mut r, 3).unwrap(), ApiVersionsResponse::default());
        r.finish().unwrap();

        let frame = joined(encode_response(&HeartbeatResponse::default(), 4, 9).unwrap());
        assert_eq!(frame, [0, 0, 0, 12, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decode_response_header(&mut Reader::new(&frame[4..]), ApiKey::Heartbeat, 4), Ok(9));
    }

    #[test]
    fn request_header_round_trips() {
        for version in 0..=4 {
            let request = HeartbeatRequest { group_id: "g", member_id: "m", ..Default::default() };
            let frame = joined(encode_request(&request, version, -3, Some("client")).unwrap());
            let mut r = Reader::new(&frame[4..]);
            let header = decode_request_header(&mut r).unwrap();
            assert_eq!((header.request_api_key, header.request_api_version), (12, version));
            assert_eq!((header.correlation_id, header.client_id), (-3, Some("client")));
            assert_eq!(HeartbeatRequest::decode(&mut r, version).unwrap(), request);
            r.finish().unwrap();
        }
    }

    #[test]
    fn header_of_an_unknown_api_or_version_is_read() {
        let mut r = Reader::new(&[0x7f, 0, 0, 9, 0, 0, 0, 1, 0, 0]);
        assert_eq!(decode_request_header(&mut r).unwrap().request_api_key, 0x7f00);
        let mut r = Reader::new(&[0, 18, 0x7f, 0xff, 0, 0, 0, 1, 0, 0, 0, 42]);
        assert_eq!(decode_request_header(&mut r).unwrap().request_api_version, i16::MAX);
        assert_eq!(r.remaining(), 1);
        assert!(decode_request_header(&mut Reader::new(&[0, 18, 0])).is_err());
    }

    #[test]
    fn shared_records_are_segments_of_their_own() {
        use crate::protocol::codec::Records;
        use crate::protocol::messages::produce_request::{
            PartitionProduceData, ProduceRequest, TopicProduceData,
        };
        let batches = [Bytes::from(vec![1; 1000]), Bytes::from(vec![2; 500])];
        let partition = PartitionProduceData { index: 3, records: Some(Records::Shared(&batches)) };
        let topic =
            TopicProduceData { name: "t", partition_data: vec![partition], ..TopicProduceData::default() };
        let request = ProduceRequest { topic_data: vec![topic], ..ProduceRequest::default() };
        let segments = encode_request(&request, 9, 1, None).unwrap();
        assert_eq!(segments.len(), 4);
        assert!(
            std::ptr::eq(&segments[1][..], &batches[0][..])
                && std::ptr::eq(&segments[2][..], &batches[1][..])
        );
        let frame = joined(segments);
        assert_eq!(frame[..4], u32::try_from(frame.len() - 4).unwrap().to_be_bytes());
        let mut r = Reader::new(&frame[4..]);
        decode_request_header(&mut r).unwrap();
        assert_eq!(ProduceRequest::decode(&mut r, 9).unwrap(), request);
    }

    #[test]
    fn a_version_that_is_not_spoken_is_refused() {
        let error = encode_request(&MetadataRequest::default(), 99, 1, None).unwrap_err();
        assert_eq!(error, EncodeError::Version { version: 99, min: 0, max: 13 });
    }
}
