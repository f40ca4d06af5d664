//! What every export begins with: the barrier against panics, and the checks of pointers and numbers from C.

use super::error::milena_error;
use super::types::{milena_bytes, milena_status};
use crate::error::{Code, Error, Result};
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

/// Runs the body of an export that gives a status. A panic inside becomes the status PANIC.
#[inline(always)]
pub(super) fn guard(err: *mut *mut milena_error, body: impl FnOnce() -> Result<()>) -> milena_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => fail(err, error),
        Err(panic) => fail(err, panicked(panic)),
    }
}

/// Runs the body of an export that gives a value and cannot fail; after a panic it gives `otherwise`.
#[inline(always)]
pub(super) fn guard_value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            forget_panic(panic);
            otherwise
        }
    }
}

/// Stores the error where the caller wants it, and gives its code.
#[cold]
#[inline(never)]
fn fail(err: *mut *mut milena_error, error: Error) -> milena_status {
    let code = error.code().0;
    // An error that says "success" would be taken for it.
    let code = if code == 0 { Code::UNKNOWN_SERVER_ERROR.0 } else { code };
    if !err.is_null() {
        if let Ok(boxed) = catch_unwind(AssertUnwindSafe(|| milena_error::boxed(error))) {
            // SAFETY: not NULL, and by contract a place for a pointer.
            unsafe { err.write_unaligned(Box::into_raw(boxed)) };
        }
    }
    code
}

#[cold]
fn panicked(panic: Box<dyn Any + Send>) -> Error {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_owned(),
    };
    forget_panic(panic);
    Error::new(Code::PANIC, format!("a panic inside the library: {text}"))
}

/// Drops what a panic carries, whose own drop might panic as well.
#[cold]
fn forget_panic(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

#[cold]
#[inline(never)]
pub(super) fn null(what: &str) -> Error {
    Error::new(Code::NULL_ARGUMENT, format!("{what} is NULL"))
}

#[cold]
#[inline(never)]
pub(super) fn invalid(text: String) -> Error {
    Error::new(Code::INVALID_ARGUMENT, text)
}

/// A result object, borrowed for one call.
///
/// # Safety
/// `pointer` is NULL or came from this library as a `T` and was not freed.
#[inline(always)]
pub(super) unsafe fn object<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(what))
}

/// Where a call puts its result.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// `pointer` is NULL or a place for a `T` until the end of the call.
    #[inline(always)]
    pub unsafe fn new(pointer: *mut T, what: &str) -> Result<Out<T>> {
        if pointer.is_null() {
            return Err(null(what));
        }
        Ok(Out(pointer))
    }

    #[inline(always)]
    pub fn set(&self, value: T) {
        // SAFETY: `new` was promised a place that is good for the whole call.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// An array from C.
///
/// # Safety
/// When `data` is not NULL, `len` elements of `T` are there, as long as `'a`.
pub(super) unsafe fn array<'a, T>(data: *const T, len: usize, what: &str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    check_array(data, len, std::mem::size_of::<T>(), what)?;
    // SAFETY: not NULL, aligned, not larger than memory, and by the caller's promise there.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// An array from C whose elements are `stride` bytes apart.
///
/// # Safety
/// When `data` is not NULL, `len` elements of `T` are there, as long as `'a`.
pub(super) unsafe fn strided<'a, T: Copy + 'a>(
    data: *const T,
    stride: usize,
    len: usize,
    what: &str,
) -> Result<impl ExactSizeIterator<Item = &'a T>> {
    if len > 0 {
        check_stride::<T>(stride, what)?;
        check_array(data, len, stride, what)?;
    }
    // SAFETY: inside the array that the caller promised, and aligned, since start and stride are.
    Ok((0..len).map(move |i| unsafe { &*data.byte_add(i * stride) }))
}

#[inline]
pub(super) fn check_stride<T>(stride: usize, what: &str) -> Result<()> {
    let size = std::mem::size_of::<T>();
    if stride < size || stride % std::mem::align_of::<T>() != 0 {
        return Err(invalid(format!("the stride of {what} is {stride}, an element has {size} bytes"))
            .hint("pass sizeof of the element's type"));
    }
    Ok(())
}

/// That `len` elements of `T`, `stride` bytes apart, can be at `data`.
#[inline]
pub(super) fn check_array<T>(data: *const T, len: usize, stride: usize, what: &str) -> Result<()> {
    if data.is_null() {
        return Err(null(what));
    }
    if (data as usize) % std::mem::align_of::<T>() != 0 {
        return Err(invalid(format!("{what} is at an address that is not aligned for its type")));
    }
    let bytes = len.checked_mul(stride).filter(|b| *b <= isize::MAX as usize);
    if bytes.is_none_or(|b| (data as usize).checked_add(b).is_none()) {
        return Err(invalid(format!("{what} has {len} elements, more than fit into memory")));
    }
    Ok(())
}

/// Nullable bytes from C, of a length that Kafka can carry.
///
/// # Safety
/// When `bytes.data` is not NULL, `bytes.len` bytes are there, as long as `'a`.
#[inline(always)]
pub(super) unsafe fn nullable<'a>(bytes: milena_bytes, what: &str) -> Result<Option<&'a [u8]>> {
    if bytes.data.is_null() {
        return if bytes.len == 0 { Ok(None) } else { Err(null_with_length(bytes.len, what)) };
    }
    if bytes.len > i32::MAX as usize {
        return Err(too_long(bytes.len, what));
    }
    // SAFETY: not NULL, less than 2 GiB, and by the caller's promise there.
    Ok(Some(unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }))
}

#[cold]
#[inline(never)]
fn null_with_length(len: usize, what: &str) -> Error {
    invalid(format!("{what} has data NULL, but len {len}"))
}

#[cold]
#[inline(never)]
fn too_long(len: usize, what: &str) -> Error {
    invalid(format!("{what} has {len} bytes, more than the {} that Kafka can carry", i32::MAX))
}

/// Bytes that may not be null.
///
/// # Safety
/// What `bytes` names is there and unchanged as long as `'a`.
#[inline(always)]
pub(super) unsafe fn given<'a>(bytes: milena_bytes, what: &str) -> Result<&'a [u8]> {
    // SAFETY: as the caller promises.
    unsafe { nullable(bytes, what) }?.ok_or_else(|| null(what))
}

/// Text from C.
///
/// # Safety
/// When `bytes.data` is not NULL, `bytes.len` bytes are there, as long as `'a`.
#[inline(always)]
pub(super) unsafe fn text<'a>(bytes: milena_bytes, what: &str) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { given(bytes, what) }?;
    std::str::from_utf8(bytes).map_err(|e| not_utf8(e, what))
}

#[cold]
#[inline(never)]
fn not_utf8(e: std::str::Utf8Error, what: &str) -> Error {
    invalid(format!("{what} is not UTF-8: {e}"))
}

/// A C string.
///
/// # Safety
/// `pointer` is NULL or a C string that lives as long as `'a`.
pub(super) unsafe fn c_text<'a>(pointer: *const std::os::raw::c_char, what: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(null(what));
    }
    // SAFETY: not NULL, and by the caller's promise a C string.
    unsafe { std::ffi::CStr::from_ptr(pointer) }.to_str().map_err(|e| not_utf8(e, what))
}

/// A time-out from C: milliseconds, -1 for none.
#[inline]
pub(super) fn timeout(ms: i64, what: &str) -> Result<Option<Duration>> {
    match u64::try_from(ms) {
        Ok(ms) => Ok(Some(Duration::from_millis(ms))),
        Err(_) if ms == -1 => Ok(None),
        Err(_) => Err(invalid(format!("{what} is {ms}; it must be 0 or more, or -1"))),
    }
}

/// As [`timeout`] for a wait: -1 waits without end.
#[inline]
pub(super) fn wait(ms: i64, what: &str) -> Result<Duration> {
    Ok(timeout(ms, what)?.unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    fn error_of(status: milena_status, err: *mut milena_error) -> String {
        // SAFETY: the guard has just made it.
        let error = unsafe { Box::from_raw(err) };
        // SAFETY: alive, see above.
        assert_eq!(unsafe { super::super::error::milena_error_code(&*error) }, status);
        // SAFETY: a text of the error, which is alive.
        unsafe { std::ffi::CStr::from_ptr(super::super::error::milena_error_string(&*error)) }
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_panic_becomes_a_status() {
        for (panic, text) in [(true, "a text: 7"), (false, "no message")] {
            let mut err = ptr::null_mut();
            let status = guard(&mut err, || {
                if panic {
                    panic!("a text: {}", 7);
                }
                std::panic::panic_any(7)
            });
            assert_eq!(status, Code::PANIC.0);
            assert!(error_of(status, err).contains(text));
            assert_eq!(guard(ptr::null_mut(), || panic!("nobody asks")), Code::PANIC.0);
        }
        assert_eq!(guard_value(3, || panic!("in a getter")), 3);
    }

    #[test]
    fn a_panic_whose_payload_panics_is_stopped_too() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert_eq!(guard(ptr::null_mut(), || std::panic::panic_any(Bomb)), Code::PANIC.0);
    }

    #[test]
    fn errors_are_written_on_failure_only() {
        let mut err = ptr::null_mut();
        assert_eq!(guard(&mut err, || Ok(())), 0);
        assert!(err.is_null());
        let status = guard(&mut err, || Err(null("x")));
        assert!(error_of(status, err).starts_with("NULL_ARGUMENT (-1000): x is NULL"));
        assert_eq!(guard(ptr::null_mut(), || Err(Error::new(Code::NONE, "odd"))), -1);
    }

    #[test]
    fn arrays_are_checked() {
        let code = |r: Result<()>| r.err().map_or(0, |e| e.code().0);
        let (numbers, invalid) = ([1u64, 2], Code::INVALID_ARGUMENT.0);
        assert_eq!(code(check_array(numbers.as_ptr(), 2, 8, "n")), 0);
        assert_eq!(code(check_array(ptr::null::<u64>(), 1, 8, "n")), Code::NULL_ARGUMENT.0);
        assert_eq!(code(check_array(numbers.as_ptr().wrapping_byte_add(1), 1, 8, "n")), invalid);
        assert_eq!(code(check_array(numbers.as_ptr(), usize::MAX, 8, "n")), invalid);
        assert_eq!(code(check_array(usize::MAX as *const u8, 2, 1, "n")), invalid);
        assert_eq!(code(check_stride::<u64>(4, "n")), invalid);
        assert_eq!(code(check_stride::<u64>(12, "n")), invalid);
        assert_eq!(code(check_stride::<u64>(16, "n")), 0);
        assert!(timeout(-1, "t").unwrap().is_none() && timeout(-2, "t").is_err());
        assert_eq!(timeout(5, "t").unwrap(), Some(Duration::from_millis(5)));
    }
}
