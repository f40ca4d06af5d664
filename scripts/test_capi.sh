#!/usr/bin/env bash
# The tests of the C API, tests/capi/*.c: as C11 and with warnings as errors, under AddressSanitizer and
# UndefinedBehaviorSanitizer, which see the library's memory too, and under valgrind, which sees its loads and stores.
# `scripts/test_capi.sh DIRECTORY` takes libmilena.so from there instead of build/lib.
set -euo pipefail
cd "$(dirname "$0")/.."

lib=$(realpath "${1:-build/lib}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$lib/libmilena.so" "$work/libmilena.so.0"
ln -s "$lib/libmilena.so" "$work/libmilena.so"
export LD_LIBRARY_PATH=$work
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

build() { # NAME FLAGS...: tests/capi/NAME.c into $work/NAME
    local name=$1
    shift
    cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -g -O1 -Iinclude "$@" \
        -o "$work/$name" "tests/capi/$name.c" -L"$work" -lmilena -lpthread
}

check() { # NAME: built and run twice
    local name=$1 leaks=full
    echo "$name: sanitizers"
    build "$name" -fsanitize=address,undefined -fno-omit-frame-pointer
    timeout 120 "$work/$name"
    echo "$name: valgrind"
    build "$name"
    # A forked child has the memory of threads that it does not have.
    [ "$name" != fork ] || leaks=no
    timeout 300 valgrind --quiet --error-exitcode=9 --leak-check="$leaks" --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --fair-sched=yes "$work/$name"
}
export -f build check
export work

commands=()
for path in tests/capi/*.c; do
    commands+=("check $(basename "$path" .c)")
done
scripts/together.sh "${commands[@]}"
