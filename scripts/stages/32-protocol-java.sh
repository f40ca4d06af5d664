# Every message in every version, against the classes of kafka-clients. Needs Java and Maven.
# timeout: 300
set -euo pipefail
command -v java >/dev/null && command -v mvn >/dev/null || { echo "java or mvn is missing"; exit 77; }
cargo build --quiet --workspace --bin xtask
"${CARGO_TARGET_DIR:-target}/debug/xtask" jars
cargo test --workspace --test protocol_java -- --ignored
