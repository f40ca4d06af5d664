# What is generated and committed equals what its generator makes now.
# timeout: 600
set -euo pipefail
for what in protocol header config-doc; do
    echo "xtask $what --check"
    cargo run --quiet --package xtask -- "$what" --check
done
