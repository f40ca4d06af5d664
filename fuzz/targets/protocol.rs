//! The protocol decoder: every message in every version, both directions.

use crate::protocol_samples::{Case, CASES};

/// How many cases there are: a message in one version each.
pub fn cases() -> usize {
    CASES.iter().map(versions).sum()
}

fn versions(case: &Case) -> usize {
    (case.max - case.min + 1) as usize
}

/// The case with this number, counted round and round.
pub fn case(number: usize) -> (&'static Case, i16) {
    let mut left = number % cases();
    for case in CASES {
        if left < versions(case) {
            return (case, case.min + left as i16);
        }
        left -= versions(case);
    }
    unreachable!("the number is below the count")
}

/// Two bytes choose the case, the rest is the message.
pub fn run(data: &[u8]) {
    let Some((number, message)) = data.split_first_chunk::<2>() else { return };
    let (case, version) = case(usize::from(u16::from_le_bytes(*number)));
    // What decodes may be impossible to encode: a string's null of another version.
    let Ok(Ok(written)) = (case.decode)(message, version) else { return };
    let again = (case.decode)(&written, version)
        .unwrap_or_else(|e| panic!("{} v{version}: what was written is not readable: {e}", case.name));
    assert_eq!(again, Ok(written), "{} v{version} is not written as it was", case.name);
}

/// Bytes that decoding may hold. A structure in memory is larger than on the wire: an empty array of one byte is
/// a Vec of 24, and there are copies.
pub fn allowed(data: &[u8]) -> usize {
    100 * data.len() + 4096
}
