"""Runs the programs of examples-c, plain or under a tool such as valgrind.

MILENA_BIN names the directory of the programs (build/bin), MILENA_RUNNER a command line to run them with,
MILENA_PATIENCE how many times longer than usual everything may take.
"""

import json
import os
import queue
import random
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("MILENA_BIN", ROOT / "build" / "bin"))
RUNNER = shlex.split(os.environ.get("MILENA_RUNNER", ""))
PATIENCE = float(os.environ.get("MILENA_PATIENCE", "1"))


def command(program, *args):
    return [*RUNNER, str(BIN / program), *map(str, args)]


def run(program, *args, stdin=b"", seconds=60):
    """The finished process of a program that ends by itself."""
    return subprocess.run(command(program, *args), input=stdin, capture_output=True, timeout=seconds * PATIENCE)


class Running:
    """A program that is at work: its lines of JSON as they come."""

    def __init__(self, program, *args):
        self.name = program
        self.stderr = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command(program, *args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=self.stderr)
        self.lines, self.events = queue.Queue(), []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def line(self, seconds=30):
        """The next line, decoded; AssertionError when none comes."""
        try:
            line = self.lines.get(timeout=seconds * PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{self.name} prints nothing; {self.errors()}") from None
        if line is None:
            raise AssertionError(f"{self.name} ended; {self.errors()}")
        return json.loads(line)

    def until(self, name, count=1, seconds=30):
        """Reads lines into `events` until there are `count` events called `name` among them."""
        while sum(x["name"] == name for x in self.events) < count:
            self.events.append(self.line(seconds))
        return self.named(name)

    def named(self, name):
        return [x for x in self.events if x["name"] == name]

    def end(self, seconds=10):
        """Sends SIGTERM, reads the rest of the lines, and returns the exit code and how long it took."""
        start = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(seconds * PATIENCE)
        took = time.monotonic() - start
        self.reader.join(seconds)
        while (line := self.lines.get()) is not None:
            self.events.append(json.loads(line))
        return code, took

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read().decode(errors="replace")[-3000:]

    def stop(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.reader.join(10)
        self.child.stdout.close()
        self.stderr.close()


def free_ports(n):
    """The first of `n` ports in a row that nobody listens on."""
    while True:
        base = random.randrange(20000, 32000)
        sockets = [socket.socket() for _ in range(n)]
        try:
            for i, s in enumerate(sockets):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", base + i))
            return base
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()


class ProgramTest(unittest.TestCase):
    """A test of programs; those that are still at work in the end are killed."""

    def setUp(self):
        super().setUp()
        print(f"  {self.id().split('.', 1)[1]}", flush=True)

    def start(self, program, *args):
        running = Running(program, *args)
        self.addCleanup(running.stop)
        return running

    def succeed(self, program, *args, **more):
        """Its standard output; the test fails unless it ends with exit code 0."""
        done = run(program, *args, **more)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def refuse(self, code, words, program, *args, **more):
        """The test fails unless it ends with this exit code and says these words on stderr, and no JSON on stdout."""
        done = run(program, *args, **more)
        said = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, said)
        for word in words:
            self.assertIn(word, said)
        return done


class ClusterTest(ProgramTest):
    """A test with an embedded cluster of three brokers, a process of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = Running("milena-cluster", "--brokers", 3, "--topic", "letters:3", "--topic", "shared:3")
        cls.addClassCleanup(cls.cluster.stop)
        cls.bootstrap = cls.cluster.line()["bootstrap_servers"]

    @classmethod
    def tearDownClass(cls):
        code, _ = cls.cluster.end()
        assert code == 0, cls.cluster.errors()
        super().tearDownClass()
