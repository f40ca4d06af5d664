# Clients against the embedded cluster under a virtual clock with seeded faults. SEED=n replays one seed.
# timeout: 900
set -euo pipefail
export SEEDS=${SEEDS:-200}
echo "seeds: ${SEED:-$SEEDS of them}"
cargo test --workspace --test simulation -- --nocapture
