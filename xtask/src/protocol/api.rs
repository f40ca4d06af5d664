//! The list of APIs: keys, names and versions.

use std::fmt::Write as _;

use super::message::api_name;
use super::schema::{Kind, Schema};
use super::HEAD;
use crate::Result;

const METHODS: &str = "
    /// The name in the protocol, such as `Metadata`.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The lowest version that is spoken here.
    pub const fn min_version(self) -> i16 {
        self.row().1
    }

    /// The highest version that is spoken here.
    pub const fn max_version(self) -> i16 {
        self.row().2
    }

    /// The first version with compact lengths and tagged fields; `i16::MAX` if there is none.
    pub const fn first_flexible_version(self) -> i16 {
        self.row().3
    }

    /// The version of the header of a request of `version`.
    pub const fn request_header_version(self, version: i16) -> i16 {
        if version >= self.first_flexible_version() { 2 } else { 1 }
    }

    /// The version of the header of a response of `version`. That of ApiVersions never is flexible: who reads it
    /// may not know the version yet.
    pub const fn response_header_version(self, version: i16) -> i16 {
        if version >= self.first_flexible_version() && !matches!(self, ApiKey::ApiVersions) { 1 } else { 0 }
    }
";

/// The text of api.rs, not formatted yet.
pub fn emit(all: &[Schema]) -> Result<String> {
    let mut requests: Vec<&Schema> = all.iter().filter(|m| m.kind == Kind::Request).collect();
    requests.sort_by_key(|m| m.api_key);
    let (mut variants, mut list, mut rows, mut from) =
        (String::new(), String::new(), String::new(), String::new());
    for m in requests {
        let (name, key) = (api_name(m), m.api_key.ok_or_else(|| format!("{} has no key", m.name))?);
        let (lo, hi) = (m.valid.lo, m.valid.hi);
        let flexible = m.flexible.and(m.valid);
        let flexible = if flexible.is_empty() { "i16::MAX".into() } else { flexible.lo.to_string() };
        let _ = writeln!(variants, "{name} = {key},");
        let _ = writeln!(list, "ApiKey::{name},");
        let _ = writeln!(rows, "ApiKey::{name} => ({name:?}, {lo}, {hi}, {flexible}),");
        let _ = writeln!(from, "{key} => ApiKey::{name},");
    }
    Ok(format!(
        "{HEAD}//! The APIs of the protocol that brokers offer to clients.\n\n\
         /// An API of the protocol, by the key that stands in a request's header.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(i16)]\n\
         #[allow(missing_docs)]\npub enum ApiKey {{\n{variants}}}\n\n\
         impl ApiKey {{\n/// All of them, in the order of their keys.\n\
         pub const ALL: &'static [ApiKey] = &[\n{list}];\n{METHODS}\n\
         const fn row(self) -> (&'static str, i16, i16, i16) {{\nmatch self {{\n{rows}}}\n}}\n}}\n\n\
         /// The key itself is the error: an API that is not spoken here.\n\
         impl TryFrom<i16> for ApiKey {{\ntype Error = i16;\n\
         fn try_from(key: i16) -> Result<ApiKey, i16> {{\nOk(match key {{\n{from}other => return Err(other),\n}})\n}}\n}}\n"
    ))
}
