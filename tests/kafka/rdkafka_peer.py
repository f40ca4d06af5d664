#!/usr/bin/env python3
"""librdkafka (confluent-kafka) as a peer of the interop matrix; see peer.py.

Besides write and read: `create` makes the topics, `ends` prints {"topic": …, "ends": [end offset of each partition]}.
"""

import json
import sys

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import peer

TYPES = {TIMESTAMP_CREATE_TIME: "create", TIMESTAMP_LOG_APPEND_TIME: "append"}


def write(a):
    failed = []
    for topic, codec, level, todo in peer.to_write(a):
        producer = Producer({"bootstrap.servers": a.bootstrap, "compression.type": codec, "acks": a.acks,
                             "linger.ms": 50, "enable.idempotence": a.acks in ("all", "-1"),
                             "compression.level": level or -1, "queue.buffering.max.messages": a.count + 1})
        for r in todo:
            producer.produce(topic, value=r["value"], key=r["key"], partition=r["partition"],
                             timestamp=r["timestamp"], headers=r["headers"] or None,
                             on_delivery=lambda e, _: e and failed.append(e))
        if producer.flush(a.timeout) or failed:
            sys.exit(f"{topic}: not everything was acknowledged: {failed[:1]}")


def read(a):
    consumer = Consumer({"bootstrap.servers": a.bootstrap, "group.id": "unused", "enable.auto.commit": False,
                         "auto.offset.reset": "error", "check.crcs": True})
    for topic in a.topic:
        consumer.assign([TopicPartition(topic, p, 0) for p in range(a.partitions)])
        reading = peer.Reading(a, topic)
        while reading.unfinished():
            for m in consumer.consume(500, 0.1):
                if m.error():
                    sys.exit(f"{topic}: {m.error()}")
                kind, timestamp = m.timestamp()
                reading.got(m.partition(), m.offset(), timestamp, TYPES.get(kind, "none"), m.key(), m.value(),
                            m.headers() or [])
    consumer.close()


def create(a):
    admin = AdminClient({"bootstrap.servers": a.bootstrap})
    new = [NewTopic(x, num_partitions=a.partitions, replication_factor=a.replication) for x in a.topic]
    for future in admin.create_topics(new, operation_timeout=30).values():
        future.result(a.timeout)


def ends(a):
    consumer = Consumer({"bootstrap.servers": a.bootstrap, "group.id": "unused"})
    for topic in a.topic:
        found = [consumer.get_watermark_offsets(TopicPartition(topic, p), a.timeout)[1] for p in range(a.partitions)]
        print(json.dumps({"topic": topic, "ends": found}))
    consumer.close()


if __name__ == "__main__":
    chosen = peer.arguments(__doc__, ("create", "ends"))
    {"write": write, "read": read, "create": create, "ends": ends}[chosen.verb](chosen)
