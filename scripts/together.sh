#!/usr/bin/env bash
# Runs commands at the same time, LANES (2 otherwise) at once: together.sh COMMAND..., each one string for bash.
# The output of each is printed whole when it ends. Exit code 1 when one of them failed.
set -uo pipefail
together=$(mktemp -d)
trap 'rm -rf "$together"' EXIT
export together

one() { # COMMAND
    local start=$SECONDS code=0 out
    out=$(mktemp -p "$together")
    bash -euo pipefail -c "$1" >"$out" 2>&1 || code=$?
    {
        flock 9
        printf -- '--- %s\n' "$1"
        cat "$out"
        ((code == 0)) || printf 'exit code %d: %s\n' "$code" "$1"
        printf -- '--- %d s\n' $((SECONDS - start))
    } 9>"$together/printing"
    ((code == 0))
}
export -f one

printf '%s\0' "$@" | xargs -0 -n 1 -P "${LANES:-2}" bash -c 'one "$1"' together || exit 1
