"""CPU time of the whole process per record of 100 bytes, in user mode and in the kernel, at full speed.

Every client runs once a round, in turns; ratios are of the same round.
"""

from .bench import Figure

ALL = ("milena", "librdkafka", "franz-go", "java", "milena-go", "milena-python", "confluent-kafka")
NATIVE = ("milena", "librdkafka")
PRODUCE, CONSUME = (0.5, 0.25), (0.4, 0.2)  # gate and aim of the ratio to librdkafka
EQUAL = {"batch": 100000, "linger": 5}
ROWS = [  # what, operation, mode, clients, further options, gate and aim
    ("produce batch", "produce", "batch", ALL, {}, PRODUCE),
    ("produce poll", "produce", "poll", ALL, {}, PRODUCE),
    ("produce batch, batches of 100 kB", "produce", "batch", NATIVE, EQUAL, PRODUCE),
    ("consume batch", "consume", "batch", ALL, {}, CONSUME),
    ("consume poll", "consume", "poll", ALL, {}, CONSUME),
]
SAME_LANGUAGE = {"milena-go": "franz-go", "milena-python": "confluent-kafka"}


def measure(b):
    count = 100000 if b.quick else 1000000
    full = b.topic()
    b.fill(full, count)
    figures = []
    for what, op, mode, clients, more, (gate, aim) in ROWS:
        row = {client: Figure(what, client, [], "ns CPU a record") for client in b.present(*clients)}
        for _ in range(b.rounds):
            for client, figure in row.items():
                result = once(b, client, op, full, count=count, mode=mode, warmup=count // 2, **more)
                figure.values.append(result["cpu_ns_per_msg"])
                figure.rates.append(result["msgs_per_s"])
                print(f"  {what}, {client}: {figure.values[-1]:.0f} ns, {result['msgs_per_s']:,.0f}/s", flush=True)
        figures += compared(row, gate, aim)
    return figures


def once(b, client, op, full, **named):
    """A producer gets a topic of its own each time."""
    if op == "consume":
        return b.perf(client, op, full, **named)
    topic = b.topic()
    result = b.perf(client, op, topic, **named)
    b.drop(topic)
    return result


def compared(row, gate, aim):
    """The figures with their ratios: a wrapper's to its peer of the same language, the others' to librdkafka's."""
    for client, figure in row.items():
        other = SAME_LANGUAGE.get(client, "librdkafka")
        if client != other and other in row:
            figure.compare(row[other])
    if "milena" in row:
        row["milena"].gate, row["milena"].aim, row["milena"].judged = gate, aim, "ratio"
    return list(row.values())
