#!/usr/bin/env python3
"""The interop matrix: what each client writes to a real Kafka, each client reads back, for every codec.

  interop.py --version 4.4.0 [--peers milena,java,librdkafka] [--codecs none,gzip,snappy,lz4,lz4.12,zstd] [--count 1000]

Starts a broker; every writer writes the records of records.py to one topic for each codec, and every reader must print
exactly these. A number behind a codec is its level; lz4.12 is there because another compressor than that of lz4 makes it.
The batches on the broker's disk must carry the codec that was asked for. Exit code 1 on any difference.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

from kafkalib import jars, tools, versions
from kafkalib.cluster import Cluster
from kafkalib.errors import KafkaFailed, MissingTool
from records import expected

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")  # in the order of their numbers in a batch's attributes
MATRIX = ("none", "gzip", "snappy", "lz4", "lz4.12", "zstd")
PARTITIONS = 2
SEED = 20260801


def python():
    return subprocess.run([ROOT / "scripts" / "venv.sh"], check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout.strip()


def peer_command(peer, verb, version, args):
    """The command line by which a peer writes or reads."""
    if peer == "java":
        return tools.command(version, "JavaProducer" if verb == "write" else "JavaConsumer", args)
    script = {"librdkafka": "rdkafka_peer.py", "milena": "milena_peer.py"}[peer]
    return [python(), HERE / script, verb] + args


def run_peer(peer, verb, cluster, topics, count, patience=60):
    """Run a peer over topics; returns its standard output. Raises KafkaFailed with what it said."""
    args = ["--bootstrap", cluster.bootstrap, "--count", str(count), "--partitions", str(PARTITIONS)]
    args += ["--timeout", str(patience)]
    args += [x for t in topics for x in ("--topic", t)]
    if verb == "write":
        args += ["--seed", str(SEED)]
    env = dict(os.environ, PYTHONPATH=str(ROOT / "bindings" / "python"))
    env.setdefault("MILENA_LIBRARY", str(ROOT / "build" / "lib" / "libmilena.so"))
    command = [str(x) for x in peer_command(peer, verb, cluster.version, args)]
    begin = time.monotonic()
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=patience * len(topics) + 30)
    except subprocess.TimeoutExpired as e:
        raise KafkaFailed(f"{peer} {verb} hangs: {e}") from None
    print(f"  {peer} {verb}: {time.monotonic() - begin:.1f} s", flush=True)
    if done.returncode:
        raise KafkaFailed(f"{peer} {verb}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


def write_all(peer, cluster, topics, count):
    """Let a peer write all topics ({topic: codec}); returns {topic: what went wrong}."""
    failure = None
    try:
        run_peer(peer, "write", cluster, [f"{t}:{c}" for t, c in topics.items()], count)
    except KafkaFailed as e:
        failure = str(e)
    problems = check_stored(cluster, topics, count)
    if failure:  # the topics that got everything before it are not to blame
        problems = {t: f"{failure}\n{p}" for t, p in problems.items()} or {t: failure for t in topics}
    return problems


def read_all(peer, cluster, topics, count):
    """Let a peer read all topics and, when that fails, each alone, to see which are to blame.

    Returns ({topic: its lines, parsed}, {topic: what went wrong}).
    """
    lines, failures = {t: [] for t in topics}, {}

    def read(some, **kw):
        for line in run_peer(peer, "read", cluster, some, count, **kw).splitlines():
            parsed = json.loads(line)
            lines[parsed["topic"]].append(parsed)

    try:
        if topics:
            read(topics)
    except KafkaFailed:
        for topic in topics:
            try:
                read([topic], patience=10)
            except KafkaFailed as e:
                failures[topic] = str(e)
    return lines, failures


def difference(lines, wanted):
    """What is wrong with the lines that a reader printed for one topic, or None."""
    got = {p: [] for p in wanted}
    for line in lines:
        got.setdefault(line["partition"], []).append(line)
    for partition, records in got.items():
        want = wanted.get(partition, [])
        if len(records) != len(want):
            return f"partition {partition}: {len(records)} records, expected {len(want)}"
        for have, should in zip(records, want):
            if have != should:
                return f"expected {str(should)[:300]}\n     got {str(have)[:300]}"
    return None


def codecs_on_disk(cluster, topic):
    """The codecs of the batches that the broker stored."""
    found = set()
    for log in Path(cluster.info()["nodes"]["1"]["data"]).glob(f"{topic}-*/*.log"):
        data, at = log.read_bytes(), 0
        while at + 61 <= len(data):
            length, magic, attributes = struct.unpack_from(">8xi4xb4xh", data, at)
            if magic != 2 or length <= 0:
                break
            found.add(CODECS[attributes & 7])
            at += 12 + length
    return found


def check_stored(cluster, topics, count):
    """Problems with what is in the broker: another number of records, another codec. {topic: text}"""
    found = {}
    for line in run_peer("librdkafka", "ends", cluster, topics, count).splitlines():
        ends = json.loads(line)
        if sum(ends["ends"]) != count:
            found[ends["topic"]] = f"{sum(ends['ends'])} records are stored, {count} were sent: {ends['ends']}"
    for topic, codec in topics.items():
        codec = codec.partition(".")[0]
        stored = codecs_on_disk(cluster, topic)
        # A client may leave a batch uncompressed that would not get smaller.
        if codec not in stored or not stored <= {codec, "none"}:
            found.setdefault(topic, f"the stored batches are {sorted(stored)}, expected {codec}")
    return found


def matrix(cluster, peers, codecs, count):
    """{(writer, codec, reader): None or what went wrong}"""
    result, topics = {}, {(w, c): f"{w}-{c}" for w in peers for c in codecs}
    wanted = {t: expected(t, SEED, count, PARTITIONS) for t in topics.values()}
    run_peer("librdkafka", "create", cluster, topics.values(), count)
    for writer in peers:
        mine = {topics[writer, c]: c for c in codecs}
        problems = write_all(writer, cluster, mine, count)
        result.update({(writer, c, "stored"): problems.get(t) for t, c in mine.items()})
    for reader in peers:
        readable = {k: t for k, t in topics.items() if not result[k[0], k[1], "stored"]}
        lines, failures = read_all(reader, cluster, list(readable.values()), count)
        for (writer, codec), topic in readable.items():
            result[writer, codec, reader] = failures.get(topic) or difference(lines[topic], wanted[topic])
    return result


def report(result, peers, codecs):
    """Print the matrix and what went wrong; whether all went well."""
    columns = ["stored"] + list(peers)
    print(f"\n{'written by':<12}{'codec':<9}" + "".join(f"{x:<12}" for x in columns))
    for writer in peers:
        for codec in codecs:
            cells = [(writer, codec, x) for x in columns]
            marks = ["-" if x not in result else "FAILED" if result[x] else "ok" for x in cells]
            print(f"{writer:<12}{codec:<9}" + "".join(f"{x:<12}" for x in marks))
    failed = {k: v for k, v in result.items() if v}
    for why in dict.fromkeys(failed.values()):
        where = [f"{w}/{c}/{r}" for (w, c, r), v in failed.items() if v == why]
        print(f"\n{', '.join(where)}: {why}")
    print(f"\n{len(result) - len(failed)} of {len(result)} as expected", flush=True)
    return not failed


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--version", default=versions.NEWEST)
    ap.add_argument("--peers", default="milena,java,librdkafka")
    ap.add_argument("--codecs", default=",".join(MATRIX))
    ap.add_argument("--count", type=int, default=1000)
    a = ap.parse_args()
    peers, codecs = a.peers.split(","), a.codecs.split(",")
    if versions.parts(a.version) < (2, 1) and "zstd" in codecs:
        codecs.remove("zstd")  # came with 2.1
    try:
        jars.compiled(a.version)
        with Cluster(a.version) as cluster:
            return 0 if report(matrix(cluster, peers, codecs, a.count), peers, codecs) else 1
    except MissingTool as e:
        print(e, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
