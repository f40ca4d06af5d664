#!/usr/bin/env bash
# Checks the library and the generators with the oldest Rust that is promised (rust-version in Cargo.toml). Installs
# that toolchain by rustup when it is not there; exit code 77 (skip) without rustup.
#
# Tests are left out: their packages may want a newer Rust than who uses the library needs.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v rustup >/dev/null || { echo "rustup is not installed: Rust $version is not checked"; exit 77; }
rustup toolchain list | grep -q "^$version-" || rustup toolchain install "$version" --profile minimal
# Its own folder: two compilers in one would each throw away what the other made.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/msrv exec cargo "+$version" check --workspace --locked "$@"
