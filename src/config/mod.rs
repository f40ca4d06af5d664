//! The configuration of a client: names and values in, typed and checked structs out.
//!
//! [`table`] knows every property of Java's clients, librdkafka's names for them and our own, with type,
//! range and default; [`parse`] makes a [`ProducerConfig`], [`ConsumerConfig`] or [`AdminConfig`] of a
//! [`Config`], and reports all that is wrong with it in one error. Nothing that is set is silently ignored:
//! it works, warns or is refused.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod parse;
mod properties;
mod settings;
mod suggest;
pub mod table;
mod types;
mod values;

pub use types::*;

use std::collections::BTreeMap;
use std::fmt;

use crate::error::Error;

/// Names and values as the application gave them; checked only when a client is made of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// By name: when it was set (so that the later of two names for one property wins), and the value.
    entries: BTreeMap<String, (u64, String)>,
    next: u64,
}

/// A configuration that is valid, and what the user should know about it all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    pub value: T,
    /// For the log, at level warning; without secrets.
    pub warnings: Vec<String>,
}

impl Config {
    pub fn new() -> Config {
        Config::default()
    }

    /// The text of a Java `.properties` file; see [`add_properties`](Config::add_properties).
    pub fn from_properties_text(text: &str) -> Result<Config, Error> {
        let mut config = Config::new();
        config.add_properties(text.as_bytes())?;
        Ok(config)
    }

    /// Sets a property; a later value replaces an earlier one. Blanks around name and value don't count.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl Into<String>) -> &mut Config {
        let order = self.next;
        self.next = order.saturating_add(1);
        self.entries.insert(name.as_ref().trim().to_owned(), (order, value.into()));
        self
    }

    /// The value last set under exactly this name, which may be a secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(|(_, value)| value.as_str())
    }

    /// Adds the properties of a Java `.properties` file, UTF-8 or else ISO 8859-1: comments with `#` and `!`,
    /// `=`, `:` or blanks between name and value, `\` at the end of a line to go on with the next, `\t \n \r
    /// \f \uXXXX`. Of a name that comes twice the later value counts. On an error, which names all bad lines,
    /// nothing is added.
    pub fn add_properties(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for (name, value) in properties::parse(bytes)? {
            self.set(name, value);
        }
        Ok(())
    }

    /// (name, value) in the order in which they were set.
    pub fn in_order(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<_> = self
            .entries
            .iter()
            .map(|(name, (order, value))| (*order, name.as_str(), value.as_str()))
            .collect();
        all.sort_unstable_by_key(|entry| entry.0);
        all.into_iter().map(|(_, name, value)| (name, value)).collect()
    }
}

/// Names and values, but no value that is a secret or, because its name is unknown, might be one.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.in_order() {
            map.entry(&name, &values::shown(name, value));
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests;
