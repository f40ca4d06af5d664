"""Instructions per record, all threads, 100-byte values: the slope between 20,000 and 120,000 records.

Consumers read topics with exactly so many records: what is fetched ahead belongs to the count.
"""

from . import peers
from .bench import Figure
from .counting import slope

FEW, MANY = 20000, 120000
ROWS = [  # operation, mode, gate, aim
    ("produce", "batch", 400, 200),
    ("produce", "poll", 600, 300),
    ("consume", "batch", 250, 120),
    ("consume", "poll", None, None),
]
CLIENTS = ("milena", "librdkafka")


def measure(b):
    topics = {"produce": dict.fromkeys((FEW, MANY), b.topic()), "consume": {n: b.topic() for n in (FEW, MANY)}}
    for n, topic in topics["consume"].items():
        b.fill(topic, n)
    figures = []
    for op, mode, gate, aim in ROWS:
        row = {client: Figure(f"{op} {mode}", client, [], "instructions a record") for client in CLIENTS}
        for _ in range(min(b.rounds, 3)):
            for client, figure in row.items():
                figure.values.append(slope(client, lambda n: line(b, client, op, mode, topics[op][n], n), FEW, MANY))
                print(f"  {figure.what}, {client}: {figure.values[-1]:.0f}", flush=True)
        row["milena"].compare(row["librdkafka"])
        row["milena"].gate, row["milena"].aim = gate, aim
        figures += row.values()
    return figures


def line(b, client, op, mode, topic, n):
    """The command line that produces or consumes n records."""
    named = {"bootstrap": b.bootstrap, "topic": topic, "count": n, "size": 100, "mode": mode}
    if op == "produce":
        named["warmup"] = 5000
    return peers.command(client) + [op, *peers.options(**named)]
