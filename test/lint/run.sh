#!/bin/sh
# usage: test/lint/run.sh PROJECT
# Each folder of test/lint/bad/ is a small source tree with a file `expect`: the complaints that
# tools/lint.py must make about it, one a line, and no others.
set -eu
project=$1
failed=
count=0
got=$(mktemp)
trap 'rm -f "$got"' EXIT

cd "$project/test/lint/bad"
for tree in *; do
    count=$((count + 1))
    "$project/tools/lint.py" "$tree" > "$got" || true
    if ! diff -u "$tree/expect" "$got"; then
        echo "FAIL: $tree"
        failed=1
    fi
done
[ "$count" -gt 0 ]

# Too long to keep as an example.
long=$(mktemp -d)
trap 'rm -rf "$got" "$long"' EXIT
mkdir -p "$long/src/base"
seq 901 | sed 's/.*/extern int number_&;/' > "$long/src/base/lines.c"
"$project/tools/lint.py" "$long" > "$got" || true
if [ "$(cat "$got")" != 'src/base/lines.c:902: [size] file has more than 900 lines' ]; then
    echo 'FAIL: a file of 901 lines passes'
    failed=1
fi

wanted='test/lint/tour.txt: there is no function gone_name in test/lint/tour'
if "$project/tools/tour_check.sh" test/lint/tour.txt test/lint/tour 2> "$got" ||
    [ "$(cat "$got")" != "$wanted" ]; then
    echo 'FAIL: the tour names a function that is gone, and the check does not say so'
    failed=1
fi
if "$project/tools/test_counts.py" "$project/test/lint/testlog.json" > "$got" ||
    [ "$(tail -n 1 "$got")" != '4 passed, 5 failed, 3 skipped' ]; then
    echo 'FAIL: the tests of a log are counted wrongly'
    failed=1
fi
echo "$count trees"
[ -z "$failed" ]
