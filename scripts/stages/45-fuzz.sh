# The fuzz targets on stable Rust, for a bounded time each; FUZZ_SEED=n replays one input.
# timeout: 600
set -euo pipefail
export FUZZ_SECONDS=${FUZZ_SECONDS:-20}
cargo test --workspace --test fuzz -- --nocapture
