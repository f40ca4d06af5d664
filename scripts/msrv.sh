#!/usr/bin/env bash
# Checks the library and the generators with the oldest Rust that is promised (rust-version in Cargo.toml). Installs
# that toolchain by rustup when it is not there; exit code 77 (skip) when it can't be had.
#
# Tests are left out: their packages may want a newer Rust than who uses the library needs.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v rustup >/dev/null || { echo "rustup is not installed: Rust $version is not checked"; exit 77; }
if ! rustup toolchain list | grep -q "^$version-"; then
    timeout 300 rustup toolchain install "$version" --profile minimal || {
        echo "rustup can't install Rust $version: it is not checked"
        exit 77
    }
fi
# Its own folder: two compilers in one would each throw away what the other made.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/msrv exec cargo "+$version" check --workspace --locked "$@"
