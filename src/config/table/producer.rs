//! Properties of the producer alone.

use super::*;

const TRANSACTIONS: &str = "transactions come in a later version: leave it out";
const SERIALIZER: Range =
    Range::Text("ByteArraySerializer, StringSerializer, BytesSerializer, ByteBufferSerializer");
const BYTE_ARRAY: Option<&str> = Some("org.apache.kafka.common.serialization.ByteArraySerializer");
const ZSTD_MIN: i64 = -131_072;

pub(super) const ROWS: &[Property] = &[
    one_of("acks", PRODUCER, "all", &["all", "-1", "1", "0"]).high().alias(&["request.required.acks"]).doc(
        "How many replicas must have a record before it counts as delivered: all in-sync ones (-1 is \
            the same), the leader alone, or none, which also loses offsets. Less than all turns \
            idempotence off.",
    ),
    flag("enable.idempotence", PRODUCER, "true").high().doc(
        "Number the batches so that a retry can neither double nor reorder records. Needs acks=all, \
            retries above 0 and at most 5 requests in flight; if one of them is set otherwise it is turned \
            off, or is an error when set to true.",
    ),
    int("max.in.flight.requests.per.connection", PRODUCER, "5", POSITIVE_INT).alias(&["max.in.flight"]).doc(
        "Produce requests that may wait for their responses on one connection. More than 5 turns \
            idempotence off.",
    ),
    long("linger.ms", PRODUCER, "5", NATURAL_LONG)
        .high()
        .alias(&["queue.buffering.max.ms"])
        .doc("How long a batch that is not full waits for more records."),
    int("batch.size", PRODUCER, "16384", NATURAL_INT).high().doc(
        "Bytes of records, before compression, at which a batch is full. 0: one record a batch. More \
            is faster and compresses better.",
    ),
    long("buffer.memory", PRODUCER, "33554432", NATURAL_LONG)
        .high()
        .doc("Bytes of records that may wait to be delivered. When it is full, send waits or refuses."),
    long("max.block.ms", PRODUCER, "60000", NATURAL_LONG)
        .medium()
        .doc("How long send may wait for buffer.memory, and records for the metadata of their topic."),
    int("delivery.timeout.ms", PRODUCER, "120000", NATURAL_INT).medium().alias(&["message.timeout.ms"]).doc(
        "The time from send until a record is delivered or failed, retries included. At least \
            linger.ms + request.timeout.ms; raised to that when not set. Records for a topic that is not \
            known yet fail after max.block.ms.",
    ),
    int("max.request.size", PRODUCER, "1048576", NATURAL_INT).medium().alias(&["message.max.bytes"]).doc(
        "The largest produce request, and so the largest record, before compression. Brokers have a \
            limit of their own, message.max.bytes.",
    ),
    one_of("compression.type", PRODUCER, "none", &["none", "gzip", "snappy", "lz4", "zstd"])
        .high()
        .alias(&["compression.codec"])
        .doc("How batches are compressed. lz4 costs least, zstd saves most."),
    int("compression.gzip.level", PRODUCER, "-1", Range::Text("1 to 9, or -1"))
        .medium()
        .doc("1 is the fastest, 9 the smallest; -1 is 6."),
    int("compression.lz4.level", PRODUCER, "9", Range::Whole(1, 17)).medium().doc(
        "9 is lz4's fast compressor. Any other level packs more and takes longer: 1 is the fastest of \
                them, 12 and above the smallest.",
    ),
    int("compression.zstd.level", PRODUCER, "3", Range::Whole(ZSTD_MIN, 22))
        .medium()
        .doc("Below 1 faster than zstd's own fastest, 22 the smallest."),
    class("partitioner.class", PRODUCER, None)
        .medium()
        .not_yet(
            "leave it out for Java's default partitioner, or choose the partition of each record in \
            send",
        )
        .doc(
            "A Java class that chooses partitions. The names of Java's former default partitioners are \
            taken for the built-in one.",
        ),
    flag("partitioner.ignore.keys", PRODUCER, "false")
        .medium()
        .doc("Choose the partition of records with a key as if they had none."),
    flag("partitioner.adaptive.partitioning.enable", PRODUCER, "true").doc(
        "Give records without a key less often to partitions where batches wait, and so to slower brokers.",
    ),
    long("partitioner.availability.timeout.ms", PRODUCER, "0", NATURAL_LONG).doc(
        "When a broker has taken nothing for so long, its partitions where batches wait get no records \
                without a key. 0: they still do. Needs partitioner.adaptive.partitioning.enable.",
    ),
    flag("partitioner.rack.aware", PRODUCER, "false")
        .not_yet("leave it out")
        .doc("Prefer partitions whose leaders are in client.rack for records without a key."),
    long("metadata.max.idle.ms", PRODUCER, "300000", Range::Whole(5000, i64::MAX))
        .doc("A topic that nothing was sent to for so long is no longer asked about, until something is."),
    class("key.serializer", PRODUCER, BYTE_ARRAY).high().range(SERIALIZER).doc(
        "Java's name of what makes bytes of a key. The caller passes bytes, which go through as they \
            are; StringSerializer checks that they are UTF-8.",
    ),
    class("value.serializer", PRODUCER, BYTE_ARRAY)
        .high()
        .range(SERIALIZER)
        .doc("The same for values. Encode numbers, JSON or Avro before send."),
    string("transactional.id", PRODUCER, None)
        .not_yet(TRANSACTIONS)
        .doc("Names the producer across restarts, and makes transactions possible."),
    int("transaction.timeout.ms", PRODUCER, "60000", NATURAL_INT)
        .not_yet(TRANSACTIONS)
        .doc("After so long a broker ends a transaction."),
    flag("transaction.two.phase.commit.enable", PRODUCER, "false")
        .not_yet(TRANSACTIONS)
        .doc("Leave it to another coordinator to end transactions."),
    one_of("buffer.memory.allocation.strategy", PRODUCER, "full", &["full", "incremental"])
        .no_effect("it is about Java's buffers: here a batch's buffer grows with its records")
        .doc("Whether a batch takes all of batch.size at once. (Internal to Java.)"),
];
