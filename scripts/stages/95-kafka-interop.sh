# What Milena, Java's client and librdkafka write, each of them reads, for every codec, on the newest Kafka and the oldest.
# timeout: 900
set -euo pipefail
scripts/kafka_ready.sh 4.4.0 1.1.0
make --no-print-directory lib
for version in 4.4.0 1.1.0; do
    echo "Kafka $version"
    tests/kafka/interop.py --version "$version"
done
