"""The clients that are compared: how each is built and called."""

import os
import shutil
import subprocess
from pathlib import Path

from kafkalib import jars, versions

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
OUT = ROOT / "build" / "bench"
BIN = OUT / "bin"
VERSION = versions.NEWEST  # of the broker and of Java's client

LIMIT_SECONDS = 600

STATES = {"milena": BIN / "states", "librdkafka": BIN / "rdkafka-perf"}


class Failed(Exception):
    """Something could not be measured."""


def env():
    """The environment in which peers are built and run."""
    library = ROOT / "build" / "lib"
    return dict(os.environ, LD_LIBRARY_PATH=str(library), MILENA_LIBRARY=str(library / "libmilena.so"),
                PKG_CONFIG_PATH=str(library / "pkgconfig"), PYTHONPATH=str(ROOT / "bindings" / "python"))


def _make(what, command, **kw):
    if not shutil.which(command[0]):
        print(f"bench: {command[0]} is not installed: {what} is left out", flush=True)
        return
    print(f"building {what}", flush=True)
    done = subprocess.run([str(x) for x in command], env=env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, **kw)
    if done.returncode:
        raise Failed(f"building {what}: exit code {done.returncode}\n{done.stdout[-3000:]}")


def build():
    """Build everything, the library first; registries are asked for what is not there yet."""
    BIN.mkdir(parents=True, exist_ok=True)
    _make("Milena", ["make", "--no-print-directory", "probes"], cwd=ROOT)
    _make("librdkafka", ["cargo", "build", "--release", "--locked", "--target-dir", OUT / "target"],
          cwd=PEERS / "rdkafka")
    shutil.copy2(OUT / "target" / "release" / "rdkafka-perf", BIN)
    _make("franz-go and Milena's Go wrapper", ["go", "build", "-o", f"{BIN}/", "./cmd/..."], cwd=PEERS / "go")
    _make("confluent-kafka", [ROOT / "scripts" / "venv.sh"])
    classes = OUT / "java"
    _make("kafka-clients", [jars.program("javac"), "-d", classes, "-cp", jars.classpath(VERSION),
                            PEERS / "java" / "Perf.java"])


def command(name):
    """The command line that a client's program begins with; None when it is not there."""
    python = [ROOT / "build" / "venv" / "bin" / "python", PEERS / "python" / "perf.py"]
    java = [jars.program("java"), "-Xmx2g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
            f"{OUT / 'java'}:{jars.classpath(VERSION)}", "Perf"]
    found = {"milena": [ROOT / "build" / "bin" / "milena-perf"], "librdkafka": [BIN / "rdkafka-perf"],
             "franz-go": [BIN / "franz-go"], "milena-go": [BIN / "milena-go"], "java": java,
             "milena-python": python + ["milena"], "confluent-kafka": python + ["confluent-kafka"]}[name]
    return [str(x) for x in found] if Path(found[0]).exists() else None


def options(**named):
    """Options of milena-perf: count=5 as --count 5; a list repeats its option, None is left out."""
    for name, value in named.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield f"--{name.replace('_', '-')}"
                yield str(each)


def run(what, command):
    """Runs a command to its end; its standard output."""
    line = [str(x) for x in command]
    try:
        done = subprocess.run(line, env=env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"{what} takes longer than {LIMIT_SECONDS} s: {' '.join(line)[-300:]}") from None
    if done.returncode:
        raise Failed(f"{what}: exit code {done.returncode}\n{' '.join(line)[-300:]}\n{done.stderr[-2000:]}")
    return done.stdout
