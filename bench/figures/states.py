"""Processes whose clients are kept in a state (bench/probes/states.c, peers/rdkafka/src/states.rs), seen from outside."""

import subprocess
from pathlib import Path

from . import peers


class State:
    """`with State("milena", "idle-producer", bootstrap=…, topic=…) as s`: a process that has reached its state."""

    def __init__(self, client, state, **named):
        self.what = f"{client} {state}"
        command = [str(peers.STATES[client]), state, *peers.options(**named)]
        self.process = subprocess.Popen(command, env=peers.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        universal_newlines=True)

    def __enter__(self):
        if self.process.stdout.readline() != "ready\n":
            raise peers.Failed(f"{self.what} did not get ready: exit code {self.process.wait()}")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def go(self):
        """Says that it may go on."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def _status(self, path, name):
        for line in Path(path, "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise peers.Failed(f"{self.what} has ended")

    @property
    def _proc(self):
        return Path("/proc", str(self.process.pid))

    def max_rss_mb(self):
        return self._status(self._proc, "VmHWM") / 1024

    def threads(self):
        """The names of its threads."""
        return sorted(task.joinpath("comm").read_text().strip() for task in self._proc.glob("task/*"))

    def wakeups(self):
        """How often its threads have been woken: each ended a wait of its own before."""
        return sum(self._status(task, "voluntary_ctxt_switches") for task in self._proc.glob("task/*"))
