#!/usr/bin/env bash
# The C programs, twice: all that tests/programs has to say of them with their own code under AddressSanitizer and
# UndefinedBehaviorSanitizer; then the main paths under valgrind's memcheck, which sees what the library does.
# (The tests of the C API itself: test_capi.sh.)
#
# test_c.sh STEP... runs only some of the steps compile, programs, memcheck, both. MILENA_LIB names the library's directory.
set -euo pipefail
cd "$(dirname "$0")/.."

CC=${CC:-cc}
lib=${MILENA_LIB:-build/lib}
strict=(-std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -Iexamples-c)
sanitize=(-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
    --show-leak-kinds=definite --fair-sched=yes)

# compile FOLDER FLAGS...: the programs into FOLDER
compile() {
    local folder=$1 source object objects=()
    shift
    mkdir -p "$folder"
    ln -sf "$(realpath "$lib")/libmilena.so" "$folder/libmilena.so.0"
    for source in examples-c/common/*.c; do
        object=$folder/$(basename "$source" .c).o
        "$CC" "${strict[@]}" "$@" -c -o "$object" "$source"
        objects+=("$object")
    done
    for source in examples-c/milena-*.c; do
        "$CC" "${strict[@]}" "$@" -o "$folder/$(basename "$source" .c)" "$source" "${objects[@]}" \
            "$folder/libmilena.so.0" -lpthread -lm "-Wl,-rpath,$PWD/$folder"
    done
}

# discover ARGUMENT...: runs tests of tests/programs
discover() {
    python3 -m unittest discover -q --start-directory tests/programs "$@"
}

step_compile() {
    echo "compiling with ${sanitize[*]}, and without"
    [ -n "${MILENA_LIB:-}" ] || make --no-print-directory lib
    rm -rf build/asan build/plain
    compile build/asan "${sanitize[@]}"
    compile build/plain -O1 -g
    # A sanitizer that was not linked in would find nothing.
    nm build/asan/milena-decode | grep __asan_init >/dev/null
}

step_programs() {
    echo "the programs, under AddressSanitizer"
    MILENA_BIN=build/asan MILENA_PATIENCE=2 discover
}

step_memcheck() {
    echo "their main paths, under valgrind"
    MILENA_BIN=build/plain MILENA_RUNNER="${memcheck[*]}" MILENA_PATIENCE=10 discover -k MainPaths -k Decode
}

step_both() { # Each keeps about one core busy.
    scripts/together.sh 'scripts/test_c.sh memcheck' 'scripts/test_c.sh programs'
}

steps=("$@")
((${#steps[@]})) || steps=(compile both)
for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || { echo "test_c.sh: there is no step $step" >&2; exit 2; }
    start=$SECONDS
    "step_$step"
    echo "$step: $((SECONDS - start)) s"
done
