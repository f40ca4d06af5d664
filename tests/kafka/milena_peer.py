#!/usr/bin/env python3
"""Milena (its Python binding) as a peer of the interop matrix; see peer.py."""

import sys

import milena

import peer


def write(a):
    for topic, codec, level, todo in peer.to_write(a):
        settings = {"bootstrap.servers": a.bootstrap, "compression.type": codec, "acks": a.acks, "linger.ms": 50,
                    "batch.size": 65536}
        if level:
            settings[f"compression.{codec}.level"] = level
        records = (milena.ProducerRecord(r["value"], r["key"], r["headers"], r["partition"], r["timestamp"])
                   for r in todo)
        with milena.Producer(settings) as producer:
            producer.send_records(topic, records)
            producer.flush(a.timeout)  # raises if a record was not delivered


def read(a):
    settings = {"bootstrap.servers": a.bootstrap, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    with milena.Consumer(settings) as consumer:
        for topic in a.topic:
            consumer.assign({(topic, p): 0 for p in range(a.partitions)})
            reading = peer.Reading(a, topic)
            while reading.unfinished():
                for r in consumer.poll(0.5):
                    reading.got(r.partition, r.offset, r.timestamp, r.timestamp_type, r.key, r.value, r.headers)


if __name__ == "__main__":
    chosen = peer.arguments(__doc__)
    sys.exit({"write": write, "read": read}[chosen.verb](chosen))
