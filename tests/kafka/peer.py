"""What the interop programs in Python share: their command line and their output.

  PEER write --bootstrap H:P --topic NAME:CODEC[.LEVEL] ... --count N --partitions P --seed S --acks A
  PEER read  --bootstrap H:P --topic NAME ...       --count N --partitions P

`write` sends records 0 … N-1 (records.py) to each topic and exits 0 once all are acknowledged. `read` reads N records
of each topic from its beginning and prints a JSON line for each; it gives up after --timeout seconds. JavaProducer
and JavaConsumer take the same options.
"""

import argparse
import json
import sys
import time

from records import as_line, record


def arguments(doc, more_verbs=()):
    ap = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("verb", choices=("write", "read") + tuple(more_verbs))
    ap.add_argument("--bootstrap", required=True)
    ap.add_argument("--topic", action="append", required=True, help="NAME:CODEC[.LEVEL] for write, NAME for read")
    ap.add_argument("--count", type=int, default=1000)
    ap.add_argument("--partitions", type=int, default=1)
    ap.add_argument("--replication", type=int, default=1)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--acks", default="all")
    ap.add_argument("--timeout", type=float, default=60.0)
    return ap.parse_args()


def to_write(a):
    """(topic, codec, its level or "", iterator of records) of each topic."""
    for pair in a.topic:
        topic, codec = pair.rsplit(":", 1)
        codec, _, level = codec.partition(".")
        yield topic, codec, level, (record(a.seed, i, a.partitions) for i in range(a.count))


class Reading:
    """Prints records of one topic until all are there; fails when they don't come."""

    def __init__(self, a, topic):
        self.topic, self.left, self.end = topic, a.count, time.monotonic() + a.timeout

    def unfinished(self):
        if self.left and time.monotonic() > self.end:
            sys.exit(f"{self.topic}: {self.left} records are missing")
        return self.left > 0

    def got(self, *fields):
        """partition, offset, timestamp, timestamp_type, key, value, headers"""
        self.left -= 1
        print(json.dumps(as_line(self.topic, *fields)))
