"""A Kafka cluster: its files, its processes, and what a test does to it."""

import atexit
import base64
import json
import os
import re
import shutil
import signal
import struct
import time
import uuid
import weakref
from pathlib import Path

from . import config, jars, jvm, process, versions, wire
from .errors import KafkaFailed

START_SECONDS = 120
_started = weakref.WeakSet()


def home():
    """The folder of the clusters' state and data."""
    repository = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("MILENA_KAFKA_HOME") or repository / "build" / "kafka")


class Cluster:
    """A cluster of real brokers on 127.0.0.1; `with Cluster("4.4.0", nodes=3) as c: ... c.bootstrap`.

    `base_port=0` chooses free ports; `settings` are broker properties that win over the launcher's own; `perf` is for
    measuring speed. Nodes count from 1. Unless `detached`, the brokers end with the thread that started them, even
    when that is killed. Nothing of a stopped cluster stays on disk, but logs when the `with` block raised.
    """

    def __init__(self, version=versions.NEWEST, nodes=1, base_port=0, name=None, settings=None, perf=False, heap=None,
                 detached=False):
        if not 1 <= nodes <= config.MAX_NODES:
            raise KafkaFailed(f"{nodes} nodes: from 1 to {config.MAX_NODES} are possible")
        self.version, self.nodes, self.perf, self.detached = version, nodes, perf, detached
        self.wanted_port, self.ports = base_port, None
        self.name = name or f"kafka-{version}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.settings, self.heap = settings or {}, heap or ("2g" if perf else "512m")
        self.processes, self.owner, self.start_seconds = {}, None, None
        self._record_archive = None

    # The state file, by which another process of the command line finds the cluster.

    @property
    def dir(self):
        return home() / self.name

    def _save(self):
        kept = ("version", "nodes", "perf", "detached", "name", "settings", "heap", "processes", "owner",
                "start_seconds")
        state = {k: getattr(self, k) for k in kept}
        state["base_port"] = self.ports.base
        fresh = self.dir / "state.tmp"
        fresh.write_text(json.dumps(state, indent=1))
        fresh.rename(self.dir / "state.json")

    def _refresh(self):
        """Another process may have restarted a node meanwhile."""
        try:
            self.processes = json.loads((self.dir / "state.json").read_text())["processes"]
        except FileNotFoundError:
            pass  # not started yet, or stopped

    def _tied(self):
        """Whether what is started now ends with this process."""
        return bool(self.owner) and self.owner["pid"] == os.getpid()

    @classmethod
    def attach(cls, name):
        """The running cluster of that name."""
        try:
            state = json.loads((home() / name / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            raise KafkaFailed(f"there is no cluster {name}; there are: {', '.join(cls.names()) or 'none'}") from None
        self = cls(state["version"], state["nodes"], state["base_port"], name, state["settings"], state["perf"],
                   state["heap"], state["detached"])
        self.ports = config.Ports(state["base_port"])
        self.processes, self.owner = state["processes"], state["owner"]
        self.start_seconds = state["start_seconds"]
        return self

    @staticmethod
    def names():
        """The clusters that have a state file."""
        return sorted(x.parent.name for x in home().glob("*/state.json"))

    # Starting.

    @property
    def node_ids(self):
        return range(1, self.nodes + 1)

    @property
    def bootstrap(self):
        """host:port of every node, joined by commas."""
        return ",".join(f"{config.HOST}:{self.ports.client(i)}" for i in self.node_ids)

    def node_dir(self, node):
        return self.dir / f"node{node}"

    def log_file(self, node):
        return self.node_dir(node) / "broker.log"

    def start(self):
        """Start all nodes and wait until each lists all of them; prepares what the version needs the first time."""
        jars.fetch(self.version)
        if not self._record_archive:
            make_archive(self.version)
        sweep()
        if self.name in self.names() and Cluster.attach(self.name).alive():
            raise KafkaFailed(f"the cluster {self.name} is running")
        shutil.rmtree(self.dir, ignore_errors=True)
        self.ports = config.choose_ports(self.wanted_port)
        self.owner = None if self.detached else process.identity(os.getpid())
        begin = time.monotonic()
        self.dir.mkdir(parents=True)
        _started.add(self)
        try:
            if versions.is_kraft(self.version):
                self._format()
            else:
                self._start_zookeeper()
            for node in self.node_ids:
                self._spawn(node)
            self.wait_ready(self.node_ids, set(self.node_ids))
        except BaseException:
            self.stop(keep_logs=True)
            raise
        self.start_seconds = round(time.monotonic() - begin, 2)
        self._save()
        return self

    def _write_config(self, node):
        path = self.node_dir(node) / "server.properties"
        path.parent.mkdir(parents=True, exist_ok=True)
        config.write(path, config.broker(self.version, self.ports, node, self.nodes, path.parent / "data", self.perf,
                                         self.settings))
        return path

    def _format(self):
        """Give each node its formatted log folder: the template's, under this cluster's and node's own ids."""
        template, cluster_id = _formatted(self.version), _uuid()
        for node in self.node_ids:
            data = self.node_dir(node) / "data"
            shutil.copytree(template, data)
            text = (data / "meta.properties").read_text()
            for key, value in (("cluster.id", cluster_id), ("node.id", node), ("directory.id", _uuid())):
                text = re.sub(rf"(?m)^{re.escape(key)}=.*$", f"{key}={value}", text)
            (data / "meta.properties").write_text(text)

    def _start_zookeeper(self):
        folder = self.dir / "zookeeper"
        folder.mkdir()
        (folder / "zoo.cfg").write_text(config.zookeeper_file(self.ports, folder / "data"))
        command = jvm.command(self.version, "org.apache.zookeeper.server.ZooKeeperServerMain", folder / "zoo.cfg",
                              level="info")
        self.processes["zookeeper"] = process.spawn(command, folder / "zookeeper.log", folder, self._tied())
        self._save()

    def _spawn(self, node):
        command = jvm.command(self.version, "kafka.Kafka", self._write_config(node), heap=self.heap, perf=self.perf,
                              level="info", record_archive=self._record_archive)
        self.processes[str(node)] = process.spawn(command, self.log_file(node), self.node_dir(node), self._tied())
        self._save()

    def wait_ready(self, nodes, expected, seconds=START_SECONDS):
        """Wait until each of `nodes` answers and lists all brokers of `expected` and a controller."""
        end = time.monotonic() + seconds
        for node in nodes:
            seen = None
            while True:
                try:
                    seen = wire.metadata(config.HOST, self.ports.client(node))
                    if expected <= seen[0] and seen[1] >= 0:
                        break
                except (OSError, struct.error):
                    pass
                if process.state(self.processes[str(node)]) == "dead":
                    raise KafkaFailed(f"node {node} died:\n{self._log_end(node)}")
                if time.monotonic() > end:
                    raise KafkaFailed(f"node {node} is not ready after {seconds} s (it lists {seen}, expected "
                                      f"{sorted(expected)}):\n{self._log_end(node)}")
                time.sleep(0.05)

    def _log_end(self, node):
        return self.log_file(node).read_text(errors="replace")[-3000:]

    # What a test does to it.

    def _node(self, node):
        self._refresh()
        if str(node) not in self.processes:
            raise KafkaFailed(f"the cluster {self.name} has no node {node}; nodes count from 1 to {self.nodes}")
        return self.processes[str(node)]

    def kill(self, node):
        """SIGKILL, as by kill -9 or a power cut."""
        process.kill(self._node(node))

    def pause(self, node):
        """SIGSTOP: the node keeps its connections and says nothing."""
        process.send(self._node(node), signal.SIGSTOP)

    def resume(self, node):
        """SIGCONT."""
        process.send(self._node(node), signal.SIGCONT)

    def restart(self, node, seconds=START_SECONDS):
        """Start a node again on its data; one that still runs is shut down in Kafka's controlled way before."""
        process.terminate(self._node(node), 30)
        end = time.monotonic() + seconds
        while True:
            self._spawn(node)
            try:
                self.wait_ready([node], {node}, max(1.0, end - time.monotonic()))
                return
            except KafkaFailed:
                # With ZooKeeper the id of a killed broker is taken until its session ends.
                if versions.is_kraft(self.version) or time.monotonic() > end:
                    raise
                time.sleep(0.5)

    def stop(self, keep_logs=False):
        """End all processes at once; their data is thrown away, so SIGKILL loses nothing."""
        self._refresh()
        for proc in self.processes.values():
            process.send(proc, signal.SIGKILL)
        for proc in self.processes.values():
            process.kill(proc)
        _started.discard(self)
        if not keep_logs:
            shutil.rmtree(self.dir, ignore_errors=True)
            return
        for data in self.dir.glob("*/data"):
            shutil.rmtree(data, ignore_errors=True)
        if (self.dir / "state.json").exists():
            (self.dir / "state.json").unlink()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        self.stop(keep_logs=kind is not None)

    # What it tells.

    def alive(self):
        """Whether any of its processes is left."""
        return any(process.state(p) != "dead" for p in self.processes.values())

    def info(self):
        """What a client needs to know."""
        return {"name": self.name, "version": self.version, "bootstrap": self.bootstrap,
                "nodes": {str(i): {"port": self.ports.client(i), "pid": self._node(i)["pid"],
                                   "log": str(self.log_file(i)), "data": str(self.node_dir(i) / "data")}
                          for i in self.node_ids},
                "zookeeper": None if versions.is_kraft(self.version) else f"{config.HOST}:{self.ports.zookeeper}",
                "dir": str(self.dir), "start_seconds": self.start_seconds}

    def status(self):
        """The state of every process and what the live nodes see of each other."""
        self._refresh()
        found = {}
        for what, proc in self.processes.items():
            row = found[what] = {"state": process.state(proc), "pid": proc["pid"],
                                 "memory_mib": process.memory_mib(proc)}
            if row["state"] == "up" and what != "zookeeper":
                try:
                    ids, controller = wire.metadata(config.HOST, self.ports.client(int(what)))
                    row.update(brokers=sorted(ids), controller=controller)
                except (OSError, struct.error) as e:
                    row["error"] = str(e)
        return found


def sweep():
    """Remove what is left of clusters whose owning program is gone."""
    for name in Cluster.names():
        try:
            cluster = Cluster.attach(name)
        except KafkaFailed:
            continue  # another process removed it just now
        if cluster.owner and process.state(cluster.owner) == "dead":
            cluster.stop()


@atexit.register
def _stop_all():
    for cluster in list(_started):
        if not cluster.detached:
            cluster.stop()


def _uuid():
    while True:  # Kafka's own form of an id; one that starts with a dash would look like an option
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _formatted(version):
    """A log folder as Kafka's storage format tool makes it; made once per version, as a JVM costs a second."""
    template = jars.cache_dir(version) / "formatted"
    with jars.locked(version, "formatted"):
        if not template.exists():
            work = jars.cache_dir(version) / "format"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            properties = config.broker(version, config.Ports(9092), 1, 1, work / "data", False, {})
            config.write(work / "server.properties", properties)
            jars.run(jvm.command(version, "kafka.tools.StorageTool", "format", "-t", _uuid(), "-c",
                                 work / "server.properties"))
            (work / "data").rename(template)
            shutil.rmtree(work)
    return template


def make_archive(version):
    """Make the version's class data archive, with one broker run that writes it, unless it is there."""
    archive = jvm.archive_path(version)
    with jars.locked(version, "archive"):
        if archive.exists():
            return
        fresh = archive.with_suffix(".tmp")
        cluster = Cluster(version)
        cluster._record_archive = fresh
        with cluster:
            process.terminate(cluster.processes["1"], 60)
        if not fresh.exists():
            raise KafkaFailed(f"the JVM did not write its class data archive {fresh}")
        fresh.rename(archive)
