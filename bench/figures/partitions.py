"""Instructions per record to one partition, alone and while the producer knows 10,000 others, having sent to each.

The broker is the embedded cluster as a process of its own: on a real one 10,000 partitions take minutes to make.
"""

import contextlib
import json
import subprocess

from . import peers
from .bench import Figure
from .counting import slope

OTHERS = 10000
# Far apart, as what 10,000 batches cost before varies; and buffer.memory has been full once in both.
FEW, MANY = 500000, 1500000


def measure(b):
    many = FEW + 200000 if b.quick else MANY
    alone = Figure("produce to one partition, alone", "milena", [], "instructions a record")
    among = Figure(f"produce to one partition, {OTHERS:,} others known", "milena", [], "instructions a record",
                   gate=1.1, judged="ratio")
    for _ in range(min(b.rounds, 3)):
        for figure, others in ((alone, 0), (among, OTHERS)):
            with embedded() as bootstrap:
                named = {"bootstrap": bootstrap, "topic": "one", "other_topic": "others", "others": others}
                figure.values.append(slope("milena", lambda n: [peers.BIN / "partitions",
                                                                *peers.options(count=n, **named)], FEW, many))
            print(f"  {figure.what}: {figure.values[-1]:.0f}", flush=True)
    among.compare(alone).against = "alone"
    return [alone, among]


@contextlib.contextmanager
def embedded():
    """The bootstrap servers of an embedded cluster with the topics."""
    command = [peers.ROOT / "build" / "bin" / "milena-cluster", "--topic", "one:1", "--topic", f"others:{OTHERS}"]
    process = subprocess.Popen([str(x) for x in command], env=peers.env(), stdout=subprocess.PIPE,
                               universal_newlines=True)
    try:
        yield json.loads(process.stdout.readline())["bootstrap_servers"]
    finally:
        process.kill()
        process.communicate()
