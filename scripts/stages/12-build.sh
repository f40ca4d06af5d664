# What the other stages run, compiled and fetched all at once: to link the release library keeps only one core busy.
# timeout: 1200
set -euo pipefail
# Who has no Java or no Go learns that from the stages that need them.
kafka='scripts/kafka_ready.sh 4.4.0 4.3.1 1.1.0 || [ $? = 77 ]'
go='cd bindings/go && go build -race $(go list -deps -test -f "{{if .Standard}}{{.ImportPath}}{{end}}" ./...) || echo "the stage go will tell"'
LANES=4 exec scripts/together.sh 'make --no-print-directory tools' 'cargo test --workspace --no-run && cargo build --workspace --bin xtask' \
    "$kafka" "$go"
