#!/usr/bin/env bash
# Makes build/venv, a Python environment with the pinned packages of requirements.txt, unless it is there already.
# Prints its python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/build/venv
stamp=$venv/requirements.txt
if ! cmp -s "$root/scripts/requirements.txt" "$stamp"; then
    rm -rf "$venv"
    {
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$root/scripts/requirements.txt"
    } >&2
    cp "$root/scripts/requirements.txt" "$stamp"
fi
echo "$venv/bin/python"
