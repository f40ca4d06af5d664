#!/usr/bin/env python3
"""A producer and a consumer group under load on a real cluster, whose brokers are killed (SIGKILL) one after the other.

  faults.py --version 4.4.0 --nodes 3 --kills 2 [--messages 90000] [--client milena]

The clients are verifiable programs: milena-verifiable-producer and -consumer, or Kafka's own (--client java, to try
this test itself). What must hold in the end:

- every message is reported once; Milena, which retries, reports no failure (Kafka's tool does not retry);
- every acknowledged message was consumed, from the partition and offset that its acknowledgement named;
- no message is in the log twice, and each partition keeps the order of sending (Milena only, being idempotent);
- programs end cleanly.
Without kills it is the test that producer and group work with a version at all. Exit code 1 when something is wrong.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import interop
from kafkalib import jars, tools, versions
from kafkalib.cluster import Cluster
from kafkalib.errors import KafkaFailed, MissingTool
from verifiable import Program

TOPIC, PARTITIONS, MEMBERS = "faults", 6, 2
PATIENCE = 90


def client_command(a, cluster, what, args):
    """The command line of the verifiable producer or consumer (`what`)."""
    args = ["--topic", TOPIC] + args
    if a.client == "java":
        return tools.command(a.version, f"kafka-verifiable-{what}", args, cluster.bootstrap)
    return [interop.ROOT / "build" / "bin" / f"milena-verifiable-{what}", "--bootstrap-server", cluster.bootstrap] + args


def create_topic(cluster):
    subprocess.run([interop.python(), str(interop.HERE / "rdkafka_peer.py"), "create", "--bootstrap", cluster.bootstrap,
                    "--topic", TOPIC, "--partitions", str(PARTITIONS), "--replication", str(min(3, cluster.nodes))],
                   check=True)


def say(text):
    print(f"  {time.strftime('%H:%M:%S')} {text}", flush=True)


def successes(producer):
    return producer.named("producer_send_success")


def reported(producer):
    """How many messages have their outcome."""
    return len(successes(producer)) + len(producer.named("producer_send_error"))


def kill_brokers(a, cluster, producer):
    """Kill and restart brokers while the producer is at work."""
    for k in range(a.kills):
        node = 1 + k % cluster.nodes
        start = a.messages * (2 * k + 1) // (2 * a.kills + 1)
        producer.wait_for(lambda p: reported(p) >= start, f"{start} messages were reported", PATIENCE)
        say(f"kill -9 of node {node} after {reported(producer)} messages")
        cluster.kill(node)
        more = min(a.messages, reported(producer) + a.messages // (4 * a.kills + 2))
        producer.wait_for(lambda p: reported(p) >= more, "going on without the node", PATIENCE)
        say(f"restart of node {node} after {reported(producer)} messages")
        cluster.restart(node)


def consumed(consumers):
    """{(partition, offset): value} of everything the group was handed."""
    found = {}
    for c in consumers:
        for e in c.named("record_data"):
            found.setdefault((e["partition"], e["offset"]), str(e["value"]))
    return found


def judge(a, producer, log):
    """What is wrong, as a list of texts. `log`: see consumed()."""
    sent, errors, wrong = successes(producer), producer.named("producer_send_error"), []
    if len(sent) + len(errors) != a.messages:
        wrong.append(f"{len(sent)} acknowledgements and {len(errors)} errors for {a.messages} messages")
    if len({e["value"] for e in sent}) != len(sent):
        wrong.append("a message was acknowledged twice")
    lost = [e for e in sent if log.get((e["partition"], e["offset"])) != e["value"]]
    if lost:
        wrong.append(f"{len(lost)} acknowledged messages are not where they should be; the first: {lost[0]}")
    if a.client == "java":
        return wrong
    if errors:
        wrong.append(f"{len(errors)} messages failed; the first: {errors[0]}")
    if len(log) != a.messages or len(set(log.values())) != len(log):
        wrong.append(f"{len(log)} records with {len(set(log.values()))} different values are in the log")
    for partition in range(PARTITIONS):
        values = [int(v) for (p, _), v in sorted(log.items()) if p == partition]
        if values != sorted(values):
            wrong.append(f"partition {partition} is not in the order of sending")
    return wrong


def run(a, cluster, folder):
    create_topic(cluster)
    consumers, producer = [], None
    try:
        for m in range(MEMBERS):
            args = ["--group-id", "faults", "--reset-policy", "earliest", "--verbose"]
            consumers.append(Program(f"consumer {m + 1}", client_command(a, cluster, "consumer", args),
                                     folder / f"consumer{m + 1}.log"))
        args = ["--max-messages", str(a.messages), "--throughput", str(a.throughput), "--acks", "-1"]
        producer = Program("producer", client_command(a, cluster, "producer", args), folder / "producer.log")
        kill_brokers(a, cluster, producer)
        producer.finish(PATIENCE * 2)
        say(f"producer done: {len(successes(producer))} messages acknowledged")
        wanted = {(e["partition"], e["offset"]) for e in successes(producer)}
        consumers[0].wait_for(lambda _: wanted <= consumed(consumers).keys(), "all messages were consumed", PATIENCE)
        for c in consumers:
            c.finish(30, signal.SIGTERM)
            say(f"{c.name}: {len(c.named('record_data'))} records")
        return judge(a, producer, consumed(consumers))
    finally:
        for program in consumers + ([producer] if producer else []):
            program.stop()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--version", default=versions.NEWEST)
    ap.add_argument("--nodes", type=int, default=3)
    ap.add_argument("--kills", type=int, default=2)
    ap.add_argument("--messages", type=int, default=90000)
    ap.add_argument("--throughput", type=int, default=3000, help="messages a second; -1 for no limit")
    ap.add_argument("--client", choices=("milena", "java"), default="milena")
    a = ap.parse_args()
    try:
        jars.fetch(a.version)
        with tempfile.TemporaryDirectory() as folder, Cluster(a.version, a.nodes) as cluster:
            say(f"Kafka {a.version}, {a.nodes} node(s), started in {cluster.start_seconds} s")
            wrong = run(a, cluster, Path(folder))
    except MissingTool as e:
        print(e, file=sys.stderr)
        return 3
    except KafkaFailed as e:
        wrong = [str(e)]
    for text in wrong:
        print(f"WRONG: {text}")
    print("nothing lost" if not wrong else f"{len(wrong)} problems", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
