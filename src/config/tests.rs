//! What configurations are taken, what they become, and how the others are refused.

use super::table::Client;
use super::*;
use crate::error::Code;
use crate::log::{Context, Contexts, Level, Sink};

const SAMPLE: &str = include_str!("../../tests/fixtures/client.properties");

fn config(properties: &[(&str, &str)]) -> Config {
    let mut config = Config::new();
    config.set("bootstrap.servers", "localhost:9092");
    for (name, value) in properties {
        config.set(name, *value);
    }
    config
}

fn producer(properties: &[(&str, &str)]) -> Result<Parsed<ProducerConfig>, Error> {
    parse::producer(&config(properties))
}

fn consumer(properties: &[(&str, &str)]) -> Result<Parsed<ConsumerConfig>, Error> {
    parse::consumer(&config(properties))
}

fn refused(properties: &[(&str, &str)]) -> Error {
    producer(properties).unwrap_err()
}

fn server(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

#[test]
fn defaults_are_javas() {
    let p = ProducerConfig::default_for("localhost:9092").unwrap();
    let c = &p.client;
    assert_eq!(c.bootstrap, [server("localhost", 9092)]);
    assert_eq!(c.client_id, "milena-producer");
    assert_eq!((c.request_timeout_ms, c.default_api_timeout_ms), (30_000, 60_000));
    assert_eq!((c.retry_backoff_ms, c.retry_backoff_max_ms), (100, 1000));
    assert_eq!((c.reconnect_backoff_ms, c.reconnect_backoff_max_ms), (50, 1000));
    assert_eq!((c.connection_setup_timeout_ms, c.connection_setup_timeout_max_ms), (10_000, 30_000));
    assert_eq!((c.connections_max_idle_ms, c.metadata_max_age_ms), (Some(540_000), 300_000));
    assert_eq!((c.send_buffer_bytes, c.receive_buffer_bytes), (Some(131_072), Some(32_768)));
    assert_eq!(c.receive_message_max_bytes, 100_000_000);
    assert_eq!(c.log, crate::log::LogConfig::default());
    assert_eq!((p.acks, p.idempotence, p.retries, p.max_in_flight), (Acks::All, true, 2_147_483_647, 5));
    assert_eq!((p.linger_ms, p.batch_size, p.buffer_memory), (5, 16_384, 33_554_432));
    assert_eq!((p.max_block_ms, p.delivery_timeout_ms, p.max_request_size), (60_000, 120_000, 1_048_576));
    assert_eq!(p.compression, Compression { kind: CompressionType::None, level: -1 });
    assert!(!p.partitioner_ignore_keys);
    assert_eq!(p.metadata_max_idle_ms, 300_000);
    assert_eq!((p.partitioner_adaptive, p.partitioner_availability_timeout_ms), (true, 0));
    assert_eq!((p.key_serializer, p.value_serializer), (Serde::Bytes, Serde::Bytes));

    let c = ConsumerConfig::default_for("localhost:9092").unwrap();
    assert_eq!(
        (c.client.receive_buffer_bytes, c.client.client_id.as_str()),
        (Some(65_536), "milena-consumer")
    );
    assert_eq!((c.group_id, c.auto_commit, c.auto_commit_interval_ms), (None, false, 5000));
    assert_eq!((c.session_timeout_ms, c.heartbeat_interval_ms), (45_000, 3000));
    assert_eq!((c.max_poll_interval_ms, c.max_poll_records), (300_000, 500));
    assert_eq!(c.assignors, [Assignor::Range, Assignor::CooperativeSticky]);
    assert_eq!(c.offset_reset, OffsetReset::Latest);
    assert_eq!((c.fetch_min_bytes, c.fetch_max_bytes, c.fetch_max_wait_ms), (1, 52_428_800, 500));
    assert_eq!((c.max_partition_fetch_bytes, c.fetch_buffer_memory), (1_048_576, 64 << 20));
    assert!(c.check_crcs && c.allow_auto_create_topics);

    let a = AdminConfig::default_for("localhost:9092").unwrap();
    assert_eq!((a.client.connections_max_idle_ms, a.retries), (Some(300_000), 2_147_483_647));
    assert_eq!((a.client.client_id.as_str(), a.client.default_api_timeout_ms), ("milena-admin", 60_000));
}

/// Every row can be set to its own default, for every client, and that is the same as leaving it out.
#[test]
fn defaults_may_be_spelled_out() {
    for client in Client::ALL {
        let mut spelled = config(&[("group.id", "g")]);
        for row in
            table::properties().filter(|row| row.clients.has(client) && row.name != "bootstrap.servers")
        {
            if let Some(default) = row.default.filter(|_| row.name != "debug") {
                spelled.set(row.name, default);
            }
        }
        let short = config(&[("group.id", "g")]);
        match client {
            Client::Producer => {
                assert_eq!(parse::producer(&spelled).unwrap().value, parse::producer(&short).unwrap().value)
            }
            Client::Consumer => {
                assert_eq!(parse::consumer(&spelled).unwrap().value, parse::consumer(&short).unwrap().value)
            }
            Client::Admin => {
                assert_eq!(parse::admin(&spelled).unwrap().value, parse::admin(&short).unwrap().value)
            }
        }
    }
}

#[test]
fn a_java_file_is_taken_as_it_is() {
    let config = Config::from_properties_text(SAMPLE).unwrap();
    let p = parse::producer(&config).unwrap();
    let servers = [
        server("kafka-1.example.com", 9092),
        server("kafka-2.example.com", 9092),
        server("2001:db8::3", 9093),
    ];
    assert_eq!(p.value.client.bootstrap, servers);
    assert_eq!(
        (p.value.client.client_id.as_str(), p.value.client.request_timeout_ms),
        ("café-orders", 20_000)
    );
    assert_eq!(p.value.compression, Compression { kind: CompressionType::Zstd, level: 6 });
    assert_eq!((p.value.key_serializer, p.value.value_serializer), (Serde::Utf8, Serde::Bytes));
    assert!(p.value.idempotence && p.value.batch_size == 65_536 && p.value.linger_ms == 20);
    assert!(p.warnings.iter().any(|w| w.starts_with("metric.reporters has no effect")), "{:?}", p.warnings);
    assert!(p.warnings.iter().any(|w| w == "group.id has no effect on producer: it is for consumer"));

    let c = parse::consumer(&config).unwrap();
    assert_eq!(c.value.group_id.as_deref(), Some("orders"));
    assert_eq!(c.value.assignors, [Assignor::CooperativeSticky, Assignor::Range]);
    assert_eq!((c.value.offset_reset, c.value.auto_commit), (OffsetReset::Earliest, false));
    assert_eq!((c.value.key_deserializer, c.value.session_timeout_ms), (Serde::Utf8, 30_000));
    assert!(c.warnings.iter().any(|w| w == "acks has no effect on consumer: it is for producer"));

    assert_eq!(parse::admin(&config).unwrap().value.client.metadata_max_age_ms, 120_000);
}

#[test]
fn all_errors_come_at_once() {
    let e = refused(&[
        ("bootstrap.servers", "one,two:x"),
        ("linger.ms", "5s"),
        ("acks", "2"),
        ("bach.size", "1"),
        ("batch.size", "-1"),
        ("enable.idempotence", "yes"),
        ("transactional.id", "t"),
        ("key.serializer", "com.example.JsonSerializer"),
        ("queue.buffering.max.messages", "100000"),
    ]);
    assert_eq!(e.code(), Code::INVALID_CONFIGURATION);
    for part in [
        "producer configuration has 10 errors",
        "bootstrap.servers=one,two:x: \"one\" has no port",
        "\"two:x\" has no port from 1 to 65535",
        "linger.ms=5s: not a whole number",
        "acks=2: not one of all, -1, 1, 0",
        "bach.size: no such property (did you mean batch.size?)",
        "batch.size=-1: out of range (0 to 2147483647)",
        "enable.idempotence=yes: neither true nor false",
        "transactional.id=t: not implemented in this version",
        "key.serializer=com.example.JsonSerializer: structured formats are not converted here (encode",
        "queue.buffering.max.messages=100000: not a property of this library (use buffer.memory",
    ] {
        assert!(e.message().contains(part), "{part}\n{e}");
    }
}

#[test]
fn one_error_has_its_own_hint() {
    let e = refused(&[("akcs", "all")]);
    assert_eq!(e.message(), "producer configuration: akcs: no such property");
    assert_eq!(e.hint_text(), Some("did you mean acks?"));
    let e = refused(&[("bootstrap.servers", " , ")]);
    assert_eq!(e.message(), "producer configuration: bootstrap.servers=,: names no server");
    let e = parse::producer(&Config::new()).unwrap_err();
    assert_eq!(e.message(), "producer configuration: bootstrap.servers: names no server");
    assert!(refused(&[("zzz.zzz.zzz.zzz", "")]).hint_text().unwrap().contains("CONFIGURATION.md"));
    assert_eq!(
        refused(&[("", "x")]).message(),
        "producer configuration: a property without a name: no such property"
    );
}

#[test]
fn what_is_not_there_yet_is_refused_unless_it_is_the_default() {
    for (name, value) in [
        ("security.protocol", "SASL_SSL"),
        ("ssl.truststore.location", "/etc/trust.jks"),
        ("ssl.endpoint.identification.algorithm", ""),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "me"),
        ("ssl.ca.location", "/etc/ca.pem"),
        ("transactional.id", "t"),
        ("transaction.timeout.ms", "1000"),
        ("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner"),
        ("interceptor.classes", "com.example.I"),
        ("bootstrap.servers", "SSL://localhost:9093"),
        ("client.rack", "a"),
    ] {
        let e = refused(&[(name, value)]);
        assert_eq!(e.code(), Code::NOT_IMPLEMENTED, "{name}: {e}");
        assert!(e.hint_text().is_some_and(|hint| !hint.is_empty()), "{name}");
    }
    for (name, value) in [
        ("isolation.level", "read_committed"),
        ("group.protocol", "CONSUMER"),
        ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.StickyAssignor"),
        ("auto.offset.reset", "by_duration:PT1H"),
        ("share.acquire.mode", "record_limit"),
    ] {
        assert_eq!(consumer(&[(name, value)]).unwrap_err().code(), Code::NOT_IMPLEMENTED, "{name}");
    }
    producer(&[
        ("security.protocol", "plaintext"),
        ("ssl.protocol", "TLSv1.3"),
        ("ssl.enabled.protocols", "TLSv1.2, TLSv1.3"),
        ("ssl.truststore.location", ""),
        ("sasl.jaas.config", " "),
        ("transaction.timeout.ms", "060000"),
        ("enable.ssl.certificate.verification", "true"),
    ])
    .unwrap();
    consumer(&[("isolation.level", "Read_Uncommitted"), ("group.protocol", "CLASSIC")]).unwrap();
}

#[test]
fn other_clients_properties_and_java_only_ones_warn() {
    let p = producer(&[
        ("fetch.min.bytes", "not even a number"),
        ("rebalance_cb", "x"),
        ("metrics.num.samples", "x"),
    ])
    .unwrap();
    let warnings = p.warnings.join("\n");
    assert!(warnings.contains("fetch.min.bytes has no effect on producer: it is for consumer"), "{warnings}");
    assert!(warnings.contains("rebalance_cb has no effect on producer"), "{warnings}");
    assert!(warnings.contains("metrics.num.samples has no effect"), "{warnings}");
    assert_eq!(
        parse::admin(&config(&[("acks", "1")])).unwrap().warnings,
        ["acks has no effect on admin: it is for producer"]
    );
}

#[test]
fn librdkafkas_names_are_taken() {
    let p = parse::producer(
        Config::new()
            .set("metadata.broker.list", "h:1")
            .set("queue.buffering.max.ms", "7")
            .set("compression.codec", "LZ4")
            .set("message.max.bytes", "2000000")
            .set("request.required.acks", "-1")
            .set("message.timeout.ms", "90000")
            .set("message.send.max.retries", "4")
            .set("max.in.flight", "2")
            .set("socket.timeout.ms", "10000")
            .set("topic.metadata.refresh.interval.ms", "1000")
            .set("socket.send.buffer.bytes", "0")
            .set("log_level", "6")
            .set("api.version.request", "true")
            .set("broker.address.family", "any"),
    )
    .unwrap();
    let (v, c) = (&p.value, &p.value.client);
    assert_eq!((c.bootstrap.as_slice(), v.linger_ms), (&[server("h", 1)][..], 7));
    assert_eq!(v.compression, Compression { kind: CompressionType::Lz4, level: 9 });
    assert_eq!((v.max_request_size, v.acks, v.delivery_timeout_ms), (2_000_000, Acks::All, 90_000));
    assert_eq!((v.retries, v.max_in_flight, c.request_timeout_ms), (4, 2, 10_000));
    assert_eq!((c.metadata_max_age_ms, c.send_buffer_bytes, c.log.level), (1000, None, Level::Info));
    assert_eq!(p.warnings.len(), 2, "{:?}", p.warnings);
    let c = consumer(&[
        ("group.id", "g"),
        ("auto.commit.enable", "false"),
        ("auto.offset.reset", "smallest"),
        ("fetch.wait.max.ms", "9"),
        ("fetch.message.max.bytes", "10"),
        ("partition.assignment.strategy", "roundrobin,range"),
    ])
    .unwrap()
    .value;
    assert_eq!((c.auto_commit, c.offset_reset), (false, OffsetReset::Earliest));
    assert_eq!((c.fetch_max_wait_ms, c.max_partition_fetch_bytes), (9, 10));
    assert_eq!(c.assignors, [Assignor::RoundRobin, Assignor::Range]);

    let e = refused(&[("batch.num.messages", "10")]);
    assert_eq!(e.code(), Code::INVALID_CONFIGURATION);
    assert_eq!(e.message(), "producer configuration: batch.num.messages=10: not a property of this library");
    assert!(e.hint_text().unwrap().contains("batch.size"));
    let e = refused(&[("queue.buffering.max.ms", "x")]);
    assert!(e.message().contains("queue.buffering.max.ms (linger.ms)=x: not a whole number"), "{e}");
}

#[test]
fn the_later_of_two_names_counts() {
    let mut config = config(&[("linger.ms", "1"), ("queue.buffering.max.ms", "2")]);
    let p = parse::producer(&config).unwrap();
    assert_eq!(p.value.linger_ms, 2);
    assert_eq!(p.warnings.len(), 1);
    assert!(
        p.warnings[0].contains("linger.ms and queue.buffering.max.ms are one property"),
        "{:?}",
        p.warnings
    );
    config.set("linger.ms", "3");
    assert_eq!(parse::producer(&config).unwrap().value.linger_ms, 3);
    config.set("queue.buffering.max.ms", "3");
    assert!(parse::producer(&config).unwrap().warnings.is_empty(), "the same value twice is no conflict");
}

#[test]
fn idempotence_gives_way_unless_it_was_asked_for() {
    for (name, value) in [("acks", "1"), ("acks", "0"), ("retries", "0"), ("max.in.flight", "6")] {
        let p = producer(&[(name, value)]).unwrap();
        assert!(!p.value.idempotence, "{name}");
        assert!(p.warnings[0].contains("enable.idempotence is off because of"), "{:?}", p.warnings);
        let e = refused(&[("enable.idempotence", "true"), (name, value)]);
        assert!(e.message().contains("enable.idempotence=true: idempotence can't go with"), "{e}");
        assert!(producer(&[("enable.idempotence", "false"), (name, value)]).unwrap().warnings.is_empty());
    }
    let e = refused(&[("enable.idempotence", "true"), ("acks", "1"), ("retries", "0")]);
    assert!(e.message().contains("acks=1 (it needs all) and retries=0"), "{e}");
    assert!(producer(&[("acks", "-1"), ("max.in.flight", "5"), ("retries", "1")]).unwrap().value.idempotence);
}

#[test]
fn delivery_timeout_covers_linger_and_one_request() {
    let p = producer(&[("linger.ms", "100000")]).unwrap();
    assert_eq!(p.value.delivery_timeout_ms, 130_000);
    assert!(p.warnings[0].contains("raised to linger.ms + request.timeout.ms, 130000"), "{:?}", p.warnings);
    let e = refused(&[("linger.ms", "100"), ("request.timeout.ms", "1000"), ("message.timeout.ms", "1099")]);
    assert!(
        e.message().contains("message.timeout.ms (delivery.timeout.ms)=1099: less than linger.ms"),
        "{e}"
    );
    let just = [("linger.ms", "100"), ("request.timeout.ms", "1000"), ("delivery.timeout.ms", "1100")];
    assert_eq!(producer(&just).unwrap().value.delivery_timeout_ms, 1100);
    let never = producer(&[("linger.ms", "9223372036854775807")]).unwrap();
    assert_eq!(never.value.delivery_timeout_ms, 2_147_483_647);
}

#[test]
fn first_waits_stay_below_the_longest() {
    let c = producer(&[("reconnect.backoff.ms", "5000")]).unwrap().value.client;
    assert_eq!((c.reconnect_backoff_ms, c.reconnect_backoff_max_ms), (5000, 5000));
    let c = producer(&[("reconnect.backoff.ms", "10")]).unwrap().value.client;
    assert_eq!(
        (c.reconnect_backoff_ms, c.reconnect_backoff_max_ms),
        (10, 10),
        "as in Java: set alone, it is both"
    );
    let c =
        producer(&[("reconnect.backoff.ms", "10"), ("reconnect.backoff.max.ms", "20")]).unwrap().value.client;
    assert_eq!((c.reconnect_backoff_ms, c.reconnect_backoff_max_ms), (10, 20));
    let p = producer(&[("retry.backoff.ms", "5000")]).unwrap();
    assert_eq!((p.value.client.retry_backoff_ms, p.value.client.retry_backoff_max_ms), (1000, 1000));
    assert_eq!(
        p.warnings,
        ["retry.backoff.ms=5000 is more than retry.backoff.max.ms=1000, which is used for both"]
    );
    let c = producer(&[("connections.max.idle.ms", "-1")]).unwrap().value.client;
    assert_eq!(c.connections_max_idle_ms, None);
}

#[test]
fn consumer_values_fit_each_other() {
    let group = ("group.id", "g");
    let e = consumer(&[group, ("heartbeat.interval.ms", "45000")]).unwrap_err();
    assert!(e.message().contains("heartbeat.interval.ms=45000: not less than session.timeout.ms"), "{e}");
    let e = consumer(&[group, ("session.timeout.ms", "3000")]).unwrap_err();
    assert!(e.message().contains("session.timeout.ms=3000: not more than heartbeat.interval.ms"), "{e}");
    consumer(&[group, ("session.timeout.ms", "3001")]).unwrap();

    assert!(consumer(&[group]).unwrap().value.auto_commit);
    assert!(!consumer(&[]).unwrap().value.auto_commit);
    assert!(consumer(&[("enable.auto.commit", "true")])
        .unwrap_err()
        .message()
        .contains("without a group.id"));
    assert!(consumer(&[("group.id", "  ")]).unwrap_err().message().contains("group.id=: empty"));
    assert!(consumer(&[("fetch.max.wait.ms", "30000")]).unwrap().warnings[0]
        .contains("not less than request.timeout.ms"));

    let c = consumer(&[("fetch.buffer.memory", "1000000")]).unwrap();
    assert_eq!((c.value.fetch_max_bytes, c.warnings.len()), (1_000_000, 0));
    let c = consumer(&[("fetch.buffer.memory", "1000"), ("fetch.max.bytes", "2000")]).unwrap();
    assert_eq!((c.value.fetch_max_bytes, c.warnings.len()), (1000, 1));
    let c = consumer(&[("receive.message.max.bytes", "1000000")]).unwrap().value;
    assert_eq!((c.fetch_max_bytes, c.client.receive_message_max_bytes), (999_488, 1_000_000));
    let big = [("fetch.max.bytes", "2147483647"), ("fetch.buffer.memory", "9223372036854775807")];
    let c = consumer(&big).unwrap().value;
    assert_eq!((c.fetch_max_bytes, c.client.receive_message_max_bytes), (i32::MAX, i32::MAX as usize));
    let e =
        consumer(&[("receive.message.max.bytes", "1000000"), ("fetch.max.bytes", "1000000")]).unwrap_err();
    assert!(
        e.message().contains("receive.message.max.bytes=1000000: less than fetch.max.bytes + 512"),
        "{e}"
    );
}

#[test]
fn admin_timeouts_fit_each_other() {
    let a = parse::admin(&config(&[("request.timeout.ms", "90000")])).unwrap().value.client;
    assert_eq!(a.default_api_timeout_ms, 90_000);
    let e = parse::admin(&config(&[("default.api.timeout.ms", "1000")])).unwrap_err();
    assert!(e.message().contains("default.api.timeout.ms=1000: less than request.timeout.ms"), "{e}");
}

#[test]
fn bootstrap_servers() {
    let parsed = |text: &str| {
        values::host_ports(text).map_err(|all| all.into_iter().map(|r| r.why).collect::<Vec<_>>())
    };
    assert_eq!(
        parsed(" a:1 , PLAINTEXT://b_c.d-e:2,,a:1,[::1]:65535,[fe80::1%eth0]:9,10.0.0.1:1 ").unwrap(),
        [
            server("a", 1),
            server("b_c.d-e", 2),
            server("::1", 65_535),
            server("fe80::1%eth0", 9),
            server("10.0.0.1", 1)
        ]
    );
    for (text, why) in [
        ("host", "\"host\" has no port"),
        ("host:", "has no port from 1 to 65535"),
        ("host:0", "has no port from 1 to 65535"),
        ("host:65536", "has no port from 1 to 65535"),
        ("host:+1", "has no port from 1 to 65535"),
        (":9092", "has no host"),
        ("::1:9092", "has too many colons"),
        ("[::1]", "has no port"),
        ("[::1", "has a bracket that is not closed"),
        ("[host]:1", "has no IPv6 address in its brackets"),
        ("[]:1", "has no IPv6 address in its brackets"),
        ("http://host:1", "is no host:port"),
        ("a b:1", "has a character that no host name has"),
        ("hö:1", "has a character that no host name has"),
        ("", "names no server"),
    ] {
        let refusals = parsed(text).unwrap_err();
        assert!(refusals.len() == 1 && refusals[0].ends_with(why), "{text}: {refusals:?}");
    }
    assert_eq!(parsed("a,b:1,c").unwrap_err().len(), 2);
    assert_eq!(server("::1", 9092).to_string(), "[::1]:9092");
    assert_eq!(server("a", 9092).to_string(), "a:9092");
}

#[test]
fn serializer_classes() {
    for (class, serde) in [
        ("org.apache.kafka.common.serialization.ByteArraySerializer", Serde::Bytes),
        ("org.apache.kafka.common.serialization.BytesSerializer", Serde::Bytes),
        ("ByteBufferSerializer", Serde::Bytes),
        ("org.apache.kafka.common.serialization.StringSerializer", Serde::Utf8),
    ] {
        assert_eq!(producer(&[("value.serializer", class)]).unwrap().value.value_serializer, serde);
    }
    for (class, hint) in [
        ("org.apache.kafka.common.serialization.LongSerializer", "big-endian"),
        ("org.apache.kafka.common.serialization.UUIDSerializer", "encode on the caller's side"),
        ("org.springframework.kafka.support.serializer.JsonSerializer", "encode on the caller's side"),
        ("io.confluent.kafka.serializers.KafkaAvroSerializer", "encode on the caller's side"),
        ("com.example.OrderSerializer", "ByteArraySerializer"),
        ("org.apache.kafka.common.serialization.StringDeserializer", "ByteArraySerializer"),
        ("", "ByteArraySerializer"),
    ] {
        let e = refused(&[("key.serializer", class)]);
        assert_eq!(e.code(), Code::INVALID_CONFIGURATION);
        assert!(e.hint_text().unwrap().contains(hint), "{class}: {e}");
    }
    let e =
        consumer(&[("value.deserializer", "org.apache.kafka.connect.json.JsonDeserializer")]).unwrap_err();
    assert!(e.hint_text().unwrap().starts_with("decode on the caller's side, after poll"), "{e}");
}

#[test]
fn compression_levels() {
    let compression = |kind, name, level| producer(&[("compression.type", kind), (name, level)]);
    let gzip = "compression.gzip.level";
    assert_eq!(compression("gzip", gzip, "9").unwrap().value.compression.level, 9);
    assert_eq!(compression("gzip", gzip, "-1").unwrap().value.compression.level, -1);
    assert!(compression("gzip", gzip, "0").unwrap_err().message().contains("out of range (1 to 9, or -1)"));
    assert_eq!(
        compression("zstd", "compression.zstd.level", "-131072").unwrap().value.compression.level,
        -131_072
    );
    assert!(compression("zstd", "compression.zstd.level", "23").is_err());
    assert!(compression("snappy", "compression.lz4.level", "0").is_err(), "checked even when it is not used");
    let former = "org.apache.kafka.clients.producer.internals.DefaultPartitioner";
    assert_eq!(producer(&[("partitioner.class", former)]).unwrap().warnings.len(), 1);
}

#[test]
fn logging() {
    let log = |properties: &[(&str, &str)]| producer(properties).unwrap().value.client.log;
    let l = log(&[("debug", "broker, Fetch,telemetry")]);
    assert_eq!(l.level, Level::Debug);
    assert_eq!(l.debug, Contexts::NONE.with(Context::Broker).with(Context::Fetch));
    assert_eq!(log(&[("log.level", "debug")]).debug, Contexts::ALL);
    assert_eq!(log(&[("log.sink", "poll"), ("log.level", "OFF")]).sink, Sink::Poll);
    let p = producer(&[("debug", "all"), ("log.level", "info")]).unwrap();
    assert_eq!(p.value.client.log.level, Level::Info);
    assert_eq!(p.warnings, ["debug has no effect at log.level=info"]);
    let e = refused(&[("debug", "broker,brokr")]);
    assert!(
        e.message().contains("no context \"brokr\"") && e.hint_text() == Some("did you mean broker?"),
        "{e}"
    );
    assert!(refused(&[("log.level", "loud")]).message().contains("not one of off, error"));
}

#[test]
fn secrets_are_shown_nowhere() {
    let secret = "hunter2";
    let names = ["sasl.jaas.config", "ssl.key.password", "sasl.password", "sasl.pasword", "ssl.key.pem"];
    let mut all = config(&[]);
    for name in names {
        all.set(name, secret);
        let mut one = config(&[]);
        one.set(name, secret);
        let e = parse::producer(&one).unwrap_err();
        assert!(!format!("{e}{e:?}").contains(secret), "{e}");
    }
    let e = parse::consumer(&all).unwrap_err();
    assert!(!e.to_string().contains(secret) && e.message().contains("sasl.password=[hidden]"), "{e}");
    let shown = format!("{all:?}");
    assert!(!shown.contains(secret) && shown.contains("localhost:9092"), "{shown}");
    assert_eq!(all.get("sasl.password"), Some(secret));
}

#[test]
fn long_and_odd_values_stay_readable() {
    let long = "x".repeat(100_000);
    let e = refused(&[("client.id", &long)]);
    assert!(e.message().contains("100000 bytes are too long") && e.message().len() < 500, "{e}");
    let e = refused(&[("acks", "a\nb\u{1b}")]);
    assert!(e.message().contains("acks=a\\nb\\u{1b}: "), "{e}");
    assert!(refused(&[(&long, "")]).message().len() < 300);
}

proptest::proptest! {
    /// Whatever is set, it is an answer and no panic, and a value that is taken keeps the promises of the
    /// types.
    #[test]
    fn any_value_is_answered(which in 0usize..400, value in "-?[0-9]{0,20}|[a-z:,.\\[\\]/]{0,12}|\\PC{0,8}") {
        let rows: Vec<_> = table::properties().collect();
        let row = rows[which % rows.len()];
        let config = config(&[(row.name, &value)]);
        if let Ok(p) = parse::producer(&config) {
            let p = p.value;
            proptest::prop_assert!(!p.client.bootstrap.is_empty());
            proptest::prop_assert!(p.client.retry_backoff_ms <= p.client.retry_backoff_max_ms);
            proptest::prop_assert!(p.delivery_timeout_ms <= i32::MAX as u64);
            proptest::prop_assert!(!p.idempotence || (p.acks == Acks::All && p.max_in_flight <= 5 && p.retries > 0));
        }
        if let Ok(c) = parse::consumer(&config) {
            let c = c.value;
            proptest::prop_assert!(c.heartbeat_interval_ms < c.session_timeout_ms && !c.assignors.is_empty());
            proptest::prop_assert!(usize::try_from(c.fetch_max_bytes).unwrap() <= c.fetch_buffer_memory);
        }
        let _ = parse::admin(&config);
    }
}
