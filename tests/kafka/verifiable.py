"""Runs verifiable producers and consumers: programs that print a line of JSON for everything that happens to them."""

import json
import signal
import subprocess
import threading
import time

from kafkalib import process
from kafkalib.errors import KafkaFailed


class Program:
    """One such program: its events as they come, and how it ended."""

    def __init__(self, name, command, log):
        self.name, self.log = name, log
        self.events = []
        with open(log, "wb") as err:
            self.child = subprocess.Popen([str(x) for x in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=err, preexec_fn=process.tie())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.events.append({"name": "not JSON", "line": line.decode(errors="replace")})

    def named(self, name):
        """The events of that name so far."""
        return [x for x in list(self.events) if x["name"] == name]

    def wait_for(self, test, what, seconds):
        """Wait until `test(self)` holds; KafkaFailed when the program ends or the time runs out before."""
        end = time.monotonic() + seconds
        while True:
            ended = not self._reader.is_alive()  # before the test: nothing comes after it
            if test(self):
                return
            if ended:
                raise KafkaFailed(f"{self.name} ended (code {self.child.wait()}) before {what}\n{self.stderr()}")
            if time.monotonic() > end:
                raise KafkaFailed(f"{self.name}: {seconds} s went by before {what}; last event {self.events[-1:]}\n"
                                  f"{self.stderr()}")
            time.sleep(0.1)

    def finish(self, seconds, number=None):
        """Wait for the end, after sending the signal `number` if there is one; KafkaFailed unless it is a clean one."""
        if number is not None:
            self.child.send_signal(number)
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise KafkaFailed(f"{self.name} did not end in {seconds} s\n{self.stderr()}") from None
        self._reader.join(seconds)
        # A JVM that a signal ended says 128 + signal though it ended in order.
        if code not in (0, 128 + (number or 0)) or not self.named("shutdown_complete"):
            raise KafkaFailed(f"{self.name}: exit code {code}, last events {self.events[-2:]}\n{self.stderr()}")

    def stop(self):
        """End it whatever its state."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
            self.child.wait()

    def stderr(self):
        return self.log.read_text(errors="replace")[-2000:]
