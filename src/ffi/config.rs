//! Configuration
//!
//! Names and values for a client, by the names of Java's clients (librdkafka's are known too). They are checked when
//! a client is made of them, all at once: an unknown name is refused, with the nearest known one as a hint. A client
//! copies what it needs: the configuration can be changed, used again or freed afterwards. CONFIGURATION.md lists
//! all names.
//!
//! Setters are for one thread at a time; getters may run on several as long as nobody sets.

use super::error::{c_string, milena_error};
use super::guard::{array, c_text, guard, guard_value, null, object};
use super::types::milena_status;
use crate::config::table::{self, Client, Property, Status};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::Write;
use std::os::raw::c_char;
use std::ptr;
use std::sync::OnceLock;

/// Names and values for a client.
pub struct milena_config {
    config: Config,
    /// What `milena_config_get` gave out, kept until the end.
    given: Mutex<HashMap<String, CString>>,
}

/// A configuration without any value: every property has its default. The caller frees it by milena_config_free.
/// NULL only when memory is short.
#[no_mangle]
pub extern "C" fn milena_config_new() -> *mut milena_config {
    guard_value(ptr::null_mut(), || {
        Box::into_raw(Box::new(milena_config { config: Config::new(), given: Mutex::default() }))
    })
}

/// A copy, to be freed like the original; NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_config_copy(config: *const milena_config) -> *mut milena_config {
    // SAFETY: NULL or a configuration of this library, by contract.
    guard_value(ptr::null_mut(), || match unsafe { config.as_ref() } {
        None => ptr::null_mut(),
        Some(c) => {
            Box::into_raw(Box::new(milena_config { config: c.config.clone(), given: Mutex::default() }))
        }
    })
}

/// Sets a property; a later value replaces an earlier one. Name and value are not checked before a client is made.
///
/// Errors: NULL_ARGUMENT; INVALID_ARGUMENT for text that is not UTF-8.
#[no_mangle]
pub unsafe extern "C" fn milena_config_set(
    config: *mut milena_config,
    name: *const c_char,
    value: *const c_char,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: pointers of this library, and C strings, by contract.
        let (config, name, value) = unsafe { (own(config)?, c_text(name, "name")?, c_text(value, "value")?) };
        config.config.set(name, value);
        Ok(())
    })
}

/// Adds the properties of a Java .properties file. On an error, which names all bad lines, nothing is added. Blocks
/// while the file is read.
///
/// Errors: INVALID_CONFIGURATION when the file can't be read or its text is not that of a .properties file.
#[no_mangle]
pub unsafe extern "C" fn milena_config_load_file(
    config: *mut milena_config,
    path: *const c_char,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a pointer of this library, and a C string, by contract.
        let (config, path) = unsafe { (own(config)?, c_path(path)?) };
        let bytes = std::fs::read(&path).map_err(|e| {
            Error::new(Code::INVALID_CONFIGURATION, format!("cannot read {}", path.display()))
                .cause(e.to_string())
                .hint("check the path and the right to read the file")
        })?;
        config.config.add_properties(&bytes)
    })
}

/// As milena_config_load_file, from `len` bytes of text.
#[no_mangle]
pub unsafe extern "C" fn milena_config_load_properties(
    config: *mut milena_config,
    text: *const c_char,
    len: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a pointer of this library, and `len` bytes, by contract.
        let (config, text) = unsafe { (own(config)?, array(text.cast::<u8>(), len, "text")?) };
        config.config.add_properties(text)
    })
}

/// The value that was set under exactly this name; NULL when there is none (and for the defaults). Lives as long as
/// the configuration. It may be a secret.
#[no_mangle]
pub unsafe extern "C" fn milena_config_get(
    config: *const milena_config,
    name: *const c_char,
) -> *const c_char {
    guard_value(ptr::null(), || {
        // SAFETY: a pointer of this library, and a C string, by contract.
        let found = unsafe {
            let config = object(config, "config").ok();
            config.zip(c_text(name, "name").ok())
        };
        found.and_then(|(config, name)| config.get(name)).unwrap_or(ptr::null())
    })
}

/// All properties that this version knows, as a JSON array of objects with name, clients, type, default, range,
/// importance, aliases, status ("implemented", "not yet" or "no effect") and doc. Lives as long as the process.
#[no_mangle]
pub extern "C" fn milena_config_table() -> *const c_char {
    static JSON: OnceLock<CString> = OnceLock::new();
    guard_value(c"[]".as_ptr(), || JSON.get_or_init(|| c_string(&table_json())).as_ptr())
}

/// Frees a configuration; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_config_free(config: *mut milena_config) {
    if !config.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(config) }));
    }
}

impl milena_config {
    /// Names and values, in the order in which they were set.
    pub(super) fn entries(&self) -> Vec<(&str, &str)> {
        self.config.in_order()
    }

    fn get(&self, name: &str) -> Option<*const c_char> {
        let value = self.config.get(name)?;
        // The key is never empty of a zero byte in the middle, so no two pairs are the same.
        let key = format!("{name}\0{value}");
        Some(self.given.lock().entry(key).or_insert_with(|| c_string(value)).as_ptr())
    }
}

/// What clients are made of. NULL is an error: no client works without bootstrap.servers.
///
/// # Safety
/// `config` is NULL or a configuration of this library.
pub(super) unsafe fn settings<'a>(config: *const milena_config) -> Result<&'a Config> {
    // SAFETY: as the caller promises.
    Ok(&unsafe { object(config, "config") }?.config)
}

/// # Safety
/// `config` is NULL or a configuration of this library that nobody else uses now.
unsafe fn own<'a>(config: *mut milena_config) -> Result<&'a mut milena_config> {
    // SAFETY: as the caller promises.
    unsafe { config.as_mut() }.ok_or_else(|| null("config"))
}

/// # Safety
/// `path` is NULL or a C string.
unsafe fn c_path(path: *const c_char) -> Result<std::path::PathBuf> {
    // SAFETY: as the caller promises.
    unsafe { c_text(path, "path") }.map(std::path::PathBuf::from)
}

fn table_json() -> String {
    let rows: Vec<String> = table::properties().map(row_json).collect();
    format!("[{}]", rows.join(",\n"))
}

fn row_json(row: &Property) -> String {
    let clients: Vec<String> =
        Client::ALL.into_iter().filter(|c| row.clients.has(*c)).map(|c| json(c.name())).collect();
    let aliases: Vec<String> = row.aliases.iter().map(|a| json(a)).collect();
    let status = match row.status {
        Status::Implemented => "implemented",
        Status::NotYet(_) => "not yet",
        Status::NoEffect(_) => "no effect",
    };
    format!(
        "{{\"name\":{},\"clients\":[{}],\"type\":{},\"default\":{},\"range\":{},\"importance\":{},\
         \"aliases\":[{}],\"status\":{},\"doc\":{}}}",
        json(row.name),
        clients.join(","),
        json(row.kind.name()),
        row.default.map_or_else(|| "null".to_owned(), json),
        json(&row.range_text()),
        json(&format!("{:?}", row.importance).to_lowercase()),
        aliases.join(","),
        json(status),
        json(row.doc),
    )
}

/// A text as a JSON string.
fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_json() {
        assert_eq!(json("a\"b\\c\nd"), r#""a\"b\\c\u000ad""#);
        let table = table_json();
        assert_eq!(table.lines().count(), table::properties().count());
        assert!(table.contains(r#""name":"bootstrap.servers","clients":["producer","consumer","admin"]"#));
        assert!(!table.contains('\t'));
    }
}
