//! What producer and consumer share: making a client of librdkafka, and ending the program when something fails.

use rdkafka_sys::*;
use std::ffi::{c_char, CStr, CString};
use std::process::exit;

pub type Pair = (String, String);

pub const OK: rd_kafka_resp_err_t = rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
/// Any partition, where one is expected.
pub const UNASSIGNED: i32 = -1;
/// How long nothing may happen.
pub const PATIENCE_MS: i32 = 60_000;

pub fn fail(text: &str) -> ! {
    eprintln!("rdkafka-perf: {text}");
    exit(1)
}

pub fn name_of(error: rd_kafka_resp_err_t) -> String {
    // SAFETY: a static string for every code.
    unsafe { CStr::from_ptr(rd_kafka_err2str(error)) }.to_string_lossy().into_owned()
}

pub fn check(error: rd_kafka_resp_err_t, doing: &str) {
    if error != OK {
        fail(&format!("{doing}: {}", name_of(error)));
    }
}

pub fn text(s: &str) -> CString {
    CString::new(s).unwrap_or_else(|_| fail("a NUL byte in an argument"))
}

/// A configuration of these properties.
pub fn configuration(pairs: &[Pair]) -> *mut rd_kafka_conf_t {
    let mut why = [0 as c_char; 512];
    // SAFETY: all strings end with 0, and `why` has the length that is told.
    unsafe {
        let conf = rd_kafka_conf_new();
        for (name, value) in pairs {
            let (name, value) = (text(name), text(value));
            let set = rd_kafka_conf_set(conf, name.as_ptr(), value.as_ptr(), why.as_mut_ptr(), why.len());
            if set != rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
                fail(&CStr::from_ptr(why.as_ptr()).to_string_lossy());
            }
        }
        conf
    }
}

/// A client of this kind; takes the configuration.
pub fn client(kind: rd_kafka_type_t, conf: *mut rd_kafka_conf_t) -> *mut rd_kafka_t {
    let mut why = [0 as c_char; 512];
    // SAFETY: `conf` is a configuration that nobody else has, and `why` has the length that is told.
    unsafe {
        let handle = rd_kafka_new(kind, conf, why.as_mut_ptr(), why.len());
        if handle.is_null() {
            fail(&CStr::from_ptr(why.as_ptr()).to_string_lossy());
        }
        handle
    }
}
