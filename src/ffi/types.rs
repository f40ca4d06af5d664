//! Types of many calls
//!
//! Structs of this header may grow at their end in later versions. Arrays of them therefore come with a stride, the
//! bytes from one element to the next: pass sizeof for arrays that you make, and step by the stride that you are
//! given through arrays that you get.

use std::os::raw::c_char;

/// How a call ended: MILENA_OK, a code of Kafka's, or a code of this library; see "Status codes".
pub type milena_status = i32;

/// A descriptor of the operating system. (cbindgen would make ptrdiff_t of it; the header has its own line.)
pub type milena_fd = isize;

/// Bytes that somebody else owns. `data` NULL is Kafka's null, which is not the same as empty (`data` not NULL and
/// `len` 0). Text, such as a topic's name, is UTF-8 without a terminating 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_bytes {
    pub data: *const u8,
    pub len: usize,
}

/// A record's header. Names may come twice; a value may be null, a name may not.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_header {
    pub name: milena_bytes,
    pub value: milena_bytes,
}

/// A partition of a topic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_topic_partition {
    pub topic: milena_bytes,
    pub partition: i32,
}

/// Bytes of a C string, without its terminating 0; null for NULL. Borrows from `text`.
#[no_mangle]
pub unsafe extern "C" fn milena_str(text: *const c_char) -> milena_bytes {
    if text.is_null() {
        return milena_bytes::NULL;
    }
    // SAFETY: not NULL, and by contract a C string.
    let len = unsafe { std::ffi::CStr::from_ptr(text) }.count_bytes();
    milena_bytes { data: text.cast(), len }
}
