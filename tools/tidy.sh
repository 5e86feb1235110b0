#!/bin/sh
# make tidy: clang-tidy 14 over src/, one process a file (several files in one process give false
# reports), from a clang build folder of its own, which knows no gcc-only flags.
# usage: tools/tidy.sh [REGEX of files]
set -eu
cd "$(dirname "$0")/.."
CC=clang-14 tools/configure.sh build-clang -Dbuildtype=debugoptimized
run-clang-tidy-14 -quiet -p build-clang -j "$(nproc)" "${1:-$PWD/src/}" 2> /dev/null
