"""Instructions of a program, all threads, by cachegrind: repeatable where times on shared machines are not."""

import re
import shutil
import tempfile
from pathlib import Path

from . import peers


def count(what, command):
    """Instructions of a whole run of a command."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise peers.Failed("valgrind is missing; scripts/setup.sh installs it")
    with tempfile.TemporaryDirectory() as work:
        out = Path(work, "cachegrind")
        peers.run(what, [valgrind, "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}", *command])
        return int(re.search(r"^summary: (\d+)", out.read_text(), re.MULTILINE).group(1))


def slope(what, command, few, many):
    """Instructions per record: `command(n)` is the command line for n records."""
    return (count(what, command(many)) - count(what, command(few))) / (many - few)
