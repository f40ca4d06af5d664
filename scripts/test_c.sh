#!/usr/bin/env bash
# The C programs and the tests of the C API, twice: their own side under AddressSanitizer and UndefinedBehaviorSanitizer,
# and with the Rust side under valgrind's memcheck, for which the counts are small.
#
# The library is the one that is shipped (build/lib, release). test_c.sh NAME... runs only some steps.
set -euo pipefail
cd "$(dirname "$0")/.."

CC=${CC:-cc}
strict=(-std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -Iexamples-c -Itests/capi)
sanitize=(-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
libs=(-Lbuild/lib -lmilena -lpthread -lm)
asan=build/asan
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
    --fair-sched=yes)

# compile FOLDER FLAGS...: the tests of tests/capi and the programs into FOLDER
compile() {
    local folder=$1 source
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    for source in tests/capi/*.c examples-c/milena-*.c; do
        local common=()
        [[ $source != examples-c/* ]] || common=(examples-c/common/*.c)
        "$CC" "${strict[@]}" "$@" -o "$folder/$(basename "$source" .c)" "$source" "${common[@]}" "${libs[@]}" \
            "-Wl,-rpath,$PWD/build/lib"
    done
}

# capi FOLDER RUNNER...: runs each test of tests/capi from FOLDER
capi() {
    local folder=$1 source
    shift
    for source in tests/capi/*.c; do
        echo "  $(basename "$source")"
        "$@" "$folder/$(basename "$source" .c)"
    done
}

step_compile() {
    echo "compiling with ${sanitize[*]}, and plain"
    make --no-print-directory lib
    compile "$asan" "${sanitize[@]}" &
    compile build/plain -O1 -g
    wait $!
    # A sanitizer that was not linked in would find nothing.
    nm "$asan/milena-decode" | grep -q __asan_init
}

step_capi() {
    echo "tests/capi, under AddressSanitizer"
    capi "$asan"
}

step_programs() {
    echo "the programs, under AddressSanitizer"
    MILENA_BIN=$asan python3 -m unittest discover --start-directory tests/programs
}

step_memcheck() {
    echo "tests/capi, under valgrind"
    capi build/plain timeout 300 "${memcheck[@]}"
    echo "the main paths of the programs, under valgrind"
    MILENA_BIN=build/plain MILENA_RUNNER="${memcheck[*]}" MILENA_PATIENCE=10 \
        python3 -m unittest discover --start-directory tests/programs -k MainPaths -k Decode
}

steps=("$@")
((${#steps[@]})) || steps=(compile capi programs memcheck)
for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || { echo "test_c.sh: there is no step $step" >&2; exit 2; }
    start=$SECONDS
    "step_$step"
    echo "$step: $((SECONDS - start)) s"
done
