//! The bytes of every message are those of the `kafka-protocol` crate, in every version that both speak: it reads
//! what we wrote to the last byte, and writes the same bytes again.

mod protocol_samples;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use protocol_samples::{Case, Gen, CASES};

/// Listed by that crate, but refused by it: Kafka 4.1, whose level it has, called them unstable.
const REFUSED: [(&str, i16); 2] = [("OffsetCommitRequest", 10), ("OffsetFetchRequest", 10)];

/// What the other codec makes of the bytes: they decoded and encoded again.
fn through_the_other(case: &Case, api: ApiKey, v: i16, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut left = Bytes::copy_from_slice(bytes);
    let mut again = BytesMut::new();
    if case.name.ends_with("Request") {
        let message = RequestKind::decode(api, &mut left, v).map_err(|e| format!("decode: {e}"))?;
        message.encode(&mut again, v).map_err(|e| format!("encode {message:?}: {e}"))?;
    } else {
        let message = ResponseKind::decode(api, &mut left, v).map_err(|e| format!("decode: {e}"))?;
        message.encode(&mut again, v).map_err(|e| format!("encode {message:?}: {e}"))?;
    }
    if !left.is_empty() {
        return Err(format!("{} bytes are left", left.len()));
    }
    Ok(again.to_vec())
}

#[test]
fn bytes_are_equal_to_those_of_another_codec() {
    let (mut messages, mut versions, mut failures) = (0, 0, Vec::new());
    for case in CASES {
        let Some(api) = case.api.and_then(|key| ApiKey::try_from(key).ok()) else { continue };
        let theirs = api.valid_versions();
        let shared = case.min.max(theirs.min)..=case.max.min(theirs.max);
        messages += usize::from(!shared.is_empty());
        for v in shared.filter(|v| !REFUSED.contains(&(case.name, *v))) {
            versions += 1;
            for seed in 0..60 {
                let bytes = (case.encode)(&mut Gen::new(seed), v).unwrap();
                let failure = match through_the_other(case, api, v, &bytes) {
                    Ok(again) if again == bytes => continue,
                    Ok(again) => format!("ours {bytes:?}, theirs {again:?}"),
                    Err(e) => e,
                };
                failures.push(format!("{} v{v} seed {seed}: {failure}", case.name));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{} of {versions}:\n{}", failures.len(), failures.join("\n"));
    assert!(messages > 130 && versions > 350, "only {messages} messages, {versions} versions were compared");
}
