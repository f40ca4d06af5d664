//! Single values: from the text of a property to a type, or the reason why not.

use std::net::Ipv6Addr;

use crate::log::{Contexts, Level};

use super::suggest::nearest;
use super::table::{self, Property, Range, Type};
use super::types::{Assignor, HostPort, OffsetReset, Serde};

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub why: String,
    pub hint: Option<String>,
    pub not_yet: bool,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into(), hint: None, not_yet: false }
    }
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }
    pub(super) fn not_yet(hint: impl Into<String>) -> Refusal {
        Refusal { why: "not implemented in this version".to_owned(), hint: Some(hint.into()), not_yet: true }
    }
}

type Checked<T> = Result<T, Refusal>;

/// The longest string that fits into the protocol.
const STRING_MAX: usize = i16::MAX as usize;
/// Characters of a value that messages show.
const SHOWN: usize = 120;

/// The value as messages may show it.
pub(super) fn shown(name: &str, value: &str) -> String {
    if !table::may_be_shown(name) {
        return "[hidden]".to_owned();
    }
    let mut out: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

/// The elements of a list: trimmed, without empty ones.
pub(super) fn elements(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|element| !element.is_empty())
}

/// Checks what the row's type and range say; the rest is for the functions below.
pub(super) fn check(row: &Property, value: &str) -> Checked<()> {
    match row.kind {
        Type::Bool => boolean(value).map(drop),
        Type::Short | Type::Int | Type::Long => whole(row, value).map(drop),
        Type::Double => real(row, value),
        Type::Enum if row.name == "log.level" => level(value).map(drop),
        Type::Enum => word(row, value).map(drop),
        Type::String if value.len() > STRING_MAX => {
            Err(Refusal::new(format!("{} bytes are too long (at most {STRING_MAX})", value.len())))
        }
        Type::String | Type::List | Type::Class | Type::Password => Ok(()),
    }
}

pub(super) fn boolean(value: &str) -> Checked<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::new("neither true nor false")),
    }
}

pub(super) fn whole(row: &Property, value: &str) -> Checked<i64> {
    let (least, most) = match row.kind {
        Type::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (min, max) = match row.range {
        Range::Whole(min, max) => (min, max),
        _ => (least, most),
    };
    let range = match row.range {
        Range::Any => format!("{min} to {max}"),
        _ => row.range_text(),
    };
    match value.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(_) => Err(Refusal::new(format!("out of range ({range})"))),
        Err(_) if is_whole(value) => Err(Refusal::new(format!("out of range ({range})"))),
        Err(_) => Err(Refusal::new(format!("not a whole number ({range})"))
            .hint("times are milliseconds and sizes bytes, without a unit")),
    }
}

fn is_whole(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn real(row: &Property, value: &str) -> Checked<()> {
    let number = value.parse::<f64>().map_err(|_| Refusal::new("not a number"))?;
    match row.range {
        Range::Real(min, max) if !(min..=max).contains(&number) => {
            Err(Refusal::new(format!("out of range ({})", row.range_text())))
        }
        _ => Ok(()),
    }
}

/// The word of the row's range that the value is.
pub(super) fn word(row: &Property, value: &str) -> Checked<&'static str> {
    let Range::Words(words) = row.range else { return Err(Refusal::new("no such word")) };
    words.iter().find(|word| word.eq_ignore_ascii_case(value)).copied().ok_or_else(|| {
        let refusal = Refusal::new(format!("not one of {}", words.join(", ")));
        match nearest(value, words.iter().copied()) {
            Some(near) => refusal.hint(format!("did you mean {near}?")),
            None => refusal,
        }
    })
}

/// Whether a value says the same as another one of this row, such as its default.
pub(super) fn same(row: &Property, a: &str, b: &str) -> bool {
    match row.kind {
        Type::Bool | Type::Enum => a.eq_ignore_ascii_case(b),
        Type::Short | Type::Int | Type::Long => whole(row, a) == whole(row, b),
        Type::Double => a.parse::<f64>().ok() == b.parse::<f64>().ok(),
        Type::List => elements(a).eq(elements(b)),
        Type::String | Type::Class | Type::Password => a == b,
    }
}

pub(super) fn level(value: &str) -> Checked<Level> {
    Level::parse(value).ok_or_else(|| Refusal::new("not one of off, error, warning, info, debug"))
}

/// The contexts of `debug`.
pub(super) fn contexts(value: &str) -> Checked<Contexts> {
    let mut all = Contexts::NONE;
    for word in elements(value) {
        match Contexts::parse(&word.to_ascii_lowercase()) {
            Some(contexts) => all = all.union(contexts),
            None => {
                let refusal = Refusal::new(format!("no context {word:?}"));
                let names =
                    crate::log::Context::ALL.iter().map(|c| c.name()).chain(["all", "producer", "request"]);
                return Err(match nearest(word, names) {
                    Some(near) => refusal.hint(format!("did you mean {near}?")),
                    None => refusal.hint("see debug in CONFIGURATION.md for the contexts"),
                });
            }
        }
    }
    Ok(all)
}

/// `bootstrap.servers`: without duplicates, in order; an error for each piece that is wrong.
pub(super) fn host_ports(value: &str) -> Result<Vec<HostPort>, Vec<Refusal>> {
    let mut servers: Vec<HostPort> = Vec::new();
    let mut refusals = Vec::new();
    for piece in elements(value) {
        match host_port(piece) {
            Ok(server) if servers.contains(&server) => {}
            Ok(server) => servers.push(server),
            Err(mut refusal) => {
                refusal.why = format!("{:?} {}", shown("bootstrap.servers", piece), refusal.why);
                refusals.push(refusal);
            }
        }
    }
    if refusals.is_empty() && servers.is_empty() {
        refusals.push(Refusal::new("names no server").hint("give host:port of a broker or two"));
    }
    if refusals.is_empty() {
        Ok(servers)
    } else {
        Err(refusals)
    }
}

fn host_port(piece: &str) -> Checked<HostPort> {
    let piece = without_protocol(piece)?;
    let (host, port) = match piece.strip_prefix('[') {
        Some(rest) => {
            let Some((host, port)) = rest.split_once(']') else {
                return Err(Refusal::new("has a bracket that is not closed"));
            };
            let address = host.split('%').next().unwrap_or(host);
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(Refusal::new("has no IPv6 address in its brackets"));
            }
            (host, port.strip_prefix(':'))
        }
        None => match piece.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(
                    Refusal::new("has too many colons").hint("write an IPv6 address as [address]:port")
                )
            }
            Some((host, _)) if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => {
                return Err(Refusal::new("has a character that no host name has"))
            }
            Some((host, port)) => (host, Some(port)),
            None => (piece, None),
        },
    };
    let Some(port) = port else {
        return Err(Refusal::new("has no port").hint("write host:port; Kafka's usual port is 9092"));
    };
    if host.is_empty() {
        return Err(Refusal::new("has no host"));
    }
    match port.parse::<u16>() {
        Ok(number) if number != 0 && !port.starts_with('+') => {
            Ok(HostPort { host: host.to_owned(), port: number })
        }
        _ => Err(Refusal::new("has no port from 1 to 65535")),
    }
}

/// Java takes `PLAINTEXT://host:port`, as brokers advertise themselves, too.
fn without_protocol(piece: &str) -> Checked<&str> {
    let Some((protocol, rest)) = piece.split_once("://") else { return Ok(piece) };
    if protocol.eq_ignore_ascii_case("PLAINTEXT") {
        Ok(rest)
    } else if ["SSL", "SASL_SSL", "SASL_PLAINTEXT"].iter().any(|p| p.eq_ignore_ascii_case(protocol)) {
        Err(Refusal::not_yet("TLS and SASL come in a later version: use a PLAINTEXT listener"))
    } else {
        Err(Refusal::new("is no host:port").hint("leave out what is before the host"))
    }
}

const JAVA_SERIALIZATION: &str = "org.apache.kafka.common.serialization.";

/// A `*.serializer` (suffix `Serializer`) or `*.deserializer` (suffix `Deserializer`).
pub(super) fn serde(value: &str, suffix: &str) -> Checked<Serde> {
    let side = if suffix == "Serializer" {
        "encode on the caller's side, before send,"
    } else {
        "decode on the caller's side, after poll,"
    };
    let bytes = format!("{side} and use ByteArray{suffix}");
    let name = value.strip_prefix(JAVA_SERIALIZATION).unwrap_or(value);
    // "Deserializer" does not end in "Serializer": the case of its s differs.
    let Some(base) = name.strip_suffix(suffix) else {
        return Err(
            Refusal::new(format!("the name of a {} is needed here", suffix.to_lowercase())).hint(bytes)
        );
    };
    match base {
        "ByteArray" | "Bytes" | "ByteBuffer" => Ok(Serde::Bytes),
        "String" => Ok(Serde::Utf8),
        "Integer" | "Long" | "Short" | "Float" | "Double" => {
            Err(Refusal::new("numbers are not converted here")
                .hint(format!("{bytes}; Java has them big-endian")))
        }
        "UUID" | "Boolean" | "List" | "Void" => {
            Err(Refusal::new("this type is not converted here").hint(bytes))
        }
        _ if ["json", "avro", "protobuf"].iter().any(|f| base.to_lowercase().contains(f)) => {
            Err(Refusal::new("structured formats are not converted here").hint(bytes))
        }
        _ => Err(Refusal::new("Java classes can't be loaded").hint(bytes)),
    }
}

/// `partition.assignment.strategy`, without duplicates.
pub(super) fn assignors(value: &str) -> Checked<Vec<Assignor>> {
    let mut all = Vec::new();
    for element in elements(value) {
        let name = element.strip_prefix("org.apache.kafka.clients.consumer.").unwrap_or(element);
        let assignor = match name {
            "range" | "RangeAssignor" => Assignor::Range,
            "roundrobin" | "RoundRobinAssignor" => Assignor::RoundRobin,
            "cooperative-sticky" | "CooperativeStickyAssignor" => Assignor::CooperativeSticky,
            "sticky" | "StickyAssignor" => {
                return Err(Refusal::not_yet("use cooperative-sticky in all members, or range or roundrobin"))
            }
            _ => {
                return Err(Refusal::new(format!(
                    "no assignor {:?}",
                    shown("partition.assignment.strategy", element)
                ))
                .hint("use range, roundrobin or cooperative-sticky; Java classes can't be loaded"))
            }
        };
        if !all.contains(&assignor) {
            all.push(assignor);
        }
    }
    if all.is_empty() {
        return Err(Refusal::new("names no assignor").hint("use range, roundrobin or cooperative-sticky"));
    }
    Ok(all)
}

/// `auto.offset.reset`, with librdkafka's words.
pub(super) fn offset_reset(value: &str) -> Checked<OffsetReset> {
    match value.to_ascii_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => Ok(OffsetReset::Earliest),
        "latest" | "largest" | "end" => Ok(OffsetReset::Latest),
        "none" | "error" => Ok(OffsetReset::None),
        by if by.starts_with("by_duration") => {
            Err(Refusal::not_yet("use none, ask for the offsets of a time, and seek"))
        }
        _ => Err(Refusal::new("not one of earliest, latest, none")),
    }
}

/// `compression.gzip.level`: the one range with a hole.
pub(super) fn gzip_level(level: i64) -> Checked<i64> {
    if level == -1 || (1..=9).contains(&level) {
        Ok(level)
    } else {
        Err(Refusal::new("out of range (1 to 9, or -1)"))
    }
}

/// Whether a `partitioner.class` is what the default partitioner of this library does.
pub(super) fn is_default_partitioner(value: &str) -> bool {
    let name = value.strip_prefix("org.apache.kafka.clients.producer.").unwrap_or(value);
    matches!(name, "internals.DefaultPartitioner" | "internals.BuiltInPartitioner" | "DefaultPartitioner")
}
