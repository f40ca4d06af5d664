#!/usr/bin/env bash
# Runs the stages of the test suite, scripts/stages/NN-NAME.sh, in order; `scripts/test.sh NAME...` runs only some.
#
# A stage is a bash script, run at the root of the repository. It passes with exit code 0; 77 says that it can't run
# here, which counts as skipped, but in CI (CI=true) as failed. Its line "# timeout: N" ends it after N seconds.
# What it prints is in build/log/NAME.log, too; what matters of a failed one is repeated at the end.
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

run() { # LOG SECONDS COMMAND...: so that a signal to this script reaches the command, and all its children
    local log=$1 code shown
    shift
    : >"$log" # there before it is followed
    timeout --kill-after=20 "$@" </dev/null >"$log" 2>&1 &
    running=$!
    # Not a pipe: what a stage leaves behind by mistake would keep that open.
    tail -q -n +1 -s 0.2 -f --pid="$running" "$log" &
    shown=$!
    wait "$running"
    code=$?
    running=
    wait "$shown"
    return "$code"
}

# The lines of a log that tell why a stage failed: at most 8, of 200 characters.
matters() { # LOG
    awk '
        { sub(/\r$/, ""); gsub(/\033\[[0-9;]*m/, "") }
        function keep(line) { if (!seen[line]++ && kept < 8) found[kept++] = substr(line, 1, 200) }
        function name(line) { if (!seen[line]++ && names < 8) told[names++] = substr(line, 1, 200) }
        more > 0 && NF && !/^(stack backtrace|note: | *[0-9]+: | +at )/ { keep($0); more--; next }
        /panicked at|^E  +[A-Za-z]|^panic: / { keep($0); more = 1 + /panicked at/; next }
        /^error(\[|:)|: (fatal )?error: |[Aa]ssertion|AssertionError|^[A-Za-z.]*(Error|Exception|Failed): / { keep($0); next }
        /ERROR: (Address|Leak)Sanitizer|runtime error:|^==[0-9]+== [A-Z]|DATA RACE|Segmentation fault|^SIG[A-Z]+: / { keep($0); next }
        /^(---)? *--- FAIL|_test\.go:[0-9]+: |^(test\.sh|exit code [0-9]+|FAIL(ED)?|ERROR)[: ]|^would change|is missing|timed out/ { keep($0); next }
        /^test .*FAILED$|^    [a-z_:]+$|^Diff in/ { name($0) }
        NF && !/^===/ { last[NR % 5] = substr($0, 1, 200); at = NR }
        END {
            for (i = 0; i < names && kept < 8; i++) found[kept++] = told[i]
            if (!kept) for (i = at - 4; i <= at; i++) if (last[i % 5] != "" && i > 0) found[kept++] = last[i % 5]
            for (i = 0; i < kept; i++) print "    " found[i]
        }' "$1"
}

mkdir -p build/log
echo "=== setup"
run build/log/setup.log 900 scripts/setup.sh || { echo "test.sh: the set-up failed"; exit 1; }

passed=() failed=() skipped=()
began=$SECONDS
for stage in "${stages[@]}"; do
    name=${stage%%=*} path=${stage#*=}
    limit=$(sed -n 's/^# timeout: //p' "$path")
    printf '\n=== %s (%s)\n' "$name" "$path"
    start=$SECONDS
    run "build/log/$name.log" "${limit:-600}" bash "$path"
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
        echo "=== $name: FAILED after $took s ($why)" | tee -a "build/log/$name.log"
    fi
done

printf '\n=== all stages: %d s\n' $((SECONDS - began))
for name in "${failed[@]}"; do
    echo "--- $name failed; the whole output: build/log/$name.log"
    matters "build/log/$name.log"
done
((${#failed[@]} == 0)) || echo "failed: ${failed[*]}"
((${#skipped[@]} == 0)) || echo "skipped: ${skipped[*]}"
closing="${#passed[@]} passed, ${#failed[@]} failed"
((${#skipped[@]} == 0)) || closing+=", ${#skipped[@]} skipped"
echo "$closing"
((${#failed[@]} == 0 && ${#passed[@]} > 0))
