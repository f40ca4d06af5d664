//! The table of properties agrees with itself, with Kafka's own list and with what the parser reads.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// `client name type default range` of Java's clients 4.4.0.
const JAVA: &str = include_str!("../../../tests/fixtures/kafka_configs.txt");

/// Names of our own, of librdkafka, or of older Java clients.
const NOT_IN_JAVA: [&str; 6] = [
    "receive.message.max.bytes",
    "fetch.buffer.memory",
    "log.level",
    "log.sink",
    "debug",
    "auto.include.jmx.reporter",
];

struct JavaRow {
    client: Client,
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    range: &'static str,
}

fn java() -> Vec<JavaRow> {
    let lines = JAVA.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [client, name, kind, default, range] => JavaRow {
                client: Client::ALL.into_iter().find(|c| c.name() == client).unwrap(),
                name,
                kind,
                default,
                range,
            },
            _ => panic!("{line:?}"),
        })
        .collect()
}

fn row(client: Client, name: &str) -> Option<&'static Property> {
    find(name, client).filter(|row| row.clients.has(client) && row.name == name)
}

#[test]
fn every_name_of_java_is_known_and_no_other() {
    let mut ours: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for property in properties().filter(|p| !NOT_IN_JAVA.contains(&p.name)) {
        for client in Client::ALL.into_iter().filter(|c| property.clients.has(*c)) {
            let added = ours.entry(client.name()).or_default().insert(property.name);
            assert!(added, "{} has two rows for one client", property.name);
        }
    }
    let mut theirs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in java() {
        theirs.entry(row.client.name()).or_default().insert(row.name);
    }
    assert_eq!(ours, theirs);
}

#[test]
fn types_and_defaults_are_javas() {
    for theirs in java() {
        let ours = row(theirs.client, theirs.name).unwrap();
        let kind = match ours.kind {
            Type::Bool => "BOOLEAN".to_owned(),
            Type::Enum => "STRING".to_owned(),
            other => other.name().to_uppercase(),
        };
        assert_eq!(kind, theirs.kind, "{}", theirs.name);
        let default = match theirs.name {
            "bootstrap.servers" => "",
            "client.rack" => "",
            "partition.assignment.strategy" => "range,cooperative-sticky",
            "key.serializer" | "value.serializer" => {
                "org.apache.kafka.common.serialization.ByteArraySerializer"
            }
            "key.deserializer" | "value.deserializer" => {
                "org.apache.kafka.common.serialization.ByteArrayDeserializer"
            }
            "share.acquire.mode" => "batch_optimized",
            _ => theirs.default,
        };
        assert_eq!(ours.default.unwrap_or("\\N"), default, "{} of {:?}", theirs.name, theirs.client);
    }
}

#[test]
fn ranges_are_javas() {
    for theirs in java().into_iter().filter(|row| row.range.contains('[')) {
        let ours = row(theirs.client, theirs.name).unwrap();
        let inside = theirs.range.split_once('[').unwrap().1.split_once(']').unwrap().0;
        match ours.range {
            Range::Whole(min, max) => {
                let bounds: Vec<&str> = inside.split(",...").collect();
                let java_max = bounds[1].trim_start_matches(',').parse().unwrap_or(match ours.kind {
                    Type::Long => i64::MAX,
                    _ => i64::from(i32::MAX),
                });
                assert_eq!((min, max), (bounds[0].parse().unwrap(), java_max), "{}", theirs.name);
            }
            Range::Real(min, max) => {
                let bounds: Vec<f64> = inside.split(",...,").map(|b| b.parse().unwrap()).collect();
                assert_eq!(vec![min, max], bounds, "{}", theirs.name);
            }
            Range::Words(words) => {
                let set =
                    |words: Vec<&str>| words.into_iter().map(str::to_lowercase).collect::<BTreeSet<_>>();
                assert_eq!(set(words.to_vec()), set(inside.split(", ").collect()), "{}", theirs.name);
            }
            Range::Text(_) => assert!(["compression.gzip.level", "auto.offset.reset"].contains(&theirs.name)),
            Range::Any => panic!("{} has a range: {}", theirs.name, theirs.range),
        }
    }
}

#[test]
fn each_name_means_one_thing() {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for property in properties() {
        for name in property.aliases.iter().chain([&property.name]) {
            let other = seen.insert(name, property.name);
            assert!(
                other.is_none_or(|other| other == property.name),
                "{name} is {other:?} and {}",
                property.name
            );
            assert!(find_foreign(name).is_none(), "{name} is a property and refused");
        }
    }
    let mut foreign: Vec<&str> = FOREIGN.iter().map(|f| f.name).collect();
    let count = foreign.len();
    foreign.sort_unstable();
    foreign.dedup();
    assert_eq!(foreign.len(), count);
}

#[test]
fn every_row_has_a_text() {
    for property in properties() {
        assert!(property.doc.ends_with(['.', ')']), "{}: {:?}", property.name, property.doc);
        assert!(!property.doc.contains("  ") && !property.doc.contains('|'), "{}", property.name);
        if let Status::NotYet(text) | Status::NoEffect(text) = property.status {
            assert!(!text.is_empty() && !text.ends_with('.'), "{}", property.name);
        }
    }
    for foreign in FOREIGN {
        assert!(!foreign.instead.is_empty() && !foreign.instead.contains("  "), "{}", foreign.name);
    }
}

#[test]
fn passwords_and_unknown_names_are_not_shown() {
    for name in ["ssl.key.password", "ssl.key.pem", "sasl.jaas.config", "sasl.password", "sasl.pasword", ""] {
        assert!(!may_be_shown(name), "{name}");
    }
    assert!(may_be_shown("acks") && may_be_shown("sasl.username") && may_be_shown("metadata.broker.list"));
}
