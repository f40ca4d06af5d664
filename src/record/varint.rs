//! Zigzag variable-length integers of record format v2 (`varint` for 32 bits, `varlong` for 64).
//!
//! Seven bits a byte, least significant first, the top bit says that more follow. The first functions work on a
//! machine word that holds the next eight bytes: on the hot paths a varint has one to four bytes, and so it costs
//! no bounds check of its own.

/// The most bytes a varint takes.
pub const MAX_VARINT: usize = 5;
/// The most bytes a varlong takes.
pub const MAX_VARLONG: usize = 10;

#[inline]
pub const fn zigzag32(v: i32) -> u32 {
    ((v << 1) ^ (v >> 31)) as u32
}

#[inline]
pub const fn zigzag64(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

#[inline]
pub const fn unzigzag32(z: u32) -> i32 {
    ((z >> 1) as i32) ^ ((z & 1) as i32).wrapping_neg()
}

#[inline]
pub const fn unzigzag64(z: u64) -> i64 {
    ((z >> 1) as i64) ^ ((z & 1) as i64).wrapping_neg()
}

/// Bytes that an unsigned value takes: 1 to 10.
#[inline]
pub const fn unsigned_size(v: u64) -> usize {
    // ceil(bits / 7) without a division; exact for 1 to 64 bits.
    let bits = 64u32.wrapping_sub((v | 1).leading_zeros());
    (bits.wrapping_mul(9).wrapping_add(64) >> 6) as usize
}

/// Bytes that a varint takes: 1 to 5.
#[inline]
pub const fn varint_size(v: i32) -> usize {
    unsigned_size(zigzag32(v) as u64)
}

/// Bytes that a varlong takes: 1 to 10.
#[inline]
pub const fn varlong_size(v: i64) -> usize {
    unsigned_size(zigzag64(v))
}

/// Encodes a value below 2^14 into the low bytes of a word: (word, number of its bits: 8 or 16).
#[inline(always)]
pub(super) const fn word_encode_short(v: u32) -> (u64, u32) {
    if v < 1 << 7 {
        (v as u64, 8)
    } else {
        (((v & 0x7f) | ((v << 1) & 0x7f00) | 0x80) as u64, 16)
    }
}

/// Encodes a value below 2^28 into the low bytes of a word: (word, number of its bits: 8, 16, 24 or 32).
pub(super) const fn word_encode(v: u32) -> (u64, u32) {
    if v < 1 << 14 {
        return word_encode_short(v);
    }
    let v = v as u64;
    let low = (v & 0x7f) | ((v << 1) & 0x7f00) | ((v << 2) & 0x7f_0000);
    if v < 1 << 21 {
        (low | 0x8080, 24)
    } else {
        (low | ((v << 3) & 0x7f00_0000) | 0x80_8080, 32)
    }
}

/// Takes the value in the low bytes of a word: (value, rest of the word, number of bytes), or nothing when it has
/// more than four. Bytes that have a successor have their top bit set, which the constants take off again.
#[inline(always)]
pub(super) const fn word_decode(w: u64) -> Option<(u32, u64, usize)> {
    let (b0, b1) = (w as u8 as u32, (w >> 8) as u8 as u32);
    if w & 0x80 == 0 {
        return Some((b0, w >> 8, 1));
    }
    if w & 0x8000 == 0 {
        return Some(((b1 << 7).wrapping_add(b0).wrapping_sub(1 << 7), w >> 16, 2));
    }
    let (b2, b3) = ((w >> 16) as u8 as u32, (w >> 24) as u8 as u32);
    let low = (b2 << 14).wrapping_add(b1 << 7).wrapping_add(b0).wrapping_sub((1 << 14) | (1 << 7));
    if w & 0x80_0000 == 0 {
        return Some((low, w >> 24, 3));
    }
    if w & 0x8000_0000 == 0 {
        return Some(((b3 << 21).wrapping_add(low).wrapping_sub(1 << 21), w >> 32, 4));
    }
    None
}

/// Encodes a varlong into the front of `out` and gives the number of bytes. A varint is the same: the zigzag form
/// of a 32-bit value does not depend on the width.
#[inline]
pub fn encode_varlong(out: &mut [u8; MAX_VARLONG], v: i64) -> usize {
    let mut rest = zigzag64(v);
    let mut n = 0usize;
    for byte in out.iter_mut() {
        n = n.wrapping_add(1);
        if rest < 0x80 {
            *byte = rest as u8;
            break;
        }
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    n
}

/// Takes an unsigned value of at most `max` bytes off the front of `input`; nothing when it is cut or too long.
#[inline]
fn take_unsigned(input: &mut &[u8], max: usize) -> Option<u64> {
    let mut value = 0u64;
    let mut shift = 0u32;
    for (i, &byte) in input.iter().enumerate().take(max) {
        value |= u64::from(byte & 0x7f) << (shift & 63);
        if byte < 0x80 {
            // The tenth byte has room for one bit only.
            if i == 9 && byte > 1 {
                return None;
            }
            *input = input.get(i.wrapping_add(1)..)?;
            return Some(value);
        }
        shift = shift.wrapping_add(7);
    }
    None
}

/// Takes a varint off the front of `input`; nothing when it is cut or does not fit 32 bits.
#[inline]
pub fn take_varint(input: &mut &[u8]) -> Option<i32> {
    let mut rest = *input;
    let value = u32::try_from(take_unsigned(&mut rest, MAX_VARINT)?).ok()?;
    *input = rest;
    Some(unzigzag32(value))
}

/// Takes a varlong off the front of `input`; nothing when it is cut or does not fit 64 bits.
#[inline]
pub fn take_varlong(input: &mut &[u8]) -> Option<i64> {
    Some(unzigzag64(take_unsigned(input, MAX_VARLONG)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push_varlong(out: &mut Vec<u8>, v: i64) {
        let mut bytes = [0u8; MAX_VARLONG];
        let n = encode_varlong(&mut bytes, v);
        out.extend_from_slice(&bytes[..n]);
    }
    use proptest::prelude::*;

    #[test]
    fn known_encodings() {
        for (v, bytes) in [
            (0i64, &[0u8][..]),
            (-1, &[1]),
            (1, &[2]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (-65, &[0x81, 0x01]),
            (8191, &[0xfe, 0x7f]),
            (8192, &[0x80, 0x80, 0x01]),
            (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut out = Vec::new();
            push_varlong(&mut out, v);
            assert_eq!(out, bytes, "{v}");
            assert_eq!(varlong_size(v), bytes.len(), "{v}");
        }
    }

    #[test]
    fn too_long_and_cut_are_refused() {
        assert_eq!(take_varint(&mut &[0x80u8, 0x80, 0x80, 0x80, 0x10][..]), None, "33 bits");
        assert_eq!(take_varint(&mut &[0x80u8; 5][..]), None);
        assert_eq!(
            take_varlong(&mut &[0xffu8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02][..]),
            None
        );
        assert_eq!(take_varlong(&mut &[0x80u8; 11][..]), None);
        assert_eq!(take_varint(&mut &[0x80u8][..]), None);
        assert_eq!(take_varint(&mut &[][..]), None);
        // Zeros at the end are wasteful but have one meaning; Java reads them too.
        assert_eq!(take_varint(&mut &[0x82u8, 0x00][..]), Some(1));
    }

    proptest! {
        #[test]
        fn round_trip(v: i64, shift in 0u32..64) {
            let v = v >> shift;
            let mut out = Vec::new();
            push_varlong(&mut out, v);
            prop_assert_eq!(out.len(), varlong_size(v));
            let mut rest = &out[..];
            prop_assert_eq!(take_varlong(&mut rest), Some(v));
            prop_assert!(rest.is_empty());
            if let Ok(small) = i32::try_from(v) {
                prop_assert_eq!(varint_size(small), out.len());
                prop_assert_eq!(take_varint(&mut &out[..]), Some(small));
            } else {
                prop_assert_eq!(take_varint(&mut &out[..]), None);
            }
        }

        #[test]
        fn words_agree_with_bytes(v in 0u32..1 << 28, cut in 0u32..28, tail: u64) {
            let v = v >> cut;
            let (word, bits) = word_encode(v);
            let n = bits / 8;
            let mut out = Vec::new();
            push_varlong(&mut out, unzigzag64(u64::from(v)));
            prop_assert_eq!(&word.to_le_bytes()[..n as usize], &out[..]);
            prop_assert_eq!(word >> (8 * n), 0);
            let rest = tail >> (8 * n);
            prop_assert_eq!(word_decode(word | rest << (8 * n)), Some((v, rest, n as usize)));
        }
    }
}
