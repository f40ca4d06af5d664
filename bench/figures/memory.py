"""Most memory in RAM (VmHWM): a producer whose broker is paused, and a consumer that is not polled."""

import time

from .bench import Figure
from .states import State

# The same bound for both; by default librdkafka's is 1 GiB and 100,000 records.
FULL = {"milena": ["buffer.memory=33554432"],
        "librdkafka": ["queue.buffering.max.kbytes=32768", "queue.buffering.max.messages=0"]}


def measure(b):
    unpolled = {client: unpolled_consumer(b, client) for client in FULL}
    full = {client: full_producer(b, client) for client in FULL}
    figures = []
    for what, found, gate in (("producer, 32 MB of buffers, paused broker", full, 100),
                              ("consumer that is not polled, 500 MB to read", unpolled, None)):
        row = {client: Figure(what, client, [value], "MiB") for client, value in found.items()}
        row["milena"].compare(row["librdkafka"]).gate = gate
        figures += row.values()
        print(f"  {what}: {found}", flush=True)
    return figures


def full_producer(b, client):
    topic = b.topic()
    with State(client, "full-producer", bootstrap=b.bootstrap, topic=topic, conf=FULL[client]) as state:
        b.cluster().pause(1)
        try:
            state.go()
            time.sleep(5 if b.quick else 20)
            return state.max_rss_mb()
        finally:
            b.cluster().resume(1)


def unpolled_consumer(b, client):
    topic = b.topic()
    b.fill(topic, 50000 if b.quick else 500000, size=1000)
    with State(client, "unpolled-consumer", bootstrap=b.bootstrap, topic=topic) as state:
        time.sleep(3 if b.quick else 15)
        found = state.max_rss_mb()
    b.drop(topic)
    return found
