"""One run of the benchmark: its broker, its topics, and how programs are run on it."""

import itertools
import json
import statistics
from dataclasses import dataclass, field
from typing import List, Optional

from kafkalib.cluster import Cluster

from . import peers


@dataclass
class Figure:
    """What was measured of one client; a value for each round."""

    what: str
    client: str
    values: List[float]
    unit: str
    ratios: List[float] = field(default_factory=list)  # to another client's value of the same round
    against: str = ""
    gate: Optional[float] = None  # at most so much
    aim: Optional[float] = None
    judged: str = "value"  # or "ratio": which of them the gate is about
    rates: List[float] = field(default_factory=list)  # records a second, where records flow

    @property
    def value(self):
        return statistics.median(self.values)

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def verdict(self):
        """What became of the gate; empty without one."""
        if self.gate is None:
            return ""
        judged = getattr(self, self.judged)
        if judged > self.gate:
            return "MISSED"
        return "aim reached" if self.aim is not None and judged <= self.aim else "reached"

    def compare(self, other):
        """Sets the ratios to another client's figure, round by round; the figure itself."""
        self.against = other.client
        self.ratios = [mine / theirs for mine, theirs in zip(self.values, other.values) if theirs]
        return self


class Bench:
    """`with Bench(...) as b`: the broker starts when it is first asked for, and ends with the block."""

    def __init__(self, rounds, quick, clients=None):
        self.rounds, self.quick, self._clients = rounds, quick, clients
        self._cluster, self._nodes, self._numbers = None, 0, itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()

    def _stop(self):
        if self._cluster:
            self._cluster.stop()
            self._cluster = None

    def cluster(self, nodes=1):
        """The cluster of so many brokers; one of another size ends."""
        if self._cluster and self._nodes != nodes:
            self._stop()
        if not self._cluster:
            # Deleted topics go at once: a round writes more than a gigabyte.
            settings = {"log.segment.delete.delay.ms": 1000}
            self._cluster, self._nodes = Cluster(nodes=nodes, perf=True, settings=settings).start(), nodes
            print(f"  Kafka {self._cluster.version}, {nodes} node(s)", flush=True)
        return self._cluster

    @property
    def bootstrap(self):
        return self.cluster(max(self._nodes, 1)).bootstrap

    def topic(self, partitions=1):
        """A new topic; its name."""
        name = f"bench-{next(self._numbers)}"
        with self._admin() as admin:
            admin.create_topic(name, partitions)
        return name

    def drop(self, *topics):
        with self._admin() as admin:
            admin.delete_topics(topics)

    def _admin(self):
        import milena  # not before it is built
        return milena.AdminClient({"bootstrap.servers": self.bootstrap})

    def perf(self, client, op, topic, **named):
        """Runs a client's program; the JSON line that it prints, parsed."""
        args = [op, *peers.options(bootstrap=self.bootstrap, topic=topic, **named)]
        return json.loads(peers.run(client, peers.command(client) + args).splitlines()[-1])

    def fill(self, topic, count, size=100, **named):
        """Writes records for consumers to read."""
        self.perf("milena", "produce", topic, count=count, size=size, **named)

    def present(self, *clients):
        """Those of the clients that are built, and wanted."""
        return [x for x in clients if (not self._clients or x in self._clients) and peers.command(x)]
