# Formatting of the Rust sources.
# timeout: 120
set -euo pipefail
cargo fmt --all --check
