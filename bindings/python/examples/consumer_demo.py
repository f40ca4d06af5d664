#!/usr/bin/env python3
"""The ConsumerDemo of the document that Milena implements, with the same properties; the values are JSON.

consumer_demo.py [--topic NAME] [--count N] [FILE.properties]     the file's properties in place of those below

It reads until Ctrl-C, or until it has N records.
"""

import argparse
import contextlib
import itertools
import json

import milena

PROPERTIES = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "nginx-consu-group",
    "enable.auto.commit": True,
    "auto.commit.interval.ms": 1000,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 30000,
    "key.deserializer": "org.apache.kafka.common.serialization.StringDeserializer",
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file", nargs="?", help="a Java properties file")
    ap.add_argument("--bootstrap-servers")
    ap.add_argument("--topic", default="HelloWorld")
    ap.add_argument("--count", type=int, help="end after so many records")
    a = ap.parse_args()
    properties = {} if a.file else dict(PROPERTIES)
    if a.bootstrap_servers:
        properties["bootstrap.servers"] = a.bootstrap_servers

    with milena.Consumer(properties, file=a.file) as consumer, contextlib.suppress(KeyboardInterrupt):
        consumer.subscribe([a.topic], on_assign=lambda partitions: print(f"{len(partitions)} partitions assigned"))
        for record in itertools.islice(consumer, a.count):
            try:
                value = json.loads(record.value)
            except (TypeError, ValueError) as error:
                value = f"not JSON: {error}"
            print(f"offset = {record.offset}, value = {value}", flush=True)


if __name__ == "__main__":
    main()
