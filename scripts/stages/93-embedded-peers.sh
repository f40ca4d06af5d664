# Other people's clients against the embedded cluster: librdkafka from PyPI, and Java's console tools.
# timeout: 300
set -euo pipefail
tools=4.3.1 # the newest whose tools are on Maven
scripts/kafka_ready.sh "$tools"
make --no-print-directory tools
python=$(scripts/venv.sh)
exec {cluster}< <(exec build/bin/milena-cluster --brokers 3)
pid=$!
trap 'kill "$pid"' EXIT
read -r -u "$cluster" line
servers=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["bootstrap_servers"])' "$line")
peers="$python tests/embedded_peers.py $servers"
scripts/together.sh "$peers --librdkafka" "$peers --quick --java $tools"
