//! Properties of every client type, but for security: connections, requests, metadata, logging, metrics.

use super::*;

const JVM_METRICS: &str = "Java's metrics registry is not in this library";

pub(super) const ROWS: &[Property] = &[
    list("bootstrap.servers", EVERY, "")
        .high()
        .range(Range::Text("host:port, …; at least one"))
        .alias(&["metadata.broker.list"])
        .doc(
            "Brokers to ask first for the rest of the cluster. Two or three are enough. An IPv6 address \
            goes in brackets.",
        ),
    string("client.id", EVERY, Some("")).medium().doc(
        "Names this client in requests, broker logs and quotas, and in its log lines. Empty: \
            milena-producer, milena-consumer or milena-admin.",
    ),
    one_of(
        "client.dns.lookup",
        EVERY,
        "use_all_dns_ips",
        &["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"],
    )
    .medium()
    .not_yet("list the brokers' own names in bootstrap.servers")
    .doc(
        "What to do with a name that has several addresses: try them all in turn, or first find the \
            canonical name of each bootstrap server.",
    ),
    int("request.timeout.ms", EVERY, "30000", NATURAL_INT)
        .medium()
        .alias(&["socket.timeout.ms"])
        .doc("How long to wait for the response to one request before it is retried or fails."),
    int("default.api.timeout.ms", CONSUMER_ADMIN, "60000", NATURAL_INT)
        .medium()
        .doc("The limit of a call that is given no timeout of its own."),
    long("retry.backoff.ms", EVERY, "100", NATURAL_LONG).doc(
        "Wait before the first retry of a failed request; it doubles, with jitter, up to \
            retry.backoff.max.ms.",
    ),
    long("retry.backoff.max.ms", EVERY, "1000", NATURAL_LONG)
        .doc("The longest wait between retries of a request."),
    int("retries", PRODUCER_ADMIN, "2147483647", NATURAL_INT)
        .high()
        .alias(&["message.send.max.retries"])
        .doc(
            "How often a failed request is sent again. Better left alone: the producer's \
            delivery.timeout.ms and the timeouts of calls set the limit. 0 turns idempotence off.",
        ),
    long("reconnect.backoff.ms", EVERY, "50", NATURAL_LONG).doc(
        "Wait before connecting again to a broker that could not be reached; it doubles, with some \
            chance, up to reconnect.backoff.max.ms. Set alone, it is the longest wait as well.",
    ),
    long("reconnect.backoff.max.ms", EVERY, "1000", NATURAL_LONG)
        .doc("The longest wait between attempts to connect to one broker."),
    long("socket.connection.setup.timeout.ms", EVERY, "10000", NATURAL_LONG).medium().doc(
        "Limit for making a connection, its handshakes included; it doubles from failure to failure \
            up to its maximum.",
    ),
    long("socket.connection.setup.timeout.max.ms", EVERY, "30000", NATURAL_LONG)
        .medium()
        .doc("The largest limit for making a connection."),
    long("connections.max.idle.ms", PRODUCER_CONSUMER, "540000", Range::Whole(-1, i64::MAX))
        .medium()
        .doc(IDLE),
    long("connections.max.idle.ms", ADMIN, "300000", Range::Whole(-1, i64::MAX)).medium().doc(IDLE),
    int("send.buffer.bytes", EVERY, "131072", Range::Whole(-1, INT_MAX))
        .medium()
        .alias(&["socket.send.buffer.bytes"])
        .doc("The socket's send buffer. -1 or 0: what the operating system chooses."),
    int("receive.buffer.bytes", PRODUCER, "32768", Range::Whole(-1, INT_MAX))
        .medium()
        .alias(&["socket.receive.buffer.bytes"])
        .doc(RECEIVE),
    int("receive.buffer.bytes", CONSUMER_ADMIN, "65536", Range::Whole(-1, INT_MAX))
        .medium()
        .alias(&["socket.receive.buffer.bytes"])
        .doc(RECEIVE),
    int("receive.message.max.bytes", EVERY, "100000000", Range::Whole(1000, INT_MAX)).medium().doc(
        "The longest response that is read; a longer one is taken for garbage and ends the \
            connection. At least fetch.max.bytes + 512 for a consumer, and raised to that when not set. \
            (librdkafka's; Java has no such limit.)",
    ),
    long("metadata.max.age.ms", EVERY, "300000", NATURAL_LONG)
        .alias(&["topic.metadata.refresh.interval.ms"])
        .doc(
            "How old the knowledge of brokers, partitions and leaders may get before it is asked for \
            again without need.",
        ),
    one_of("metadata.recovery.strategy", EVERY, "rebootstrap", &["rebootstrap", "none"])
        .not_yet("leave it out")
        .doc("Whether to begin again at bootstrap.servers when no known broker can be reached."),
    long("metadata.recovery.rebootstrap.trigger.ms", EVERY, "300000", NATURAL_LONG)
        .not_yet("leave it out")
        .doc("How long metadata may be unavailable before the client begins again at bootstrap.servers."),
    long("bootstrap.resolve.timeout.ms", EVERY, "0", NATURAL_LONG)
        .high()
        .not_yet("a name that can't be resolved is tried again, and reported, as long as the client lives")
        .doc("How long to go on trying to resolve the bootstrap servers' names."),
    list("bootstrap.controllers", ADMIN, "")
        .high()
        .not_yet("use bootstrap.servers: brokers pass requests on to the controller")
        .doc("Controllers to talk to directly, instead of brokers."),
    string("client.rack", PRODUCER_CONSUMER, Some(""))
        .not_yet("leave it out: records are read from leaders")
        .doc("Where this client is, as in the brokers' broker.rack, to read from near replicas."),
    one_of("log.level", EVERY, "warning", &["off", "error", "warning", "info", "debug"])
        .alias(&["log_level"])
        .doc(
            "The least important lines to log. librdkafka's numbers 0 to 7 are taken too. debug logs a \
            line for each request, among others. (Our own.)",
        ),
    list("debug", EVERY, "")
        .medium()
        .range(Range::Text(
            "generic, broker, topic, metadata, protocol (or request), msg, producer (msg \
            and topic), consumer, cgrp, fetch, admin, security, eos, assignor, conf, mock, all",
        ))
        .doc(
            "What to log at level debug, which it switches on unless log.level is set. Empty: all, at \
            log.level=debug. (librdkafka's.)",
        ),
    one_of("log.sink", EVERY, "stderr", &["stderr", "poll"])
        .doc("Where log lines go: to stderr, or into the client's poll, as events. (Our own.)"),
    list("interceptor.classes", PRODUCER_CONSUMER, "")
        .not_yet("Java classes can't be loaded: intercept on the caller's side, before send and after poll")
        .doc("Java classes that see each record."),
    list("config.providers", EVERY, "")
        .not_yet("put the values themselves into the configuration")
        .doc("Java classes that fetch values from elsewhere."),
    flag("enable.metrics.push", PRODUCER_CONSUMER, "true").no_effect(NO_PUSH).doc(PUSH),
    flag("enable.metrics.push", ADMIN, "false").no_effect(NO_PUSH).doc(PUSH),
    flag("metadata.cluster.check.enable", EVERY, "true")
        .no_effect("this version does not check it")
        .doc("Whether to check that a broker answers for the cluster and as the node that was meant."),
    list("metric.reporters", EVERY, "org.apache.kafka.common.metrics.JmxReporter")
        .no_effect(JVM_METRICS)
        .doc("Java classes that report metrics."),
    flag("auto.include.jmx.reporter", EVERY, "true")
        .no_effect(JVM_METRICS)
        .doc("Whether to report metrics by JMX. (Java before 4.0.)"),
    int("metrics.num.samples", EVERY, "2", POSITIVE_INT)
        .no_effect(JVM_METRICS)
        .doc("Samples kept for each metric."),
    one_of("metrics.recording.level", EVERY, "INFO", &["INFO", "DEBUG", "TRACE"])
        .no_effect(JVM_METRICS)
        .doc("How detailed metrics are."),
    long("metrics.sample.window.ms", EVERY, "30000", NATURAL_LONG)
        .no_effect(JVM_METRICS)
        .doc("How long a sample of a metric lasts."),
];

const IDLE: &str = "Close a connection that nothing was sent or received on for so long. -1 or 0: never.";
const RECEIVE: &str = "The socket's receive buffer. -1 or 0: what the operating system chooses.";
const PUSH: &str = "Whether to send metrics of this client to brokers that ask for them.";
const NO_PUSH: &str = "no metrics are pushed in this version";
