//! Borrowed bytes, from Rust to C.

use super::types::milena_bytes;
use std::ptr;

impl milena_bytes {
    pub(super) const NULL: milena_bytes = milena_bytes { data: ptr::null(), len: 0 };
}

/// An empty slice stays different from null: its pointer is not NULL.
impl From<&[u8]> for milena_bytes {
    fn from(bytes: &[u8]) -> milena_bytes {
        milena_bytes { data: bytes.as_ptr(), len: bytes.len() }
    }
}

impl From<Option<&[u8]>> for milena_bytes {
    fn from(bytes: Option<&[u8]>) -> milena_bytes {
        bytes.map_or(milena_bytes::NULL, milena_bytes::from)
    }
}
