# Unit, property and integration tests; simulation and real Kafka come later.
# timeout: 900
set -euo pipefail
shopt -s nullglob
targets=(--lib --bins)
for path in tests/*.rs tests/*/main.rs; do
    name=$(basename "${path%/main.rs}" .rs)
    case $name in
        simulation | kafka) ;;
        *) targets+=(--test "$name") ;;
    esac
done
cargo test --workspace "${targets[@]}"
