"""Operating system processes that outlive the program that started them, or must not."""

import ctypes
import os
import re
import signal
import subprocess
import time
from pathlib import Path

_libc = ctypes.CDLL(None)  # loaded here: the child between fork and exec must not import or load anything
_PR_SET_PDEATHSIG = 1
_children = {}


def _stat(pid):
    """(state, birth time, threads) of a process, or None."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0], fields[19], int(fields[17])
    except (FileNotFoundError, ProcessLookupError):
        return None


def identity(pid):
    """A process as it is kept in a state file: a pid may be used again, with its birth time it is unique."""
    return {"pid": pid, "born": _stat(pid)[1]}


def tie():
    """A preexec_fn by which the kernel kills the child when the thread that started it ends, however that happens."""
    parent = os.getpid()

    def in_child():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def spawn(command, log, cwd, die_with_parent):
    """Start a process in a session of its own, its output appended to the file `log`."""
    with open(log, "ab") as out:
        child = subprocess.Popen([str(x) for x in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                 start_new_session=True, preexec_fn=tie() if die_with_parent else None)
    _children[child.pid] = child
    return identity(child.pid)


def state(proc):
    """'up', 'paused' or 'dead'."""
    if not proc:
        return "dead"
    child = _children.get(proc["pid"])
    if child is not None and child.poll() is not None:
        return "dead"
    found = _stat(proc["pid"])
    if not found or found[1] != proc["born"] or found[0] == "X":
        return "dead"
    if found[0] == "Z":  # its remaining threads still hold its ports
        return "up" if found[2] > 1 else "dead"
    return "paused" if found[0] in "Tt" else "up"


def send(proc, number):
    """Send a signal; False when the process is gone."""
    if state(proc) == "dead":
        return False
    os.kill(proc["pid"], number)
    return True


def wait_gone(proc, seconds):
    """Wait for the end of a process; whether it came."""
    end = time.monotonic() + seconds
    while state(proc) != "dead":
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def kill(proc):
    """SIGKILL, and wait until the process and its ports are gone."""
    if send(proc, signal.SIGKILL):
        wait_gone(proc, 30)


def terminate(proc, seconds):
    """SIGTERM (Kafka's controlled shutdown), and SIGKILL when that takes too long."""
    send(proc, signal.SIGTERM)
    send(proc, signal.SIGCONT)
    if not wait_gone(proc, seconds):
        kill(proc)


def memory_mib(proc):
    """Resident memory, or None."""
    if state(proc) == "dead":
        return None
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{proc['pid']}/status").read_text())
    return int(found.group(1)) // 1024 if found else None
