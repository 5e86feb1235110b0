#!/bin/bash
# usage: tools/fuzz.sh [SECONDS] [TARGET...]
# Fuzzes each target (default: all) for that long (default: FUZZ_SECONDS, or 60), one at a time,
# under the address and undefined behaviour sanitizers. What was learnt stays in build-fuzz/corpus/,
# what was found in build-fuzz/findings/. Fails if there is any finding.
set -eu
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
if [ $# -eq 0 ]; then
    for file in test/fuzz/fuzz_*.c; do
        name=${file#test/fuzz/fuzz_}
        set -- "$@" "${name%.c}"
    done
fi

CC=clang-14 tools/configure.sh build-fuzz -Dfuzzing=true -Dunit_tests=false \
    -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
ninja -C build-fuzz "${@/#/test/fuzz/fuzz_}"

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
symbolizer=$(command -v llvm-symbolizer-14 || true)
[ -z "$symbolizer" ] || export ASAN_SYMBOLIZER_PATH=$symbolizer

printf '%-16s %12s %8s %8s %8s %9s\n' target executions per_s coverage features findings
total=0
for target in "$@"; do
    corpus=build-fuzz/corpus/$target
    findings=build-fuzz/findings/$target
    log=build-fuzz/$target.log
    mkdir -p "$corpus" "$findings"
    "build-fuzz/test/fuzz/fuzz_$target" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
        -artifact_prefix="$findings/" "$corpus" "test/fuzz/corpus/$target" > "$log" 2>&1 || true
    count=$(find "$findings" -type f | wc -l)
    grep -q '^stat::number_of_executed_units' "$log" || { tail -20 "$log"; count=$((count + 1)); }
    awk -v target="$target" -v count="$count" '
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1);
                                            else if ($i == "ft:") ft = $(i + 1) }
        /^stat::number_of_executed_units/ { units = $2 }
        /^stat::average_exec_per_sec/ { rate = $2 }
        END { printf "%-16s %12d %8d %8d %8d %9d\n", target, units, rate, cov, ft, count }' "$log"
    [ "$count" -eq 0 ] || grep -m 5 -E 'BUG|ERROR:|runtime error' "$log" || true
    total=$((total + count))
done
[ "$total" -eq 0 ] || { echo "findings in build-fuzz/findings/, logs in build-fuzz/*.log"; exit 1; }
