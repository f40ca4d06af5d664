//! Changes of an input: bytes and bits, numbers at their edges, pieces cut, doubled, moved and taken from another.

use fastrand::Rng;

/// Numbers at the edges of what lengths, counts and offsets can be.
const EDGES: [i64; 14] = [
    0,
    1,
    -1,
    2,
    0x7f,
    0x80,
    0x7fff,
    0x8000,
    0xffff,
    i32::MAX as i64,
    i32::MIN as i64,
    0x7fff_fff0,
    i64::MAX,
    i64::MIN,
];

/// Input longer than this is not made any longer.
const LONG: usize = 20_000;

/// Makes up to a few changes; now and then none.
pub fn mutate(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..*rng.choice(&[0, 1, 1, 1, 2, 2, 3, 5, 8, 20]).unwrap_or(&1) {
        change(rng, input, other);
    }
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = place(rng, input.len());
    match rng.u8(..12) {
        0 | 1 => write(input, at, &[rng.u8(..)]),
        2 | 3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        4 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = byte.wrapping_add_signed(rng.i8(-3..=3));
            }
        }
        5 | 6 => number(rng, input, at),
        7 => varint(rng, input, at),
        8 => input.truncate(at),
        9 => drop(input.drain(at..end(rng, at, input.len()))),
        10 => {
            let piece = input[at..end(rng, at, input.len())].to_vec();
            insert(rng, input, &piece);
        }
        _ => {
            let from = place(rng, other.len());
            let to = end(rng, from, other.len());
            insert(rng, input, &other[from..to]);
        }
    }
}

/// A place in an input: near its beginning, where headers are, half of the time.
fn place(rng: &mut Rng, len: usize) -> usize {
    let last = if rng.bool() { len.min(80) } else { len };
    rng.usize(..=last)
}

fn end(rng: &mut Rng, at: usize, len: usize) -> usize {
    (at + rng.usize(..40)).min(len)
}

fn write(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in input.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// A big-endian number of some width.
fn number(rng: &mut Rng, input: &mut [u8], at: usize) {
    let value = match rng.bool() {
        true => *rng.choice(&EDGES).unwrap_or(&0),
        false => rng.i64(0..=2 * input.len() as i64),
    };
    let width = *rng.choice(&[2, 4, 4, 8]).unwrap_or(&4);
    write(input, at, &value.to_be_bytes()[8 - width..]);
}

fn varint(rng: &mut Rng, input: &mut [u8], at: usize) {
    let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let bytes =
        *rng.choice(&[&longest[5..], &longest[..], &[0x80, 0x80, 0x80, 0x80, 0x08]]).unwrap_or(&&longest[..]);
    write(input, at, bytes);
}

fn insert(rng: &mut Rng, input: &mut Vec<u8>, piece: &[u8]) {
    if input.len() < LONG {
        let to = place(rng, input.len());
        input.splice(to..to, piece.iter().copied());
    }
}
