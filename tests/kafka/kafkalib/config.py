"""What a cluster is made of: its ports and the configuration of each broker."""

import random
import socket

from . import versions
from .errors import KafkaFailed

HOST = "127.0.0.1"
MAX_NODES = 10
CONTROLLER, ZOOKEEPER, BLOCK = MAX_NODES, 2 * MAX_NODES, 2 * MAX_NODES + 1


class Ports:
    """The ports of a cluster: node i (from 1) listens on base + i - 1, the rest of the block is its own affair."""

    def __init__(self, base):
        self.base = base

    def client(self, node):
        return self.base + node - 1

    def controller(self, node):
        return self.base + CONTROLLER + node - 1

    @property
    def zookeeper(self):
        return self.base + ZOOKEEPER

    def taken(self):
        """The first port of the block that somebody else has, or None."""
        for port in range(self.base, self.base + BLOCK):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    return port
        return None


def choose_ports(base):
    """The block of ports at `base`, or a free one when it is 0."""
    if base:
        busy = Ports(base).taken()
        if busy:
            raise KafkaFailed(f"port {busy} is in use; choose another --base-port, or 0 for a free one")
        return Ports(base)
    # Below the ports that the kernel gives to outgoing connections, and random: others may be choosing now, too.
    blocks = list(range(20000, 32700 - BLOCK, BLOCK))
    random.shuffle(blocks)
    for candidate in blocks:
        if Ports(candidate).taken() is None:
            return Ports(candidate)
    raise KafkaFailed("no free block of ports between 20000 and 32700")


def _kraft(ports, node, nodes):
    return {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": ",".join(f"{i}@{HOST}:{ports.controller(i)}" for i in range(1, nodes + 1)),
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": f"PLAINTEXT://{HOST}:{ports.client(node)},CONTROLLER://{HOST}:{ports.controller(node)}",
        # How long a killed broker stays in the metadata: 9 s otherwise.
        "broker.session.timeout.ms": 6000,
        "broker.heartbeat.interval.ms": 1000,
        "controller.quorum.election.timeout.ms": 500,
        "controller.quorum.election.backoff.max.ms": 500,
    }


def _zookeeper(ports, node):
    return {
        "broker.id": node,
        "listeners": f"PLAINTEXT://{HOST}:{ports.client(node)}",
        "zookeeper.connect": f"{HOST}:{ports.zookeeper}",
        "zookeeper.session.timeout.ms": 6000,
        "zookeeper.connection.timeout.ms": 30000,
    }


def zookeeper_file(ports, data):
    """The text of zoo.cfg."""
    return (f"tickTime=500\ndataDir={data}\nclientPort={ports.zookeeper}\nclientPortAddress={HOST}\n"
            "maxClientCnxns=0\nadmin.enableServer=false\nminSessionTimeout=1000\nmaxSessionTimeout=60000\n")


def broker(version, ports, node, nodes, data, perf, settings):
    """The properties of one broker."""
    number = versions.parts(version)
    replicas, in_sync = min(3, nodes), 2 if nodes >= 3 else 1
    p = _kraft(ports, node, nodes) if versions.is_kraft(version) else _zookeeper(ports, node)
    p.update({
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.client(node)}",
        "log.dirs": data,
        "broker.rack": f"rack{node}",
        "delete.topic.enable": "true",
        # Test records carry timestamps of long ago, and retention goes by timestamps.
        "log.retention.ms": -1,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 5,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 5,
        # Groups come together at once, and members may be declared dead soon.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "replica.fetch.backoff.ms": 100,
        "replica.lag.time.max.ms": 5000,
        "controlled.shutdown.retry.backoff.ms": 500,
    })
    if number >= (4, 0):
        p.update({"share.coordinator.state.topic.replication.factor": replicas,
                  "share.coordinator.state.topic.min.isr": in_sync,
                  "share.coordinator.state.topic.num.partitions": 5})
    if not perf:
        p.update({"num.network.threads": 2, "num.io.threads": 4, "background.threads": 4,
                  "log.cleaner.dedupe.buffer.size": 4 << 20})
    p.update(settings)
    return p


def write(path, properties):
    """Write a properties file."""
    path.write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
