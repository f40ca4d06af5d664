# Lints, warnings are errors.
# timeout: 900
set -euo pipefail
cargo clippy --workspace --all-targets -- -D warnings
