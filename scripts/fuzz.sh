#!/usr/bin/env bash
# Runs the fuzz targets under libFuzzer, guided by coverage and under AddressSanitizer: fuzz.sh [SECONDS [TARGET...]],
# 60 seconds each otherwise. Installs what that needs: a nightly toolchain by rustup, and cargo-fuzz into build/tools.
# What is found lies in fuzz/artifacts, what was learned in fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
targets=("${@:2}")
((${#targets[@]})) || targets=(frames records protocol)
tools=$PWD/build/tools

rustup toolchain list | grep -q '^nightly-' || rustup toolchain install nightly --profile minimal
[ -x "$tools/bin/cargo-fuzz" ] || cargo install --locked --quiet --root "$tools" cargo-fuzz
export PATH=$tools/bin:$PATH

failed=()
for target in "${targets[@]}"; do
    echo "=== $target: $seconds s"
    # A response may be large, so the limit is on single allocations, which no input may ask for in vain.
    cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 -malloc_limit_mb=1024 \
        -timeout=20 -max_len=65536 -print_final_stats=1 || failed+=("$target")
done
((${#failed[@]} == 0)) || { echo "fuzz.sh: failed: ${failed[*]}" >&2; exit 1; }
