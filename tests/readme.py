#!/usr/bin/env python3
"""Runs the examples of README.md: each fenced block of C, Python and Go, as it stands there, against the library in build/lib.

Usage: tests/readme.py [c] [python] [go]    (default: all)
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIB = ROOT / "build" / "lib"
EXPECTED = "Dear Milena"
SECONDS = 300


def blocks(language):
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def run(command, cwd, **env):
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
    if done.returncode != 0:
        sys.exit(f"readme: {' '.join(map(str, command))} failed ({done.returncode}):\n{done.stdout}")
    return done.stdout


def run_c(code, folder):
    (folder / "example.c").write_text(code)
    run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "example.c", "-I", ROOT / "include",
         "-L", LIB, "-lmilena", f"-Wl,-rpath,{LIB}", "-o", "example"], folder)
    return run([folder / "example"], folder)


def run_python(code, folder):
    (folder / "example.py").write_text(code)
    return run([sys.executable, "example.py"], folder, MILENA_LIBRARY=str(LIB / "libmilena.so"),
               PYTHONPATH=str(ROOT / "bindings" / "python"))


def run_go(code, folder):
    (folder / "main.go").write_text(code)
    (folder / "go.mod").write_text(
        f"module example\n\ngo 1.21\n\nrequire milena v0.0.0\n\nreplace milena => {ROOT / 'bindings' / 'go'}\n")
    return run(["go", "run", "."], folder, PKG_CONFIG_PATH=str(LIB / "pkgconfig"), LD_LIBRARY_PATH=str(LIB),
               GOFLAGS="-mod=mod")


def main():
    runners = {"c": run_c, "python": run_python, "go": run_go}
    for language in sys.argv[1:] or runners:
        found = blocks(language)
        if not found:
            sys.exit(f"readme: README.md has no {language} example")
        for i, code in enumerate(found, 1):
            with tempfile.TemporaryDirectory() as folder:
                out = runners[language](code, Path(folder))
            if EXPECTED not in out:
                sys.exit(f"readme: {language} example {i} did not print {EXPECTED!r}:\n{out}")
            print(f"readme: {language} example {i}: ok")


if __name__ == "__main__":
    main()
