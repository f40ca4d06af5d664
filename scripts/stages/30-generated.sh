# What is generated and committed equals what its generator makes now.
# timeout: 600
set -euo pipefail
# Of the whole workspace, because that is what the stages before built: alone it would be built once more.
cargo build --quiet --workspace --bin xtask
for what in protocol header config-doc; do
    echo "xtask $what --check"
    "${CARGO_TARGET_DIR:-target}/debug/xtask" "$what" --check
done
