//! Log
//!
//! With log.sink=poll a client keeps its log lines (the newest 1000) for the program instead of writing them to
//! stderr; log.level and debug choose which. The client's descriptor becomes readable when there are some. All that
//! is read here borrows from the milena_log.

use super::deliveries::rows;
use super::error::c_string;
use super::guard::guard_value;
use crate::log::{Context, Level, LogLine, Logger};
use crate::sys::clock;
use std::ffi::CString;
use std::os::raw::c_char;
use std::ptr;

/// Log lines; the caller's to free.
pub struct milena_log {
    rows: Vec<milena_log_line>,
    dropped: u64,
    _texts: Vec<CString>,
}

/// Something does not work.
pub const MILENA_LOG_ERROR: i32 = 1;
/// Something that may need attention.
pub const MILENA_LOG_WARNING: i32 = 2;
/// Something that is good to know.
pub const MILENA_LOG_INFO: i32 = 3;
/// What the library does, a line for each request among others.
pub const MILENA_LOG_DEBUG: i32 = 4;

/// A line of the log. The texts are C strings without line breaks, never NULL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_log_line {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// MILENA_LOG_ERROR to MILENA_LOG_DEBUG.
    pub level: i32,
    /// What it is about, one of the words of `debug`: "broker", "protocol", "cgrp" …
    pub context: *const c_char,
    pub client_id: *const c_char,
    pub text: *const c_char,
}

/// The lines, oldest first: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when `log` is NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_log_lines(
    log: *const milena_log,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_log_line {
    // SAFETY: NULL or a log of this library, and places for numbers, by contract.
    unsafe { rows(log.as_ref().map(|l| l.rows.as_slice()), n, stride) }
}

/// How many lines the client has lost since it was made, because more came than it keeps.
#[no_mangle]
pub unsafe extern "C" fn milena_log_dropped(log: *const milena_log) -> u64 {
    // SAFETY: NULL or a log of this library, by contract.
    unsafe { log.as_ref() }.map_or(0, |l| l.dropped)
}

/// Frees log lines; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_log_free(log: *mut milena_log) {
    if !log.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(log) }));
    }
}

/// What a client's log had to give.
pub(super) struct Taken {
    lines: Vec<LogLine>,
    dropped: u64,
}

impl From<&Logger> for Taken {
    fn from(logger: &Logger) -> Taken {
        Taken { lines: logger.drain(), dropped: logger.dropped() }
    }
}

/// Logs what a configuration's user should know, although it is valid.
pub(super) fn warn(logger: &Logger, warnings: &[String]) {
    for warning in warnings {
        logger.warning(clock::now(), Context::Conf, format_args!("{warning}"));
    }
}

impl milena_log {
    /// NULL when there are no lines.
    pub(super) fn new(taken: Taken) -> *mut milena_log {
        if taken.lines.is_empty() {
            return ptr::null_mut();
        }
        let mut texts = Vec::with_capacity(taken.lines.len() * 3);
        let mut keep = |text: &str| {
            let text = c_string(text);
            let at = text.as_ptr();
            texts.push(text);
            at
        };
        let rows = taken
            .lines
            .iter()
            .map(|line| milena_log_line {
                time_ms: line.time_ms,
                level: level(line.level),
                context: keep(line.context.name()),
                client_id: keep(&line.client_id),
                text: keep(&line.text),
            })
            .collect();
        Box::into_raw(Box::new(milena_log { rows, dropped: taken.dropped, _texts: texts }))
    }
}

fn level(level: Level) -> i32 {
    match level {
        Level::Off | Level::Error => MILENA_LOG_ERROR,
        Level::Warning => MILENA_LOG_WARNING,
        Level::Info => MILENA_LOG_INFO,
        Level::Debug => MILENA_LOG_DEBUG,
    }
}
