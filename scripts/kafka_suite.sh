#!/usr/bin/env bash
# What must work with every Kafka version: kafka_suite.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
scripts/kafka_ready.sh "$version"
make --no-print-directory tools
cargo test --test kafka --no-run

echo "Rust tests and the demo against the broker"
tests/kafka/kafka_cluster.py run --version "$version" -- bash -euc '
    cargo test --test kafka -- --ignored
    build/bin/milena-demo --bootstrap-servers "$MILENA_BROKER"
'
echo "Producer and consumer group"
tests/kafka/faults.py --version "$version" --nodes 1 --kills 0 --messages 20000 --throughput -1
