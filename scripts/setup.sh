#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: Debian packages when this is root, and build/venv.
# What it can't install it names; the stages that need it then skip (real Kafka) or fail.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}
need cc gcc
need c++ g++
need make make
need pkg-config pkg-config
need valgrind valgrind
need nm binutils
need python3 python3
need java openjdk-17-jdk-headless
need javac openjdk-17-jdk-headless
need mvn maven
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)

if ((${#missing[@]})); then
    echo "setup: missing packages: ${missing[*]}"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
        echo "setup: installed"
    else
        echo "setup: install them by hand (Debian's names)"
    fi
fi
command -v cargo >/dev/null || { echo "setup: Rust 1.85 or newer is needed: cargo" >&2; exit 1; }
command -v go >/dev/null || echo "setup: Go 1.21 or newer is not installed; the stage of the Go wrapper will fail"
echo "setup: $(scripts/venv.sh)"
