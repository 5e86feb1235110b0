#!/bin/sh
# make check: what must hold at every commit, in about a minute.
set -eu
cd "$(dirname "$0")/.."
tools/lint.sh
tools/configure.sh build-check -Dbuildtype=debugoptimized
ninja -C build-check
meson test -C build-check --print-errorlogs --suite unit --suite replay --suite lint
tools/test_counts.py build-check/meson-logs/testlog.json
