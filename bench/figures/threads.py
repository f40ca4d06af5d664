"""Threads beside the application's one, with ten clients, producers and consumers, on a cluster of three brokers."""

from collections import Counter

from .bench import Figure
from .states import State

PARTITIONS = 6


def measure(b):
    b.cluster(nodes=3)
    figures = []
    for client in ("milena", "librdkafka"):
        topic = b.topic(PARTITIONS)
        named = {"partitions": PARTITIONS} if client == "milena" else {}
        with State(client, "many-clients", bootstrap=b.bootstrap, topic=topic, **named) as state:
            names = state.threads()
        print(f"  {client}: {', '.join(f'{n} {name}' for name, n in Counter(names).items())}", flush=True)
        figures.append(Figure("threads of 10 clients on 3 brokers", client, [len(names) - 1], "thread(s)"))
    figures[0].compare(figures[1]).gate = 1
    return figures
