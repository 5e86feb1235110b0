#!/bin/sh
# usage: tools/tidy.sh [FILE...]
# clang-tidy 14 over src/ or the files named, one process a file (several files in one process give
# false reports), with the flags of a clang build folder, which has no gcc-only ones.
set -eu
cd "$(dirname "$0")/.."
CC=clang-14 tools/configure.sh build-clang -Dbuildtype=debugoptimized
ninja -C build-clang build.ninja > /dev/null
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(tools/sources.sh | grep '^src/.*\.c$')
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p build-clang 2> /dev/null
