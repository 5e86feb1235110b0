#!/bin/bash
# make test: everything. Each stage runs even if an earlier one failed; the last line counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=
logs=()

stage()
{
    echo
    echo "== $1"
    shift
    "$@" || failed=1
}

# suite FOLDER ARGUMENT...: runs the tests of a build folder and keeps their log for the counts.
suite()
{
    local folder=$1
    shift
    local log=$folder/meson-logs/testlog.json
    rm -f "$log"
    ninja -C "$folder" || return 1
    meson test -C "$folder" --print-errorlogs "$@" || failed=1
    [ ! -s "$log" ] || logs+=("$log")
}

stage 'Format and lints' tools/lint.sh

CC=gcc tools/configure.sh build-asan -Dbuildtype=debugoptimized \
    -Db_sanitize=address,undefined || exit 1
stage 'All tests; gcc, address and undefined behaviour sanitizers' suite build-asan

CC=clang-14 tools/configure.sh build-clang -Dbuildtype=debugoptimized || exit 1
stage 'Unit tests; clang' suite build-clang --suite unit

tools/configure.sh build -Dunit_tests=false || exit 1
stage 'End-to-end tests; release build' suite build --suite e2e

echo
[ -z "$failed" ] || echo 'make test: something above failed'
if [ ${#logs[@]} -gt 0 ]; then
    tools/test_counts.py "${logs[@]}" || failed=1
else
    failed=1
fi
[ -z "$failed" ]
