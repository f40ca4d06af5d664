"""Wake-ups per second, of all threads, of clients that have nothing to do.

The producer has delivered a record; the consumers have read all there is and wait inside the library.
"""

import contextlib
import time

from .bench import Figure
from .states import State

KINDS = [("idle producer", "idle-producer", False), ("idle consumer, assigned", "idle-consumer", False),
         ("idle consumer, in a group", "idle-consumer", True)]


def measure(b):
    seconds = 5 if b.quick else 20
    figures = []
    for what, state, in_group in KINDS:
        found = wakeups(b, state, in_group, seconds)
        row = {client: Figure(what, client, [value], "wake-ups a second") for client, value in found.items()}
        figures += [row["milena"].compare(row["librdkafka"]), row["librdkafka"]]
        print(f"  {what}: {found}", flush=True)
    return figures


def wakeups(b, state, in_group, seconds):
    """{client: wake-ups a second}, of both at once."""
    with contextlib.ExitStack() as stack:
        states = {}
        for client in ("milena", "librdkafka"):
            topic = b.topic()
            b.fill(topic, 1)
            group = topic if in_group else None
            started = State(client, state, bootstrap=b.bootstrap, topic=topic, count=1, group=group)
            states[client] = stack.enter_context(started)
        time.sleep(3)  # what follows a start is not idling
        before = {client: s.wakeups() for client, s in states.items()}
        time.sleep(seconds)
        return {client: (s.wakeups() - before[client]) / seconds for client, s in states.items()}
