#!/usr/bin/env python3
"""Real Kafka clusters on 127.0.0.1 for Milena's tests, from the jars that Maven fetches. Linux, Python 3.9, no packages.

  kafka_cluster.py fetch --version 4.4.0           get a version ready: jars, class data archive
  kafka_cluster.py start --version 4.4.0 --nodes 3 --base-port 21000 --name x
  kafka_cluster.py info|status|stop --name x       (stop --all stops every cluster of this repository)
  kafka_cluster.py kill|pause|resume|restart --name x --node 2
  kafka_cluster.py tool --name x kafka-topics --list
  kafka_cluster.py tool --version 4.4.0 --bootstrap 127.0.0.1:9092 kafka-console-consumer --topic t
  kafka_cluster.py run --version 4.4.0 -- COMMAND  run a command with a cluster, which ends with it

Node i listens on base port + i - 1. `run` tells the command in MILENA_BROKER where the brokers are, in
MILENA_KAFKA_CLUSTER the cluster's name and in MILENA_KAFKA_VERSION its version.
Exit codes: 0; 1 something failed; 3 java or mvn is missing; `run` and `tool` give the command's own.

As a module: from kafkalib.cluster import Cluster; see there. Folders: MILENA_KAFKA_HOME (state and data of clusters,
build/kafka otherwise), MILENA_KAFKA_CACHE (jars, ~/.cache/milena-kafka otherwise).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys

from kafkalib import cluster as clusters
from kafkalib import jars, process, tools, versions
from kafkalib.cluster import Cluster
from kafkalib.errors import KafkaFailed, MissingTool

EXIT_MISSING = 3


def show(what):
    print(json.dumps(what, indent=1), flush=True)


def new_cluster(a, detached):
    settings = {}
    for pair in a.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise KafkaFailed(f"--set {pair}: expected KEY=VALUE")
        settings[key] = value
    return Cluster(a.version, a.nodes, a.base_port, a.name, settings, a.perf, a.heap, detached)


def do_fetch(a):
    for version in a.version:
        jars.fetch(version)
        clusters.make_archive(version)
        show({"version": version, "path": str(jars.cache_dir(version))})


def do_start(a):
    show(new_cluster(a, detached=True).start().info())


def do_run(a):
    command = a.command[1:] if a.command[:1] == ["--"] else a.command
    if not command:
        raise KafkaFailed("run: a command is missing behind --")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with new_cluster(a, detached=False) as c:
        print(f"Kafka {c.version}, {c.nodes} node(s), {c.bootstrap}, started in {c.start_seconds} s", flush=True)
        env = dict(os.environ, MILENA_BROKER=c.bootstrap, MILENA_KAFKA_CLUSTER=c.name, MILENA_KAFKA_VERSION=c.version)
        child = subprocess.Popen(command, env=env, preexec_fn=process.tie())
        try:
            return child.wait()
        finally:
            if child.poll() is None:
                child.kill()


def do_stop(a):
    for name in Cluster.names() if a.all else [a.name]:
        Cluster.attach(name).stop()
    if a.all:
        shutil.rmtree(clusters.home(), ignore_errors=True)  # the logs of failed runs


def do_tool(a):
    version, bootstrap, zookeeper = a.version, a.bootstrap, None
    if a.name:
        info = Cluster.attach(a.name).info()
        version, bootstrap, zookeeper = info["version"], info["bootstrap"], info["zookeeper"]
    command = tools.command(version, a.tool, a.args, bootstrap, zookeeper)
    os.execv(command[0], command)


def do_node(a):
    c = Cluster.attach(a.name)
    getattr(c, a.verb)(a.node)
    show(c.status())


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest="verb", required=True)
    p = sub.add_parser("fetch")
    p.add_argument("--version", action="append", required=True, help=f"tested: {', '.join(versions.TESTED)}")
    p.set_defaults(do=do_fetch)
    for verb, do in (("start", do_start), ("run", do_run)):
        p = sub.add_parser(verb)
        p.add_argument("--version", default=versions.NEWEST, help=f"tested: {', '.join(versions.TESTED)}")
        p.add_argument("--nodes", type=int, default=1)
        p.add_argument("--base-port", type=int, default=0, help="0 (the default) chooses free ports")
        p.add_argument("--name", required=verb == "start")
        p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a broker property")
        p.add_argument("--perf", action="store_true", help="for measuring speed: full JIT, G1, a large heap")
        p.add_argument("--heap", help="512m by default, 2g with --perf")
        if verb == "run":
            p.add_argument("command", nargs=argparse.REMAINDER)
        p.set_defaults(do=do)
    p = sub.add_parser("stop")
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--name")
    which.add_argument("--all", action="store_true")
    p.set_defaults(do=do_stop)
    for verb in ("info", "status"):
        p = sub.add_parser(verb)
        p.add_argument("--name", required=True)
        p.set_defaults(do=lambda a: show(getattr(Cluster.attach(a.name), a.verb)()))
    for verb in ("kill", "pause", "resume", "restart"):
        p = sub.add_parser(verb)
        p.add_argument("--name", required=True)
        p.add_argument("--node", type=int, required=True)
        p.set_defaults(do=do_node)
    p = sub.add_parser("tool")
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--name")
    which.add_argument("--version")
    p.add_argument("--bootstrap")
    p.add_argument("tool", help=f"{', '.join(sorted(tools.NAMES) + sorted(tools.OWN))}, or a main class")
    p.add_argument("args", nargs=argparse.REMAINDER)
    p.set_defaults(do=do_tool)
    return ap.parse_args()


def main():
    a = arguments()
    try:
        return a.do(a) or 0
    except MissingTool as e:
        print(f"kafka_cluster.py: {e}", file=sys.stderr)
        return EXIT_MISSING
    except KafkaFailed as e:
        print(f"kafka_cluster.py: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
