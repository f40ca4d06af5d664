//! Properties of the consumer alone.

use super::*;

const DESERIALIZER: Range =
    Range::Text("ByteArrayDeserializer, StringDeserializer, BytesDeserializer, ByteBufferDeserializer");
const BYTE_ARRAY: Option<&str> = Some("org.apache.kafka.common.serialization.ByteArrayDeserializer");
const SHARE: &str = "share groups come in a later version";

pub(super) const ROWS: &[Property] = &[
    string("group.id", CONSUMER, None)
        .high()
        .range(Range::Text("not empty"))
        .doc("The consumer group. Needed to subscribe and to commit."),
    string("group.instance.id", CONSUMER, None)
        .medium()
        .range(Range::Text("not empty"))
        .doc(
            "Names a member of the group across restarts (KIP-345): within session.timeout.ms it comes back without \
            a rebalance, and closing it does not leave the group. Brokers from 2.3 on.",
        ),
    one_of("group.protocol", CONSUMER, "classic", &["classic", "consumer"])
        .high()
        .not_yet("use classic, which every broker has")
        .doc("Who assigns partitions: a member of the group (classic) or the broker (consumer, KIP-848)."),
    string("group.remote.assignor", CONSUMER, None)
        .medium()
        .not_yet("it needs group.protocol=consumer, which comes in a later version")
        .doc("The broker's assignor to use with group.protocol=consumer."),
    list("partition.assignment.strategy", CONSUMER, "range,cooperative-sticky")
        .medium()
        .range(Range::Text("range, roundrobin, cooperative-sticky, or Java's class names"))
        .doc(
            "How the group's leader shares partitions out, most wanted first; all members must have one \
            in common. If cooperative-sticky is the only one, a rebalance stops only partitions that \
            move; with others beside it, every rebalance stops all. To change a running group, first add \
            cooperative-sticky to all members, then take the others out.",
        ),
    int("session.timeout.ms", CONSUMER, "45000", NATURAL_INT)
        .high()
        .doc("After so long without a heartbeat the group takes the member for dead."),
    int("heartbeat.interval.ms", CONSUMER, "3000", NATURAL_INT)
        .high()
        .doc("Time between heartbeats. Less than session.timeout.ms; a third of it at most is wise."),
    int("max.poll.interval.ms", CONSUMER, "300000", POSITIVE_INT)
        .medium()
        .doc("After so long without a poll the member leaves the group, so that others get its partitions."),
    int("max.poll.records", CONSUMER, "500", POSITIVE_INT)
        .medium()
        .doc("Records of one poll that names no number itself."),
    flag("enable.auto.commit", CONSUMER, "true")
        .medium()
        .alias(&["auto.commit.enable"])
        .doc("Commit now and then what former polls handed out. Without a group.id it is off."),
    int("auto.commit.interval.ms", CONSUMER, "5000", NATURAL_INT).doc("Time between automatic commits."),
    string("auto.offset.reset", CONSUMER, Some("latest"))
        .medium()
        .range(Range::Text("earliest (smallest, beginning), latest (largest, end), none (error)"))
        .doc(
            "Where to start when the group has no offset for a partition, or its offset is gone. \
            by_duration:… is not there yet.",
        ),
    one_of("isolation.level", CONSUMER, "read_uncommitted", &["read_uncommitted", "read_committed"])
        .medium()
        .not_yet("use read_uncommitted, or wait for transactions in a later version")
        .doc("Whether records of transactions that are open or were aborted are left out."),
    int("fetch.min.bytes", CONSUMER, "1", NATURAL_INT)
        .high()
        .doc("A broker waits for so many bytes, at most fetch.max.wait.ms. More is cheaper, and later."),
    int("fetch.max.bytes", CONSUMER, "52428800", NATURAL_INT).medium().doc(
        "Bytes of one fetch response. The first batch comes whole even if it is larger. Lowered to \
            fetch.buffer.memory when not set.",
    ),
    int("fetch.max.wait.ms", CONSUMER, "500", NATURAL_INT)
        .alias(&["fetch.wait.max.ms"])
        .doc("How long a broker waits for fetch.min.bytes. Less than request.timeout.ms."),
    int("max.partition.fetch.bytes", CONSUMER, "1048576", NATURAL_INT)
        .high()
        .alias(&["fetch.message.max.bytes"])
        .doc("Bytes of one partition in a fetch response. The first batch comes whole even if it is larger."),
    long("fetch.buffer.memory", CONSUMER, "67108864", Range::Whole(1, i64::MAX))
        .medium()
        .doc("Bytes of records that are fetched, decompressed or handed out and not yet freed. (Our own.)"),
    flag("check.crcs", CONSUMER, "true").doc("Check each batch's checksum."),
    flag("allow.auto.create.topics", CONSUMER, "true")
        .medium()
        .doc("Let brokers create a missing topic that is subscribed to, if they are set to."),
    flag("exclude.internal.topics", CONSUMER, "true")
        .medium()
        .not_yet("it is about patterns, which come in a later version: subscribe by name")
        .doc("Leave internal topics out of subscriptions by pattern."),
    class("key.deserializer", CONSUMER, BYTE_ARRAY).high().range(DESERIALIZER).doc(
        "Java's name of what reads a key. The caller gets bytes, as they are; StringDeserializer \
            checks that they are UTF-8.",
    ),
    class("value.deserializer", CONSUMER, BYTE_ARRAY)
        .high()
        .range(DESERIALIZER)
        .doc("The same for values. Decode numbers, JSON or Avro after poll."),
    one_of("share.acknowledgement.mode", CONSUMER, "implicit", &["implicit", "explicit"])
        .medium()
        .not_yet(SHARE)
        .doc("Who acknowledges the records of a share group."),
    one_of("share.acquire.mode", CONSUMER, "batch_optimized", &["batch_optimized", "record_limit"])
        .medium()
        .not_yet(SHARE)
        .doc("Whether a share group hands out whole batches."),
    flag("internal.throw.on.fetch.stable.offset.unsupported", CONSUMER, "false")
        .no_effect("it is for Kafka Streams")
        .doc("(Internal to Java.)"),
];
