//! The frame reader: the same frames come out however the stream is cut, and they are those that a model finds.

use milena::protocol::FrameReader;

const LIMITS: [usize; 4] = [16, 300, 100_000, 1 << 30];

/// The first byte chooses the limit, the second how the stream is cut; the rest is the stream.
pub fn run(data: &[u8]) {
    let [limit, cut, stream @ ..] = data else { return };
    let limit = LIMITS[usize::from(*limit) % LIMITS.len()];
    let (whole, failed) = frames(stream, limit, stream.len().max(1));
    let step = usize::from(*cut) * usize::from(*cut) + 1;
    assert_eq!(frames(stream, limit, step), (whole.clone(), failed), "cut every {step} bytes");
    let mut rest = stream;
    for frame in &whole {
        let (size, behind) = rest.split_first_chunk::<4>().expect("a frame has a size");
        let (body, behind) = behind.split_at(u32::from_be_bytes(*size) as usize);
        assert_eq!(frame, body);
        assert!(body.len() <= limit, "a frame of {} bytes passed the limit of {limit}", body.len());
        rest = behind;
    }
    if !failed {
        let left = rest.split_first_chunk::<4>().map(|(size, body)| (u32::from_be_bytes(*size), body.len()));
        assert!(left.is_none_or(|(size, there)| there < size as usize), "a whole frame was left: {left:?}");
    }
}

/// The frames of a stream that is received in pieces of `step` bytes, and whether it ended in an error.
fn frames(stream: &[u8], limit: usize, step: usize) -> (Vec<Vec<u8>>, bool) {
    let mut reader = FrameReader::new(limit);
    let mut found = Vec::new();
    for piece in stream.chunks(step) {
        reader.feed(piece);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => found.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(reader.next_frame(), Err(error), "an error stays");
                    return (found, true);
                }
            }
        }
    }
    (found, false)
}

/// Bytes that reading may hold: the frames, three times, and the room that the reader reads into. A size is
/// believed up to 64 KiB.
pub fn allowed(data: &[u8]) -> usize {
    16 * data.len() + 400_000
}
