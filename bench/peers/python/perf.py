#!/usr/bin/env python3
"""The options and the JSON line of milena-perf for clients in Python: perf.py milena|confluent-kafka OPERATION …

The loops are here, the same for both; what a client calls for them is in with_milena.py and with_confluent_kafka.py.
"""

import argparse
import importlib
import json
import random
import resource
import time

POOL = 1000  # records that are prepared, and sent over and over


def arguments():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("client", choices=("milena", "confluent-kafka"))
    ap.add_argument("op", choices=("produce", "consume", "lat", "e2e"))
    ap.add_argument("--bootstrap", required=True)
    ap.add_argument("--topic", required=True)
    ap.add_argument("--count", type=int, default=1000000)
    ap.add_argument("--size", type=int, default=100)
    ap.add_argument("--acks")
    ap.add_argument("--linger")
    ap.add_argument("--compression")
    ap.add_argument("--batch")
    ap.add_argument("--mode", choices=("batch", "poll"), default="batch")
    ap.add_argument("--warmup", type=int, default=0)
    ap.add_argument("--group")
    ap.add_argument("--conf", action="append", default=[])
    a = ap.parse_args()
    named = {"acks": a.acks, "linger.ms": a.linger, "compression.type": a.compression, "batch.size": a.batch}
    a.conf = dict(pair.split("=", 1) for pair in a.conf)
    a.producer = {k: v for k, v in named.items() if v is not None}
    a.one_a_call = a.mode == "poll"
    return a


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def max_rss_mb():
    with open("/proc/self/status") as lines:
        return next(int(x.split()[1]) for x in lines if x.startswith("VmHWM:")) / 1024


class Stopwatch:
    def __init__(self):
        self.cpu, self.began = cpu_seconds(), time.monotonic()

    def print(self, a, size, latencies_ns=None):
        seconds, cpu = time.monotonic() - self.began, cpu_seconds() - self.cpu
        name = a.client if a.client != "milena" else "milena-python"
        line = {"client": name, "op": a.op, "msgs": a.count, "bytes": size, "seconds": round(seconds, 6),
                "msgs_per_s": round(a.count / seconds, 1), "mb_per_s": round(size / seconds / (1 << 20), 3),
                "cpu_seconds": round(cpu, 6), "cpu_ns_per_msg": round(cpu * 1e9 / a.count, 1),
                "max_rss_mb": round(max_rss_mb(), 1)}
        if latencies_ns:
            latencies_ns.sort()
            for percentile, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)):
                rank = int(share * len(latencies_ns) + 0.999999)
                line[percentile] = round(latencies_ns[max(rank, 1) - 1] / 1000, 1)
        print(json.dumps(line))


def pool(size):
    """Values whose first half is random and whose second half is constant."""
    chance = random.Random(88172645463325252)
    half = size // 2
    return [bytes(chance.getrandbits(8) for _ in range(half)) + b"x" * (size - half) for _ in range(POOL)]


def produce(a, client):
    values, producer = pool(a.size), client.Producer(a)
    producer.send_all(values, a.warmup, a.one_a_call)
    watch = Stopwatch()
    producer.send_all(values, a.count, a.one_a_call)
    watch.print(a, a.count * a.size)


def consume(a, client):
    """Warming up reads the first records, then goes back to the beginning."""
    consumer = client.Consumer(a)
    consumer.begin(at_end=False)
    if a.warmup:
        consumer.read(a.warmup, a.one_a_call)
        consumer.begin(at_end=False)
    watch = Stopwatch()
    watch.print(a, consumer.read(a.count, a.one_a_call))
    consumer.close()


def one_by_one(a, once):
    """Calls `once(i)` for each record; prints how long each took."""
    for i in range(a.warmup):
        once(i)
    watch, latencies = Stopwatch(), []
    for i in range(a.warmup, a.warmup + a.count):
        began = time.monotonic_ns()
        once(i)
        latencies.append(time.monotonic_ns() - began)
    watch.print(a, a.count * a.size, latencies)


def lat(a, client):
    values, producer = pool(a.size), client.Producer(a)
    one_by_one(a, lambda i: producer.send_and_wait(values[i % POOL]))


def e2e(a, client):
    values, producer, consumer = pool(a.size), client.Producer(a), client.Consumer(a)
    producer.send_and_wait(values[0])
    consumer.begin(at_end=True)

    def once(i):
        value = (i.to_bytes(8, "little") + values[i % POOL][8:])[:a.size]
        producer.send(value)
        if consumer.read_one() != value:
            raise SystemExit("the record that was read is not the one that was sent")

    one_by_one(a, once)
    consumer.close()


if __name__ == "__main__":
    chosen = arguments()
    operation = {"produce": produce, "consume": consume, "lat": lat, "e2e": e2e}[chosen.op]
    operation(chosen, importlib.import_module("with_" + chosen.client.replace("-", "_")))
