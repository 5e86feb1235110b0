#!/bin/bash
# make test: everything. Each stage runs even if an earlier one failed. The last line counts the
# tests; a stage that fails before it has tests to count is one failed test.
set -u
cd "$(dirname "$0")/.." || exit 1
broken=0
logs=()

# stage TITLE COMMAND...: something that has no tests to count.
stage()
{
    echo
    echo "== $1"
    shift
    "$@" || broken=$((broken + 1))
}

# suite TITLE FOLDER COMPILER OPTIONS [ARGUMENT...]: builds FOLDER and runs its tests; the arguments
# choose among them.
suite()
{
    local title=$1 folder=$2 compiler=$3 options=$4
    shift 4
    local log=$folder/meson-logs/testlog.json
    echo
    echo "== $title"
    rm -f "$log"
    # shellcheck disable=SC2086
    if ! CC=$compiler tools/configure.sh "$folder" $options || ! ninja -C "$folder"; then
        broken=$((broken + 1))
        return
    fi
    # Sanitizers and a busy machine are slow; a limit is there to end what hangs.
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4 "$@"
    local status=$?
    if [ -s "$log" ]; then
        logs+=("$log")
    elif [ $status -ne 0 ]; then
        broken=$((broken + 1))
    fi
}

started=$SECONDS
stage 'Format and lints' tools/lint.sh
stage 'clang-tidy' tools/tidy.sh
suite 'All tests: gcc with address and undefined-behaviour sanitizers' build-asan gcc \
    '-Dbuildtype=debugoptimized -Db_sanitize=address,undefined'
suite 'Unit tests: clang' build-clang clang-14 '-Dbuildtype=debugoptimized' --suite unit
suite 'End-to-end tests: release' build "${CC-}" "-Dunit_tests=false -Dprefix=${prefix:-/usr/local}" \
    --suite e2e

echo
echo "$((SECONDS - started)) seconds"
tools/test_counts.py --broken $broken "${logs[@]}"
