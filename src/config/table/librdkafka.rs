//! Names of librdkafka, and of Java's clients before 4.0, that have no equal here: each with what to do
//! instead.

use super::{Clients, CONSUMER, EVERY, PRODUCER};

/// A name that is known and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    pub name: &'static str,
    pub clients: Clients,
    /// Values that ask for what happens here anyway: with them it is accepted, with a warning.
    pub harmless: &'static [&'static str],
    /// What to do instead, or why there is nothing to do.
    pub instead: &'static str,
    /// It is planned: NOT_IMPLEMENTED instead of INVALID_CONFIGURATION.
    pub not_yet: bool,
    /// The value is shown nowhere.
    pub secret: bool,
}

impl Foreign {
    const fn new(name: &'static str, clients: Clients, instead: &'static str) -> Foreign {
        Foreign { name, clients, harmless: &[], instead, not_yet: false, secret: false }
    }
    const fn unless(mut self, harmless: &'static [&'static str]) -> Foreign {
        self.harmless = harmless;
        self
    }
    const fn secret(mut self) -> Foreign {
        self.secret = true;
        self
    }
}

const fn every(name: &'static str, instead: &'static str) -> Foreign {
    Foreign::new(name, EVERY, instead)
}
const fn producer(name: &'static str, instead: &'static str) -> Foreign {
    Foreign::new(name, PRODUCER, instead)
}
const fn consumer(name: &'static str, instead: &'static str) -> Foreign {
    Foreign::new(name, CONSUMER, instead)
}
const fn tls(name: &'static str) -> Foreign {
    let mut row = every(name, "TLS comes in a later version: use a PLAINTEXT listener and leave it out");
    row.not_yet = true;
    row
}
const fn sasl(name: &'static str) -> Foreign {
    let mut row = every(name, "SASL comes in a later version: use a PLAINTEXT listener and leave it out");
    row.not_yet = true;
    row
}

const CALLBACK: &str = "there are no callbacks: what happens comes out of the client's poll";
const SOCKETS: &str = "there are no callbacks: the library makes its own sockets";
const VERSIONS: &str = "leave it out: every broker from 1.1.0 on says itself which versions it speaks";
const BYTES_BOUND: &str =
    "leave it out: how much is fetched ahead is bounded by fetch.buffer.memory, which counts bytes";
const LEGACY: &str = "leave it out: offsets are kept by the brokers";
const POLL: &str = "leave it out: deliveries come from poll";
const ENCODING: &str = "leave it out: the library takes bytes, and strings as UTF-8";

/// All rows.
pub const FOREIGN: &[Foreign] = &[
    every("builtin.features", "leave it out: gzip, snappy, lz4 and zstd are always there"),
    every("message.copy.max.bytes", "leave it out: a record is copied once, into its batch"),
    every("topic.metadata.refresh.fast.interval.ms", "use retry.backoff.ms and retry.backoff.max.ms"),
    every("topic.metadata.refresh.fast.cnt", "leave it out: there is no such limit"),
    every("topic.metadata.refresh.sparse", "leave it out: only topics in use are asked about")
        .unless(&["true"]),
    every("topic.metadata.propagation.max.ms", "use max.block.ms (producer) or default.api.timeout.ms"),
    every("topic.blacklist", "subscribe to topics by name"),
    every("socket.blocking.max.ms", "leave it out: no socket ever blocks"),
    every("socket.keepalive.enable", "leave it out: connections.max.idle.ms closes idle connections")
        .unless(&["false"]),
    every("socket.nagle.disable", "leave it out: TCP_NODELAY is always set").unless(&["true"]),
    every("socket.max.fails", "leave it out: a request that times out closes its connection").unless(&["1"]),
    every("broker.address.ttl", "leave it out: a name is resolved again for each new round of connecting"),
    every("broker.address.family", "leave it out: all addresses of a name are tried").unless(&["any"]),
    every("reconnect.backoff.jitter.ms", "use reconnect.backoff.ms and reconnect.backoff.max.ms"),
    every("statistics.interval.ms", "leave it out: there are no statistics events in this version")
        .unless(&["0"]),
    every("enabled_events", CALLBACK),
    every("error_cb", CALLBACK),
    every("throttle_cb", CALLBACK),
    every("stats_cb", CALLBACK),
    every("log_cb", "set log.sink=poll: log lines then come out of the client's poll"),
    every("log.queue", "set log.sink=poll").unless(&["false"]),
    every("log.thread.name", "leave it out: there is one I/O thread for all").unless(&["true", "false"]),
    every("log.connection.close", "leave it out: a closed idle connection is logged at level debug only")
        .unless(&["false"]),
    every("enable.random.seed", "leave it out: every client is seeded by itself").unless(&["true"]),
    every("background_event_cb", CALLBACK),
    every("socket_cb", SOCKETS),
    every("connect_cb", SOCKETS),
    every("closesocket_cb", SOCKETS),
    every("open_cb", "leave it out: the library opens no files"),
    every("resolve_cb", SOCKETS),
    every("opaque", "leave it out: keep it beside the handle"),
    every("default_topic_conf", "set topic properties like the others: one configuration serves all topics"),
    every("internal.termination.signal", "leave it out: close and free wait for nothing").unless(&["0"]),
    every("api.version.request", VERSIONS).unless(&["true"]),
    every("api.version.request.timeout.ms", "use socket.connection.setup.timeout.ms"),
    every("api.version.fallback.ms", VERSIONS).unless(&["0"]),
    every("broker.version.fallback", VERSIONS),
    every("plugin.library.paths", "leave it out: there are no plugins"),
    every("interceptors", "intercept on the caller's side, before send and after poll"),
    every("zookeeper.connect", "use bootstrap.servers with the brokers' own addresses"),
    every("client.software.name", "leave it out: the library says its own name and version"),
    every("client.software.version", "leave it out: the library says its own name and version"),
    producer(
        "queue.buffering.max.messages",
        "use buffer.memory, which counts bytes; the number of records \
        has no limit",
    )
    .unless(&["0"]),
    producer("queue.buffering.max.kbytes", "use buffer.memory, in bytes"),
    producer(
        "queue.buffering.backpressure.threshold",
        "leave it out: \
        max.in.flight.requests.per.connection is the limit",
    ),
    producer("batch.num.messages", "use batch.size, in bytes; the number of records has no limit"),
    producer(
        "compression.level",
        "use compression.gzip.level, compression.lz4.level or \
        compression.zstd.level",
    )
    .unless(&["-1"]),
    producer(
        "sticky.partitioning.linger.ms",
        "leave it out: the partition changes after each batch.size \
        of records without a key",
    ),
    producer(
        "partitioner",
        "leave it out: the default is murmur2_random, as in Java; for others choose \
        the partition in send",
    )
    .unless(&["murmur2_random"]),
    producer("partitioner_cb", "choose the partition of each record in send"),
    producer("msg_order_cmp", "leave it out: records of a partition go in the order of their sends"),
    producer("queuing.strategy", "leave it out: records of a partition go in the order of their sends")
        .unless(&["fifo"]),
    producer("enable.gapless.guarantee", "leave it out: enable.idempotence keeps the order")
        .unless(&["false"]),
    producer("delivery.report.only.error", "leave it out: each record is reported, many in one chunk")
        .unless(&["false"]),
    producer("produce.offset.report", "leave it out: every delivery has its offset").unless(&["true"]),
    producer("dr_cb", POLL),
    producer("dr_msg_cb", POLL),
    producer("timeout.ms", "use request.timeout.ms"),
    producer("metadata.fetch.timeout.ms", "use max.block.ms"),
    producer("block.on.buffer.full", "use max.block.ms; 0 never waits"),
    producer("key.serializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    producer("value.serializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    producer("serializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    consumer("key.deserializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    consumer("value.deserializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    consumer("deserializer.encoding", ENCODING).unless(&["UTF-8", "UTF8"]),
    consumer("group.protocol.type", "leave it out: it is always consumer").unless(&["consumer"]),
    consumer(
        "coordinator.query.interval.ms",
        "leave it out: the coordinator is looked for when it is \
        needed",
    ),
    consumer(
        "enable.auto.offset.store",
        "leave it out: only what an earlier poll handed out is committed; \
        commit offsets of your own with enable.auto.commit=false",
    )
    .unless(&["true"]),
    consumer("queued.min.messages", BYTES_BOUND),
    consumer("queued.max.messages.kbytes", "use fetch.buffer.memory, in bytes"),
    consumer("fetch.queue.backoff.ms", BYTES_BOUND),
    consumer("fetch.error.backoff.ms", "use retry.backoff.ms and retry.backoff.max.ms"),
    consumer("enable.partition.eof", "leave it out: compare the position with the end offset")
        .unless(&["false"]),
    consumer("consume.callback.max.messages", CALLBACK).unless(&["0"]),
    consumer("consume_cb", CALLBACK),
    consumer("rebalance_cb", "leave it out: poll gives events for assigned, revoked and lost partitions"),
    consumer("offset_commit_cb", CALLBACK),
    consumer("offset.store.method", LEGACY).unless(&["broker"]),
    consumer("offset.store.path", LEGACY),
    consumer("offset.store.sync.interval.ms", LEGACY),
    consumer("internal.leave.group.on.close", "leave it out: close leaves the group").unless(&["true"]),
    tls("ssl.curves.list"),
    tls("ssl.sigalgs.list"),
    tls("ssl.key.location"),
    tls("ssl_key").secret(),
    tls("ssl.certificate.location"),
    tls("ssl_certificate"),
    tls("ssl.ca.location"),
    tls("ssl.ca.pem"),
    tls("ssl_ca"),
    tls("ssl.ca.certificate.stores"),
    tls("https.ca.location"),
    tls("https.ca.pem"),
    tls("ssl.crl.location"),
    tls("ssl.providers"),
    tls("ssl.engine.location"),
    tls("ssl.engine.id"),
    tls("ssl_engine_callback_data"),
    tls("enable.ssl.certificate.verification").unless(&["true"]),
    tls("ssl.certificate.verify_cb"),
    sasl("sasl.username"),
    sasl("sasl.password").secret(),
    sasl("sasl.kerberos.principal"),
    sasl("sasl.kerberos.keytab"),
    sasl("sasl.oauthbearer.config").secret(),
    sasl("sasl.oauthbearer.method").unless(&["default"]),
    sasl("sasl.oauthbearer.extensions"),
    sasl("sasl.oauthbearer.grant.type"),
    sasl("sasl.oauthbearer.assertion.private.key.pem").secret(),
    sasl("sasl.oauthbearer.metadata.authentication.type").unless(&["none"]),
    sasl("enable.sasl.oauthbearer.unsecure.jwt").unless(&["false"]),
    sasl("oauthbearer_token_refresh_cb"),
];
