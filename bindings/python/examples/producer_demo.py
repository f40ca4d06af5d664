#!/usr/bin/env python3
"""The ProducerDemo of the document that Milena implements, with the same properties; the values are JSON.

producer_demo.py [--topic NAME] [--count N] [FILE.properties]     the file's properties in place of those below
"""

import argparse
import json
import sys

import milena

PROPERTIES = {
    "bootstrap.servers": "localhost:9092",
    "acks": "all",
    "retries": 0,
    "batch.size": 16384,
    "linger.ms": 1,
    "buffer.memory": 33554432,
    "key.serializer": "org.apache.kafka.common.serialization.StringSerializer",
    "value.serializer": "org.apache.kafka.common.serialization.StringSerializer",
}


def delivered(error, record):
    if error is not None:
        print(error, file=sys.stderr)
    else:
        print(f"Delivered: partition = {record.partition}, offset = {record.offset}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file", nargs="?", help="a Java properties file")
    ap.add_argument("--bootstrap-servers")
    ap.add_argument("--topic", default="HelloWorld")
    ap.add_argument("--count", type=int, default=100)
    a = ap.parse_args()
    properties = {} if a.file else dict(PROPERTIES)
    if a.bootstrap_servers:
        properties["bootstrap.servers"] = a.bootstrap_servers

    with milena.Producer(properties, file=a.file) as producer:
        for i in range(a.count):
            value = json.dumps({"id": i, "text": f"Message Hello {i}"})
            producer.send(a.topic, value, key=str(i), on_delivery=delivered)
            producer.poll()


if __name__ == "__main__":
    main()
