#!/bin/bash
# usage: test/determinism/run.sh SOURCES FOLDER
# Same blocks, gcc and clang, -O0 and -O2: same bytes. Builds what plays blocks four times below
# FOLDER, makes one sequence of blocks and compares what each build says of it. CAIRN_SEED makes
# another sequence.
set -eu
sources=$1
folder=$2
seed=${CAIRN_SEED:-1764021429}
blocks=700
file=$folder/sequence
export TMPDIR=$folder/tmp
mkdir -p "$TMPDIR"

ccache=$(command -v ccache || true)
first=
differ=
for compiler in gcc clang-14; do
    for level in 0 2; do
        build=$folder/$compiler-O$level
        if [ ! -f "$build/build.ninja" ]; then
            CC="$ccache $compiler" meson setup "$build" "$sources" -Dunit_tests=false \
                -Dbuildtype=plain -Doptimization=$level > "$build.log" 2>&1 ||
                { cat "$build.log"; exit 1; }
        fi
        ninja -C "$build" test/determinism/blocks > "$build.log" 2>&1 ||
            { cat "$build.log"; exit 1; }
        program=$build/test/determinism/blocks
        if [ -z "$first" ]; then
            first=$folder/made.txt
            "$program" make "$file" "$seed" $blocks > "$first"
            echo "seed $seed, $blocks blocks, made by $compiler -O$level:"
            cat "$first"
        fi
        "$program" play "$file" > "$build.txt"
        if cmp -s "$first" "$build.txt"; then
            echo "$compiler -O$level: the same"
        else
            echo "$compiler -O$level: differs"
            diff "$first" "$build.txt" || true
            differ=1
        fi
    done
done
if [ -n "$differ" ]; then
    echo "the sequence is $file"
    exit 1
fi
