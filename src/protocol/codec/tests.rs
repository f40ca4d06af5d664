//! Primitives: known bytes, round trips, and what must be refused.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn written(put: impl FnOnce(&mut Writer)) -> Bytes {
    let mut w = Writer::new();
    put(&mut w);
    w.into_bytes()
}

#[test]
fn varints_have_the_bytes_of_the_protocol() {
    for (value, bytes) in [
        (0, &[0][..]),
        (-1, &[1]),
        (1, &[2]),
        (63, &[126]),
        (-64, &[127]),
        (64, &[128, 1]),
        (i32::MAX, &[254, 255, 255, 255, 15]),
        (i32::MIN, &[255, 255, 255, 255, 15]),
    ] {
        assert_eq!(written(|w| w.put_varint(value)), bytes);
        assert_eq!(Reader::new(bytes).varint(), Ok(value));
    }
    assert_eq!(written(|w| w.put_varlong(i64::MIN)), [&[255; 9][..], &[1]].concat());
    assert_eq!(written(|w| w.put_uvarint(300)), &[172, 2][..]);
}

#[test]
fn overlong_varints_are_refused() {
    assert_eq!(Reader::new(&[255, 255, 255, 255, 16]).uvarint(), Err(DecodeError::Varint { at: 0 }));
    assert_eq!(Reader::new(&[128; 6]).uvarint(), Err(DecodeError::Varint { at: 0 }));
    assert_eq!(
        Reader::new(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]).varlong(),
        Err(DecodeError::Varint { at: 0 })
    );
    assert_eq!(Reader::new(&[128; 11]).varlong(), Err(DecodeError::Varint { at: 0 }));
    let short = DecodeError::Truncated { what: What::Varint, at: 0, need: 4, left: 3 };
    assert_eq!(Reader::new(&[128; 3]).uvarint(), Err(short));
}

proptest! {
    #[test]
    fn numbers_round_trip(a: i8, b: i16, c: i32, d: i64, e: u16, f: u32, g: u64, h: bool, i: f64, j: [u8; 16]) {
        let bytes = written(|w| {
            w.put_i8(a);
            w.put_i16(b);
            w.put_i32(c);
            w.put_i64(d);
            w.put_u16(e);
            w.put_u32(f);
            w.put_bool(h);
            w.put_f64(i);
            w.put_uuid(Uuid(j));
            w.put_varint(c);
            w.put_varlong(d);
            w.put_uvarint(f);
            w.put_uvarlong(g);
        });
        let mut r = Reader::new(&bytes);
        prop_assert_eq!((r.i8(), r.i16(), r.i32(), r.i64()), (Ok(a), Ok(b), Ok(c), Ok(d)));
        prop_assert_eq!((r.u16(), r.u32(), r.bool()), (Ok(e), Ok(f), Ok(h)));
        prop_assert_eq!(r.f64().map(f64::to_bits), Ok(i.to_bits()));
        prop_assert_eq!((r.uuid(), r.varint(), r.varlong()), (Ok(Uuid(j)), Ok(c), Ok(d)));
        prop_assert_eq!((r.uvarint(), r.uvarlong(), r.finish()), (Ok(f), Ok(g), Ok(())));
    }

    #[test]
    fn uuid_text_round_trips(id: [u8; 16]) {
        let text = Uuid(id).to_string();
        prop_assert_eq!(text.len(), 22);
        prop_assert_eq!(text.parse(), Ok(Uuid(id)));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, flexible: bool) {
        let mut r = Reader::new(&bytes);
        let _ = r.clone().opt_str(flexible);
        let _ = r.clone().opt_bytes(flexible);
        let _ = r.clone().records(flexible);
        let _ = r.clone().opt_array::<&str>(0, flexible);
        let _ = r.clone().opt_array::<i64>(0, flexible);
        let _ = r.clone().varlong();
        let _ = r.tags(|_, field| Ok(field.i8().is_ok()));
    }
}

#[test]
fn strings_and_bytes_in_both_forms() {
    for flexible in [false, true] {
        let long = "x".repeat(200);
        let bytes = written(|w| {
            w.put_str(flexible, "é").unwrap();
            w.put_opt_str(flexible, None).unwrap();
            w.put_str(flexible, &long).unwrap();
            w.put_bytes(flexible, b"").unwrap();
            w.put_opt_bytes(flexible, None).unwrap();
            w.put_records(flexible, Some(&Records::Slice(b"r"))).unwrap();
            w.put_records(flexible, None).unwrap();
        });
        let mut r = Reader::new(&bytes);
        assert_eq!(r.opt_str(flexible), Ok(Some("é")));
        assert_eq!(r.opt_str(flexible), Ok(None));
        assert_eq!(r.str(flexible), Ok(&long[..]));
        assert_eq!(r.bytes(flexible), Ok(&[][..]));
        assert_eq!(r.opt_bytes(flexible), Ok(None));
        assert_eq!(r.records(flexible), Ok(Some(Records::Slice(b"r"))));
        assert_eq!(r.records(flexible), Ok(None));
        assert_eq!(r.finish(), Ok(()));
    }
    assert_eq!(written(|w| w.put_str(false, "ab").unwrap()), &[0, 2, b'a', b'b'][..]);
    assert_eq!(written(|w| w.put_str(true, "ab").unwrap()), &[3, b'a', b'b'][..]);
    assert_eq!(written(|w| w.put_opt_bytes(false, None).unwrap()), &[255; 4][..]);
}

#[test]
fn null_where_there_is_none_is_an_error() {
    assert_eq!(Reader::new(&[255, 255]).str(false), Err(DecodeError::Null { what: What::Str, at: 2 }));
    assert_eq!(Reader::new(&[0]).bytes(true), Err(DecodeError::Null { what: What::Bytes, at: 1 }));
    assert_eq!(Reader::new(&[0]).array::<i32>(0, true), Err(DecodeError::Null { what: What::Array, at: 1 }));
    assert_eq!(EncodeError::if_null(true, "x", 3), Err(EncodeError::Null { field: "x", version: 3 }));
}

#[test]
fn impossible_lengths_are_errors_with_their_place() {
    let negative = DecodeError::Length { what: What::Str, at: 2, length: -2 };
    assert_eq!(Reader::new(&[255, 254]).opt_str(false), Err(negative));
    let mut r = Reader::new(&[9, 0, 5, b'a']);
    r.i8().unwrap();
    let error = r.str(false).unwrap_err();
    assert_eq!(error, DecodeError::Truncated { what: What::Str, at: 3, need: 5, left: 1 });
    assert_eq!(error.to_string(), "string at byte 3 needs 5 bytes, but 1 are left");
    assert_eq!(Reader::new(&[3, 255, 254]).str(true), Err(DecodeError::Utf8 { at: 1 }));
    // The compact form of a length of u32::MAX - 1.
    assert!(Reader::new(&[255, 255, 255, 255, 15]).opt_bytes(true).is_err());
    assert_eq!(Reader::new(&[0, 0]).finish(), Err(DecodeError::Trailing { at: 0, left: 2 }));
}

#[test]
fn a_string_above_the_limit_is_refused_both_ways() {
    let long = "x".repeat(32_768);
    let error = EncodeError::TooLong { what: What::Str, length: 32_768 };
    assert_eq!(Writer::new().put_str(true, &long), Err(error));
    assert_eq!(Writer::new().put_str(false, &long), Err(error));
    let mut w = Writer::new();
    w.put_bytes(true, long.as_bytes()).unwrap();
    let bytes = w.into_bytes();
    let refused = DecodeError::Length { what: What::Str, at: 3, length: 32_768 };
    assert_eq!(Reader::new(&bytes).str(true), Err(refused));
    assert_eq!(Reader::new(&bytes).bytes(true).map(<[u8]>::len), Ok(32_768));
}

#[test]
fn a_count_above_the_bytes_left_is_refused_before_anything_is_allocated() {
    let claim =
        |flexible| written(|w| if flexible { w.put_uvarint(0x7fff_ffff) } else { w.put_i32(0x7fff_fffe) });
    for flexible in [false, true] {
        let bytes = claim(flexible);
        assert!(matches!(
            Reader::new(&bytes).array::<i64>(0, flexible),
            Err(DecodeError::Truncated { what: What::Array, .. })
        ));
    }
    assert_eq!(Reader::new(&[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]).array::<i32>(0, false), Ok(vec![1, 2]));
    assert_eq!(Reader::new(&[3, 2, b'a', 1]).array::<&str>(0, true), Ok(vec!["a", ""]));
}

#[test]
fn tags_are_read_skipped_and_checked() {
    let mut tags = Tags::new();
    tags.put(1, |w| w.put_str(true, "one")).unwrap();
    tags.put(5, |w| {
        w.put_i16(7);
        Ok(())
    })
    .unwrap();
    let bytes = written(|w| w.put_tags(tags));
    let mut seen = (None, None);
    let mut r = Reader::new(&bytes);
    r.tags(|tag, field| {
        match tag {
            1 => seen.0 = Some(field.str(true)?),
            5 => seen.1 = Some(field.i16()?),
            _ => return Ok(false),
        }
        Ok(true)
    })
    .unwrap();
    assert_eq!((seen, r.finish()), ((Some("one"), Some(7)), Ok(())));
    let mut r = Reader::new(&bytes);
    r.skip_tags().unwrap();
    assert_eq!(r.finish(), Ok(()));

    let read = |bytes: &[u8]| Reader::new(bytes).tags(|tag, field| Ok(tag == 1 && field.i8().is_ok()));
    assert_eq!(read(&[0]), Ok(()));
    assert_eq!(read(&[2, 1, 1, 0, 1, 1, 0]), Err(DecodeError::TagOrder { at: 4, tag: 1 }));
    assert_eq!(read(&[2, 2, 0, 1, 1, 0]), Err(DecodeError::TagOrder { at: 3, tag: 1 }));
    assert_eq!(read(&[1, 1, 2, 0, 0]), Err(DecodeError::TagSize { at: 4, tag: 1, left: 1 }));
    assert!(matches!(read(&[1, 1, 9, 0]), Err(DecodeError::Truncated { what: What::TaggedField, .. })));
    assert!(read(&[255, 255, 255, 255, 15]).is_err());
}

#[test]
fn positions_inside_a_tagged_field_are_those_of_the_message() {
    let bytes = [9, 9, 1, 0, 2, 0, 7];
    let mut r = Reader::new(&bytes);
    r.i16().unwrap();
    let error = r.tags(|_, field| field.i32().map(|_| true)).unwrap_err();
    assert_eq!(error, DecodeError::Truncated { what: What::Int32, at: 5, need: 4, left: 2 });
}

#[test]
fn uuids_are_printed_as_kafka_prints_them() {
    assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    let mut one = [0; 16];
    one[15] = 1;
    assert_eq!(Uuid(one).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
    assert_eq!(Uuid([255; 16]).to_string(), "_____________________w");
    assert_eq!("AAAAAAAAAAAAAAAAAAAAAQ".parse(), Ok(Uuid(one)));
    for bad in [
        "",
        "AAAAAAAAAAAAAAAAAAAAAR",
        "AAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAA+",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(bad.parse::<Uuid>(), Err(UuidError), "{bad}");
    }
}

#[test]
fn shared_bytes_become_segments_and_are_not_copied() {
    let shared = Bytes::from(vec![7; 200]);
    let mut w = Writer::frame();
    w.put_i8(1);
    w.put_shared(&shared);
    w.put_shared(&Bytes::new());
    w.put_shared(&shared);
    w.put_shared(&Bytes::from_static(b"few"));
    w.put_i8(2);
    assert_eq!(w.len(), 409);
    let segments = w.finish_frame().unwrap();
    assert_eq!(segments.iter().map(Bytes::len).collect::<Vec<_>>(), [5, 200, 200, 4]);
    assert_eq!(segments[0], &[0, 0, 1, 0x95, 1][..]);
    assert_eq!(segments[3], &b"few\x02"[..]);
    assert_eq!(segments[1].as_ptr(), shared.as_ptr());
    assert_eq!(segments[2].as_ptr(), shared.as_ptr());
    assert!(Writer::new().finish().is_empty());
}

#[test]
fn records_are_equal_when_their_bytes_are() {
    let parts = [Bytes::from_static(b"ab"), Bytes::from_static(b""), Bytes::from_static(b"c")];
    assert_eq!(Records::Shared(&parts), Records::Slice(b"abc"));
    assert_ne!(Records::Shared(&parts), Records::Slice(b"abd"));
    assert_ne!(Records::Shared(&parts), Records::Slice(b"ab"));
    assert_eq!(Records::Shared(&[]).as_slice(), Some(&[][..]));
    assert_eq!((Records::Shared(&parts).len(), Records::Shared(&parts).as_slice()), (3, None));
}
