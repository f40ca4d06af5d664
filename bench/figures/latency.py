"""Latency one by one, with linger.ms=0: send to delivery (lat) and send to the poll of a consumer (e2e)."""

from .bench import Figure

CLIENTS = ("milena", "librdkafka", "franz-go", "java")
NAMES = {"lat": "send to delivery", "e2e": "send to poll"}


def measure(b):
    count = 300 if b.quick else 5000
    figures = []
    for op, name in NAMES.items():
        row = {(client, p): Figure(f"{name}, {p}", client, [], "µs")
               for client in b.present(*CLIENTS) for p in ("p50", "p99")}
        clients = b.present(*CLIENTS)
        once(b, clients[0], op, count)  # a broker is slower at first
        for number in range(b.rounds):
            # There and back: what changes steadily meanwhile wrongs nobody.
            for client in clients if number % 2 else reversed(clients):
                result = once(b, client, op, count)
                for p in ("p50", "p99"):
                    row[client, p].values.append(result[f"{p}_us"])
                print(f"  {name}, {client}: {result['p50_us']:.0f} {result['p99_us']:.0f} µs", flush=True)
        for (client, p), figure in row.items():
            if client != "librdkafka":
                figure.compare(row["librdkafka", p])
            if client == "milena":
                figure.gate, figure.aim, figure.judged = 1.0, 0.8, "ratio"
        figures += sorted(row.values(), key=lambda x: x.what)
    return figures


def once(b, client, op, count):
    """A run on a topic of its own."""
    topic = b.topic()
    result = b.perf(client, op, topic, count=count, warmup=count // 5, linger=0)
    b.drop(topic)
    return result
