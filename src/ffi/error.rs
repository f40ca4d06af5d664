//! Errors
//!
//! Calls that can fail take a milena_error ** last. NULL is fine; otherwise it is written when, and only when, the
//! call fails, and what is written there is the caller's to free. The texts of an error live as long as the error,
//! and each getter takes NULL as well. Getters never block; any thread may call them, also several at once.

use super::guard::guard_value;
use super::types::{milena_bytes, milena_status};
use crate::error::codes::*;
use crate::error::{Code, Error};
use std::collections::HashMap;
use std::ffi::CString;
use std::os::raw::c_char;
use std::ptr;
use std::sync::OnceLock;

/// What went wrong, where, why, and what to do about it.
pub struct milena_error {
    error: Error,
    line: CString,
    message: CString,
    address: Option<CString>,
    cause: Option<CString>,
    hint: Option<CString>,
}

/// The name of a code as Kafka has it, such as "NOT_LEADER_OR_FOLLOWER"; "NONE" for MILENA_OK and "UNKNOWN_CODE" for
/// one that is not known. Never NULL; lives as long as the process.
#[no_mangle]
pub extern "C" fn milena_status_name(code: milena_status) -> *const c_char {
    guard_value(c"UNKNOWN_CODE".as_ptr(), || name_of(code))
}

/// Whether the same may succeed later without a change by the caller.
#[no_mangle]
pub extern "C" fn milena_status_is_retriable(code: milena_status) -> bool {
    guard_value(false, || Code(code).is_retriable())
}

/// The status that the call returned; MILENA_OK for NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_error_code(error: *const milena_error) -> milena_status {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, 0, |e| e.error.code().0) }
}

/// The code's name; see milena_status_name.
#[no_mangle]
pub unsafe extern "C" fn milena_error_name(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, c"NONE".as_ptr(), |e| name_of(e.error.code().0)) }
}

/// One line with everything there is to say, for a log: name, code, message, broker, phase, cause and hint. Never
/// NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_error_string(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, c"no error".as_ptr(), |e| e.line.as_ptr()) }
}

/// What happened. Never NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_error_message(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, c"".as_ptr(), |e| e.message.as_ptr()) }
}

/// Why, where something else was the reason; NULL when there is no more to know.
#[no_mangle]
pub unsafe extern "C" fn milena_error_cause(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, ptr::null(), |e| optional(&e.cause)) }
}

/// What to do about it; NULL when there is no advice.
#[no_mangle]
pub unsafe extern "C" fn milena_error_hint(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, ptr::null(), |e| optional(&e.hint)) }
}

/// The id of the broker it is about; -1 when there is none, or its id is not known.
#[no_mangle]
pub unsafe extern "C" fn milena_error_broker(error: *const milena_error) -> i32 {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, -1, |e| e.error.broker_id().unwrap_or(-1)) }
}

/// The address of the broker it is about, as "host:port"; NULL when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_error_address(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, ptr::null(), |e| optional(&e.address)) }
}

/// The step of talking to the broker that failed: "dns", "tcp", "tls", "sasl", "api-versions" or "request"; NULL when
/// it has nothing to do with one. Lives as long as the process.
#[no_mangle]
pub unsafe extern "C" fn milena_error_phase(error: *const milena_error) -> *const c_char {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, ptr::null(), |e| e.error.failed_phase().map_or(ptr::null(), phase_name)) }
}

/// The topic of the partition it is about, as when a record batch is corrupt; null when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_error_topic(error: *const milena_error) -> milena_bytes {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe {
        of(error, milena_bytes::NULL, |e| {
            e.error.place().map_or(milena_bytes::NULL, |p| p.topic.as_bytes().into())
        })
    }
}

/// The partition it is about; -1 when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_error_partition(error: *const milena_error) -> i32 {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, -1, |e| e.error.place().map_or(-1, |p| p.partition)) }
}

/// The offset it is about: where the partition can't be read; -1 when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_error_offset(error: *const milena_error) -> i64 {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, -1, |e| e.error.place().map_or(-1, |p| p.offset)) }
}

/// The offset to seek to, to read on behind what can't be read; -1 when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_error_next_offset(error: *const milena_error) -> i64 {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, -1, |e| e.error.place().map_or(-1, |p| p.next_offset)) }
}

/// Whether the same may succeed later without a change by the caller.
#[no_mangle]
pub unsafe extern "C" fn milena_error_is_retriable(error: *const milena_error) -> bool {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, false, |e| e.error.is_retriable()) }
}

/// Whether the client is of no more use: close it, free it, and make another one.
#[no_mangle]
pub unsafe extern "C" fn milena_error_is_fatal(error: *const milena_error) -> bool {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, false, |e| e.error.is_fatal()) }
}

/// Whether the producer's transaction can't be committed any more and must be aborted.
#[no_mangle]
pub unsafe extern "C" fn milena_error_txn_requires_abort(error: *const milena_error) -> bool {
    // SAFETY: NULL or an error of this library, by contract.
    unsafe { of(error, false, |e| e.error.txn_requires_abort()) }
}

/// Frees an error; NULL is fine. Not for errors that belong to a result, such as those of deliveries.
#[no_mangle]
pub unsafe extern "C" fn milena_error_free(error: *mut milena_error) {
    if !error.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(error) }));
    }
}

impl milena_error {
    pub(super) fn boxed(error: Error) -> Box<milena_error> {
        let optional = |text: Option<&str>| text.map(c_string);
        Box::new(milena_error {
            line: c_string(&error.to_string()),
            message: c_string(error.message()),
            address: optional(error.broker_address()),
            cause: optional(error.cause_text()),
            hint: optional(error.hint_text()),
            error,
        })
    }
}

/// # Safety
/// `error` is NULL or an error of this library.
unsafe fn of<T>(error: *const milena_error, otherwise: T, get: impl FnOnce(&milena_error) -> T) -> T {
    // SAFETY: as the caller promises.
    match unsafe { error.as_ref() } {
        Some(error) => get(error),
        None => otherwise,
    }
}

fn optional(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |t| t.as_ptr())
}

/// A text for C. It ends with its first zero byte, should it have one.
pub(super) fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

fn phase_name(phase: crate::error::Phase) -> *const c_char {
    use crate::error::Phase;
    match phase {
        Phase::Dns => c"dns",
        Phase::Tcp => c"tcp",
        Phase::Tls => c"tls",
        Phase::Sasl => c"sasl",
        Phase::ApiVersions => c"api-versions",
        Phase::Request => c"request",
    }
    .as_ptr()
}

fn name_of(code: i32) -> *const c_char {
    static NAMES: OnceLock<HashMap<i32, CString>> = OnceLock::new();
    let names = NAMES.get_or_init(|| TABLE.iter().map(|(code, name, ..)| (*code, c_string(name))).collect());
    names.get(&code).map_or(c"UNKNOWN_CODE".as_ptr(), |name| name.as_ptr())
}
