//! Every message in every version: what is encoded decodes to the same value, and bytes that are cut off or
//! damaged give an error or another value, never a panic, and never an allocation that they do not justify.

mod protocol_samples;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use protocol_samples::{Case, Gen, CASES};

/// Counts what the current thread holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let held = HELD.get() + change;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: every call goes to the system's allocator as it came; counting touches thread-local cells only, which
// need no allocation and no destructor.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is the one that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above; `at` came from `alloc`, and so from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `f` held above what was held before it, in bytes.
fn most_held(f: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST.set(before);
    f();
    usize::try_from(MOST.get() - before).unwrap()
}

/// Decodes bytes of unknown quality; gives what the decoder held at most.
fn decode_bounded(case: &Case, bytes: &[u8], v: i16) {
    let held = most_held(|| {
        // What decodes may be impossible to encode (a string field of another version's null), not worse.
        let _ = (case.decode)(bytes, v);
    });
    // A structure in memory is larger than on the wire: an empty array of one byte is a Vec of 24. The largest
    // ratio of a structure's size to its least bytes, the doubling of vectors and the encoded copy give the factor.
    let allowed = 40 * bytes.len() + 1024;
    assert!(
        held <= allowed,
        "{} v{v} held {held} bytes for {} bytes of input {bytes:?}",
        case.name,
        bytes.len()
    );
}

fn each_version(mut f: impl FnMut(&'static Case, i16)) {
    for case in CASES {
        for v in case.min..=case.max {
            f(case, v);
        }
    }
}

#[test]
fn all_messages_are_here() {
    assert!(CASES.len() > 150, "{}", CASES.len());
    for api in milena::protocol::ApiKey::ALL {
        let of_api: Vec<_> = CASES.iter().filter(|case| case.api == Some(*api as i16)).collect();
        assert_eq!(of_api.len(), 2, "{api:?}: a request and a response");
        for case in of_api {
            assert_eq!((case.min, case.max), (api.min_version(), api.max_version()), "{}", case.name);
        }
    }
}

#[test]
fn every_version_round_trips() {
    each_version(|case, v| {
        for seed in 0..150 {
            let bytes = (case.encode)(&mut Gen::new(seed), v)
                .unwrap_or_else(|e| panic!("{} v{v} seed {seed}: {e}", case.name));
            (case.check)(&mut Gen::new(seed), v, &bytes)
                .unwrap_or_else(|e| panic!("{} v{v} seed {seed}: {e}", case.name));
        }
    });
}

#[test]
fn a_message_that_is_cut_off_is_an_error_and_costs_little() {
    each_version(|case, v| {
        for seed in 0..4 {
            let bytes = (case.encode)(&mut Gen::new(seed), v).unwrap();
            for end in 0..bytes.len() {
                assert!(
                    (case.decode)(&bytes[..end], v).is_err(),
                    "{} v{v} seed {seed} cut at {end}",
                    case.name
                );
                decode_bounded(case, &bytes[..end], v);
            }
        }
    });
}

#[test]
fn damaged_messages_do_no_harm() {
    each_version(|case, v| {
        let mut rng = fastrand::Rng::with_seed(v as u64);
        for seed in 0..60 {
            let mut bytes = (case.encode)(&mut Gen::new(seed), v).unwrap();
            for _ in 0..rng.usize(1..4) {
                if let Some(at) = bytes.len().checked_sub(1).map(|last| rng.usize(..=last)) {
                    bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff, rng.clone().u8(..)]).unwrap();
                }
            }
            decode_bounded(case, &bytes, v);
        }
    });
}

#[test]
fn claims_of_huge_arrays_and_strings_allocate_nothing_huge() {
    each_version(|case, v| {
        for fill in [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff] {
            for len in [1, 8, 64, 1024, 20_000] {
                decode_bounded(case, &vec![fill; len], v);
            }
        }
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..40 {
            let noise: Vec<u8> = (0..rng.usize(..300)).map(|_| rng.u8(..)).collect();
            decode_bounded(case, &noise, v);
        }
    });
}

#[test]
fn tagged_fields_of_the_future_are_skipped() {
    let mut tried = 0;
    each_version(|case, v| {
        let api = case.api.and_then(|key| milena::protocol::ApiKey::try_from(key).ok());
        let Some(bytes) =
            (case.empty)(v).ok().filter(|_| api.is_some_and(|a| v >= a.first_flexible_version()))
        else {
            return;
        };
        let (none, before) = bytes.split_last().unwrap();
        assert_eq!(*none, 0, "{} v{v} ends with the count of its tagged fields", case.name);
        let future = [before, &[1, 200, 1, 3, 9, 9, 9]].concat();
        assert_eq!((case.decode)(&future, v).unwrap().unwrap(), bytes, "{} v{v}", case.name);
        tried += 1;
    });
    assert!(tried > 200, "{tried}");
}

#[test]
fn a_field_that_the_version_lacks_is_an_error_unless_it_can_be_ignored() {
    use milena::protocol::messages::fetch_request::{FetchRequest, ForgottenTopic};
    let forgotten = vec![ForgottenTopic { topic: "t", ..Default::default() }];
    let request = FetchRequest { forgotten_topics_data: forgotten, ..Default::default() };
    let error = protocol_samples::encoded(&request, 6).unwrap_err();
    assert_eq!(error, milena::protocol::EncodeError::Absent { field: "forgotten_topics_data", version: 6 });
    assert!(protocol_samples::encoded(&request, 7).is_ok());
    let request = FetchRequest { rack_id: "r", ..Default::default() };
    assert_eq!(
        protocol_samples::encoded(&request, 4),
        protocol_samples::encoded(&FetchRequest::default(), 4)
    );
}

#[test]
fn null_and_empty_differ_and_null_needs_a_version_that_has_it() {
    use milena::protocol::messages::MetadataRequest;
    let all = MetadataRequest { topics: None, ..Default::default() };
    let none = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    assert_eq!(protocol_samples::encoded(&all, 1).unwrap()[..4], [255; 4]);
    assert_eq!(protocol_samples::encoded(&none, 1).unwrap()[..4], [0; 4]);
    let error = protocol_samples::encoded(&all, 0).unwrap_err();
    assert_eq!(error, milena::protocol::EncodeError::Null { field: "topics", version: 0 });
}

#[test]
fn versions_outside_the_range_are_refused_both_ways() {
    for case in CASES {
        for v in [case.min - 1, case.max + 1, i16::MAX, i16::MIN] {
            assert!((case.encode)(&mut Gen::new(0), v).is_err(), "{} v{v}", case.name);
            assert!((case.decode)(&[0; 100], v).is_err(), "{} v{v}", case.name);
        }
    }
}
