#!/usr/bin/env bash
# Runs the stages of the test suite, scripts/stages/NN-NAME.sh, in order; `scripts/test.sh NAME...` runs only some.
#
# A stage is a bash script, run at the root of the repository. It passes with exit code 0; 77 says that it can't run
# here, which counts as skipped, but in CI (CI=true) as failed. Its line "# timeout: N" ends it after N seconds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

SKIPPED=77
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

stages=()
for path in scripts/stages/*.sh; do
    name=$(basename "$path" .sh)
    name=${name#*-}
    if (($# == 0)) || [[ " $* " == *" $name "* ]]; then
        stages+=("$name=$path")
    fi
done
for wanted in "$@"; do
    if [[ " ${stages[*]-}" != *" $wanted="* ]]; then
        echo "test.sh: there is no stage $wanted; there are: $(basename -as .sh scripts/stages/*.sh | sed 's/^[0-9]*-//' | tr '\n' ' ')" >&2
        exit 2
    fi
done

running=
stop() {
    trap - INT TERM
    [ -z "$running" ] || { kill -TERM "$running"; wait "$running"; }
    echo "test.sh: interrupted"
    exit 130
}
trap stop INT TERM

run() { # SECONDS COMMAND...: so that a signal to this script reaches the command, and all its children
    timeout --kill-after=20 "$@" </dev/null &
    running=$!
    wait "$running"
    local code=$?
    running=
    return "$code"
}

echo "=== setup"
run 900 scripts/setup.sh || { echo "test.sh: the set-up failed"; exit 1; }

passed=() failed=() skipped=()
began=$SECONDS
for stage in "${stages[@]}"; do
    name=${stage%%=*} path=${stage#*=}
    limit=$(sed -n 's/^# timeout: //p' "$path")
    printf '\n=== %s (%s)\n' "$name" "$path"
    start=$SECONDS
    run "${limit:-600}" bash "$path"
    code=$?
    took=$((SECONDS - start))
    if ((code == 0)); then
        passed+=("$name")
        echo "=== $name: passed in $took s"
    elif ((code == SKIPPED)) && [ "${CI:-}" != true ]; then
        skipped+=("$name")
        echo "=== $name: SKIP"
    else
        failed+=("$name")
        why="exit code $code"
        ((code != 124 && code != 137)) || why="ran into its limit of ${limit:-600} s"
        echo "=== $name: FAILED after $took s ($why)"
    fi
done

printf '\n=== all stages: %d s\n' $((SECONDS - began))
((${#failed[@]} == 0)) || echo "failed: ${failed[*]}"
((${#skipped[@]} == 0)) || echo "skipped: ${skipped[*]}"
closing="${#passed[@]} passed, ${#failed[@]} failed"
((${#skipped[@]} == 0)) || closing+=", ${#skipped[@]} skipped"
echo "$closing"
((${#failed[@]} == 0 && ${#passed[@]} > 0))
