#!/usr/bin/env bash
# What must work with every Kafka version: kafka_suite.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
scripts/kafka_ready.sh "$version"
make --no-print-directory tools

targets=(--test kafka)
# The embedded cluster answers as the newest Kafka does.
[ "$version" != 4.4.0 ] || targets+=(--test embedded_against_kafka)
cargo test --workspace "${targets[@]}" --no-run
export TARGETS="${targets[*]}"

echo "Rust tests and the demo against the broker"
tests/kafka/kafka_cluster.py run --version "$version" -- bash -euc '
    cargo test --workspace $TARGETS -- --ignored
    build/bin/milena-demo --bootstrap-servers "$MILENA_BROKER"
'
echo "Producer and consumer group"
tests/kafka/faults.py --version "$version" --nodes 1 --kills 0 --messages 20000 --throughput -1
