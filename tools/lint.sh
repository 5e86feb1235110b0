#!/bin/sh
# Format and lints: what can be said about the sources without compiling them.
set -eu
cd "$(dirname "$0")/.."
failed=

tools/sources.sh | xargs clang-format-14 --dry-run -Werror || failed=1
tools/lint.py || failed=1
tools/tour_check.sh || failed=1
if command -v shellcheck > /dev/null; then
    # shellcheck disable=SC2046
    shellcheck .ci/run $(find tools test -name '*.sh' | sort) || failed=1
fi
[ -z "$failed" ]
