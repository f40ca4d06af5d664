//! From a [`Config`] to the typed configuration of one client: values, then what they mean for each other.

use crate::error::Error;
use crate::log::{Level, LogConfig, Sink};

use super::settings::Settings;
use super::table::Client;
use super::types::*;
use super::values::{self, Refusal};
use super::{Config, Parsed};

/// The configuration of a producer, or one error with all that is wrong.
pub fn producer(config: &Config) -> Result<Parsed<ProducerConfig>, Error> {
    let mut s = Settings::new(config, Client::Producer);
    let client = common(&mut s, Client::Producer);
    let linger_ms = s.natural("linger.ms");
    let acks = acks(&mut s);
    let value = ProducerConfig {
        acks,
        idempotence: idempotence(&mut s, acks),
        retries: retries(&mut s),
        max_in_flight: s.size("max.in.flight.requests.per.connection"),
        linger_ms,
        batch_size: s.size("batch.size"),
        buffer_memory: s.size("buffer.memory"),
        max_block_ms: s.natural("max.block.ms"),
        delivery_timeout_ms: delivery_timeout(&mut s, linger_ms, client.request_timeout_ms),
        max_request_size: s.size("max.request.size"),
        compression: compression(&mut s),
        partitioner_ignore_keys: s.flag("partitioner.ignore.keys"),
        partitioner_adaptive: s.flag("partitioner.adaptive.partitioning.enable"),
        metadata_max_idle_ms: s.natural("metadata.max.idle.ms"),
        partitioner_availability_timeout_ms: s.natural("partitioner.availability.timeout.ms"),
        key_serializer: s.custom("key.serializer", Serde::Bytes, |v| values::serde(v, "Serializer")),
        value_serializer: s.custom("value.serializer", Serde::Bytes, |v| values::serde(v, "Serializer")),
        client,
    };
    if s.explicit("partitioner.class") && !s.text("partitioner.class").is_empty() {
        s.warn("partitioner.class is not needed: the default partitioner is used".to_owned());
    }
    s.finish(value)
}

/// The configuration of a consumer, or one error with all that is wrong.
pub fn consumer(config: &Config) -> Result<Parsed<ConsumerConfig>, Error> {
    let mut s = Settings::new(config, Client::Consumer);
    let mut client = common(&mut s, Client::Consumer);
    let group_id = group_id(&mut s);
    let fetch_buffer_memory = s.size("fetch.buffer.memory");
    let (fetch_max_bytes, receive_max) = fetch_sizes(&mut s, fetch_buffer_memory);
    client.receive_message_max_bytes = receive_max;
    let (session_timeout_ms, heartbeat_interval_ms) = heartbeat(&mut s);
    let value = ConsumerConfig {
        auto_commit: auto_commit(&mut s, group_id.is_some()),
        group_instance_id: group_instance_id(&mut s, group_id.is_some()),
        group_id,
        session_timeout_ms,
        heartbeat_interval_ms,
        max_poll_interval_ms: s.natural("max.poll.interval.ms"),
        max_poll_records: s.size("max.poll.records"),
        assignors: s.custom("partition.assignment.strategy", Vec::new(), values::assignors),
        auto_commit_interval_ms: s.natural("auto.commit.interval.ms"),
        offset_reset: s.custom("auto.offset.reset", OffsetReset::Latest, values::offset_reset),
        fetch_min_bytes: s.int("fetch.min.bytes"),
        fetch_max_bytes,
        fetch_max_wait_ms: fetch_wait(&mut s, client.request_timeout_ms),
        max_partition_fetch_bytes: s.int("max.partition.fetch.bytes"),
        fetch_buffer_memory,
        check_crcs: s.flag("check.crcs"),
        allow_auto_create_topics: s.flag("allow.auto.create.topics"),
        key_deserializer: s.custom("key.deserializer", Serde::Bytes, |v| values::serde(v, "Deserializer")),
        value_deserializer: s
            .custom("value.deserializer", Serde::Bytes, |v| values::serde(v, "Deserializer")),
        client,
    };
    s.finish(value)
}

/// The configuration of an admin client, or one error with all that is wrong.
pub fn admin(config: &Config) -> Result<Parsed<AdminConfig>, Error> {
    let mut s = Settings::new(config, Client::Admin);
    let mut client = common(&mut s, Client::Admin);
    if client.default_api_timeout_ms < client.request_timeout_ms {
        if s.explicit("default.api.timeout.ms") {
            let why = format!("less than request.timeout.ms, which is {}", client.request_timeout_ms);
            s.problem("default.api.timeout.ms", Refusal::new(why));
        }
        client.default_api_timeout_ms = client.request_timeout_ms;
    }
    let value = AdminConfig { retries: retries(&mut s), client };
    s.finish(value)
}

/// What [`ClientConfig::default_api_timeout_ms`] is for a producer.
const PRODUCER_API_TIMEOUT_MS: u64 = 60_000;

fn common(s: &mut Settings<'_>, client: Client) -> ClientConfig {
    let (retry_backoff_ms, retry_backoff_max_ms) =
        first_and_max(s, "retry.backoff.ms", "retry.backoff.max.ms", false);
    let (reconnect_backoff_ms, reconnect_backoff_max_ms) =
        first_and_max(s, "reconnect.backoff.ms", "reconnect.backoff.max.ms", true);
    let (connection_setup_timeout_ms, connection_setup_timeout_max_ms) = first_and_max(
        s,
        "socket.connection.setup.timeout.ms",
        "socket.connection.setup.timeout.max.ms",
        false,
    );
    let default_api_timeout_ms = match client {
        Client::Producer => PRODUCER_API_TIMEOUT_MS,
        Client::Consumer | Client::Admin => s.natural("default.api.timeout.ms"),
    };
    ClientConfig {
        bootstrap: bootstrap(s),
        client_id: match s.text("client.id") {
            "" => format!("milena-{}", client.name()),
            id => id.to_owned(),
        },
        request_timeout_ms: s.natural("request.timeout.ms"),
        default_api_timeout_ms,
        retry_backoff_ms,
        retry_backoff_max_ms,
        reconnect_backoff_ms,
        reconnect_backoff_max_ms,
        connection_setup_timeout_ms,
        connection_setup_timeout_max_ms,
        connections_max_idle_ms: Some(s.natural("connections.max.idle.ms")).filter(|ms| *ms > 0),
        metadata_max_age_ms: s.natural("metadata.max.age.ms"),
        send_buffer_bytes: Some(s.size("send.buffer.bytes")).filter(|bytes| *bytes > 0),
        receive_buffer_bytes: Some(s.size("receive.buffer.bytes")).filter(|bytes| *bytes > 0),
        receive_message_max_bytes: s.size("receive.message.max.bytes"),
        log: log(s),
    }
}

fn bootstrap(s: &mut Settings<'_>) -> Vec<HostPort> {
    let value = s.text("bootstrap.servers");
    values::host_ports(value).unwrap_or_else(|refusals| {
        for refusal in refusals {
            s.problem("bootstrap.servers", refusal);
        }
        Vec::new()
    })
}

/// A first wait and the longest one. Java lets `reconnect.backoff.ms` set alone count for both (`alone`);
/// otherwise a first wait above the longest one is cut to it.
fn first_and_max(s: &mut Settings<'_>, first: &'static str, max: &'static str, alone: bool) -> (u64, u64) {
    let (wait, longest) = (s.natural(first), s.natural(max));
    if wait <= longest && !(alone && s.explicit(first) && !s.explicit(max)) {
        return (wait, longest);
    }
    if alone && !s.explicit(max) {
        return (wait, wait);
    }
    s.warn(format!("{first}={wait} is more than {max}={longest}, which is used for both"));
    (longest, longest)
}

fn log(s: &mut Settings<'_>) -> LogConfig {
    let debug = s.custom("debug", crate::log::Contexts::NONE, values::contexts);
    let chosen = !s.text("debug").is_empty();
    let level = values::level(s.text("log.level")).unwrap_or(Level::Warning);
    let level = match (chosen, s.explicit("log.level")) {
        (true, false) => Level::Debug,
        (true, true) if level < Level::Debug => {
            s.warn(format!("debug has no effect at log.level={}", level.name()));
            level
        }
        _ => level,
    };
    let sink = if s.word("log.sink") == "poll" { Sink::Poll } else { Sink::Stderr };
    LogConfig { level, debug: if chosen { debug } else { crate::log::Contexts::ALL }, sink }
}

fn acks(s: &mut Settings<'_>) -> Acks {
    match s.word("acks") {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    }
}

fn retries(s: &mut Settings<'_>) -> u32 {
    u32::try_from(s.natural("retries")).unwrap_or(u32::MAX)
}

/// Requests in flight up to which a broker keeps the sequences that idempotence needs.
const IDEMPOTENT_IN_FLIGHT: u64 = 5;

fn idempotence(s: &mut Settings<'_>, acks: Acks) -> bool {
    if !s.flag("enable.idempotence") {
        return false;
    }
    let in_flight = s.natural("max.in.flight.requests.per.connection");
    let mut against = Vec::new();
    if acks != Acks::All {
        against.push(format!("acks={} (it needs all)", acks.wire()));
    }
    if retries(s) == 0 {
        against.push("retries=0 (it needs more)".to_owned());
    }
    if in_flight > IDEMPOTENT_IN_FLIGHT {
        against.push(format!("max.in.flight.requests.per.connection={in_flight} (it needs 5 or less)"));
    }
    if against.is_empty() {
        return true;
    }
    let against = against.join(" and ");
    if s.explicit("enable.idempotence") {
        let refusal = Refusal::new(format!("idempotence can't go with {against}"));
        s.problem("enable.idempotence", refusal.hint("leave these out, or set enable.idempotence=false"));
    } else {
        s.warn(format!(
            "enable.idempotence is off because of {against}: retries may double or reorder records"
        ));
    }
    false
}

fn delivery_timeout(s: &mut Settings<'_>, linger_ms: u64, request_timeout_ms: u64) -> u64 {
    const INT_MAX: u64 = i32::MAX as u64;
    let delivery = s.natural("delivery.timeout.ms");
    let least = linger_ms.saturating_add(request_timeout_ms).min(INT_MAX);
    if delivery >= least {
        return delivery;
    }
    if s.explicit("delivery.timeout.ms") {
        let why =
            format!("less than linger.ms + request.timeout.ms, which is {linger_ms} + {request_timeout_ms}");
        s.problem(
            "delivery.timeout.ms",
            Refusal::new(why).hint(format!("set at least {least}, or lower these")),
        );
    } else {
        s.warn(format!("delivery.timeout.ms is raised to linger.ms + request.timeout.ms, {least}"));
    }
    least
}

fn compression(s: &mut Settings<'_>) -> Compression {
    let gzip = s.whole("compression.gzip.level");
    if let Err(refusal) = values::gzip_level(gzip) {
        s.problem("compression.gzip.level", refusal);
    }
    match s.word("compression.type") {
        "gzip" => Compression { kind: CompressionType::Gzip, level: s.int("compression.gzip.level") },
        "snappy" => Compression { kind: CompressionType::Snappy, level: -1 },
        "lz4" => Compression { kind: CompressionType::Lz4, level: s.int("compression.lz4.level") },
        "zstd" => Compression { kind: CompressionType::Zstd, level: s.int("compression.zstd.level") },
        _ => Compression { kind: CompressionType::None, level: -1 },
    }
}

fn group_id(s: &mut Settings<'_>) -> Option<String> {
    let id = s.raw("group.id")?;
    if id.is_empty() {
        s.problem(
            "group.id",
            Refusal::new("empty").hint("leave it out to assign partitions without a group"),
        );
    }
    Some(id.to_owned())
}

fn group_instance_id(s: &mut Settings<'_>, in_group: bool) -> Option<String> {
    const NAME: &str = "group.instance.id";
    let id = s.raw(NAME)?.to_owned();
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if id.is_empty() || id.len() > 249 || id == "." || id == ".." || !id.bytes().all(legal) {
        let hint = "up to 249 letters, digits, '.', '_' and '-', as in a topic's name";
        s.problem(NAME, Refusal::new("not a name that brokers take").hint(hint));
    } else if !in_group {
        s.problem(NAME, Refusal::new("there is no group to be a member of without a group.id"));
    }
    Some(id)
}

fn auto_commit(s: &mut Settings<'_>, in_group: bool) -> bool {
    let on = s.flag("enable.auto.commit");
    if on && !in_group && s.explicit("enable.auto.commit") {
        s.problem("enable.auto.commit", Refusal::new("there is nothing to commit to without a group.id"));
    }
    on && in_group
}

fn heartbeat(s: &mut Settings<'_>) -> (u64, u64) {
    let (session, heartbeat) = (s.natural("session.timeout.ms"), s.natural("heartbeat.interval.ms"));
    if heartbeat >= session {
        let (row, why) = match s.explicit("heartbeat.interval.ms") {
            true => {
                ("heartbeat.interval.ms", format!("not less than session.timeout.ms, which is {session}"))
            }
            false => {
                ("session.timeout.ms", format!("not more than heartbeat.interval.ms, which is {heartbeat}"))
            }
        };
        s.problem(row, Refusal::new(why).hint("make the heartbeat a third of the session timeout"));
    }
    (session, heartbeat)
}

fn fetch_wait(s: &mut Settings<'_>, request_timeout_ms: u64) -> u64 {
    let wait = s.natural("fetch.max.wait.ms");
    if wait >= request_timeout_ms {
        s.warn(format!(
            "fetch.max.wait.ms={wait} is not less than request.timeout.ms={request_timeout_ms}: \
            fetches without data will time out"
        ));
    }
    wait
}

/// Bytes of a fetch response beside its records.
const FETCH_OVERHEAD: u64 = 512;

/// `fetch.max.bytes` and `receive.message.max.bytes`, made to fit each other and the budget: what is not set
/// gives way.
fn fetch_sizes(s: &mut Settings<'_>, budget: usize) -> (i32, usize) {
    let budget = u64::try_from(budget).unwrap_or(u64::MAX);
    let mut fetch = s.natural("fetch.max.bytes");
    let mut receive = s.natural("receive.message.max.bytes");
    if fetch > budget {
        if s.explicit("fetch.max.bytes") {
            s.warn(format!("fetch.max.bytes={fetch} is lowered to fetch.buffer.memory={budget}"));
        }
        fetch = budget;
    }
    if receive < fetch.saturating_add(FETCH_OVERHEAD) {
        match (s.explicit("receive.message.max.bytes"), s.explicit("fetch.max.bytes")) {
            (true, true) => {
                let why = format!(
                    "less than fetch.max.bytes + {FETCH_OVERHEAD}, which is {fetch} + {FETCH_OVERHEAD}"
                );
                s.problem(
                    "receive.message.max.bytes",
                    Refusal::new(why).hint("raise it, or lower fetch.max.bytes"),
                );
            }
            (true, false) => fetch = receive.saturating_sub(FETCH_OVERHEAD),
            _ => receive = fetch.saturating_add(FETCH_OVERHEAD),
        }
    }
    let receive = usize::try_from(receive.min(i32::MAX as u64)).unwrap_or(usize::MAX);
    (i32::try_from(fetch).unwrap_or(i32::MAX), receive)
}
