#!/usr/bin/env python3
"""Milena (its Python binding) as a peer of the interop matrix; see peer.py."""

import sys

import milena

import peer


def write(a):
    for topic, codec, todo in peer.to_write(a):
        producer = milena.Producer({"bootstrap.servers": a.bootstrap, "compression.type": codec, "acks": a.acks,
                                    "linger.ms": 50, "batch.size": 65536})
        for r in todo:
            producer.send(topic, value=r["value"], key=r["key"], headers=r["headers"], partition=r["partition"],
                          timestamp=r["timestamp"])
        producer.flush(a.timeout)
        producer.close(a.timeout)


def read(a):
    for topic in a.topic:
        consumer = milena.Consumer({"bootstrap.servers": a.bootstrap, "enable.auto.commit": "false",
                                    "auto.offset.reset": "earliest"})
        consumer.assign([(topic, p) for p in range(a.partitions)])
        reading = peer.Reading(a, topic)
        while reading.unfinished():
            for r in consumer.poll(0.5):
                reading.got(r.partition, r.offset, r.timestamp, r.timestamp_type, r.key, r.value, r.headers)
        consumer.close(a.timeout)


if __name__ == "__main__":
    chosen = peer.arguments(__doc__)
    sys.exit({"write": write, "read": read}[chosen.verb](chosen))
