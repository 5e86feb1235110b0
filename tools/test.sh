#!/bin/bash
# make test: everything. Each stage runs even if an earlier one failed. The end says how long each
# took and names what failed; the last line counts the tests; a stage that fails before it has tests
# to count is one failed test.
set -u
cd "$(dirname "$0")/.." || exit 1
broken=0
logs=()
times=()

# begin TITLE, end: a stage and its time.
begin()
{
    echo
    echo "== $1"
    title=$1
    since=$SECONDS
}
end()
{
    times+=("$(printf '%5d s  %s' $((SECONDS - since)) "$title")")
}

# broke: the stage fails without a test's name.
broke()
{
    broken=$((broken + 1))
    title="$title: FAILED"
}

# stage TITLE COMMAND...: something that has no tests to count.
stage()
{
    begin "$1"
    shift
    "$@" || broke
    end
}

# suite TITLE FOLDER COMPILER OPTIONS [ARGUMENT...]: builds FOLDER and runs its tests; the arguments
# choose among them.
suite()
{
    local folder=$2 compiler=$3 options=$4
    begin "$1"
    shift 4
    local log=$folder/meson-logs/testlog.json
    rm -f "$log"
    # shellcheck disable=SC2086
    if ! CC=$compiler tools/configure.sh "$folder" $options || ! ninja -C "$folder" --quiet; then
        broke
        end
        return
    fi
    echo "built after $((SECONDS - since)) seconds"
    # Sanitizers and a busy machine are slow; a limit is there to end what hangs. Many tests wait for
    # the disk, so that there is room for more of them than processors.
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4 \
        --num-processes $((2 * $(nproc))) "$@"
    local status=$?
    if [ -s "$log" ]; then
        logs+=("$log")
    elif [ $status -ne 0 ]; then
        broke
    fi
    end
}

started=$SECONDS
stage 'Format and lints' tools/lint.sh
stage 'clang-tidy' tools/tidy.sh
# Without it (its sources come from registries the first time) the tests of a consortium fail.
stage 'The ordering engine' tools/engine.sh
suite 'All tests: gcc with address and undefined-behaviour sanitizers' build-asan gcc \
    '-Dbuildtype=debugoptimized -Db_sanitize=address,undefined'
suite 'Unit tests: clang' build-clang clang-14 '-Dbuildtype=debugoptimized' --suite unit
suite 'End-to-end tests: release' build "${CC-}" "-Dunit_tests=false -Dprefix=${prefix:-/usr/local}" \
    --suite e2e

echo
printf '%s\n' "${times[@]}"
echo "$((SECONDS - started)) seconds"
tools/test_counts.py --broken $broken "${logs[@]}"
