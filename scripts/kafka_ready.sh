#!/usr/bin/env bash
# Gets the named Kafka versions ready. Exit code 77 (skip) when this machine has no java or mvn.
set -euo pipefail
cd "$(dirname "$0")/.."
for version in "$@"; do
    code=0
    tests/kafka/kafka_cluster.py fetch --version "$version" || code=$?
    ((code != 3)) || exit 77
    ((code == 0)) || exit "$code"
done
