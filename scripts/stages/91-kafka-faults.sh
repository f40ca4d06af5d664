# Three nodes, killed one after the other under load.
# timeout: 600
set -euo pipefail
scripts/kafka_ready.sh 4.4.0
make --no-print-directory tools
tests/kafka/faults.py --version 4.4.0 --nodes 3 --kills 2
