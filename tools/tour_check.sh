#!/bin/sh
# usage: tools/tour_check.sh [TEXT [SOURCES]]
# Fails if a text names a function that is gone: `name()` in backticks must occur as name( in SOURCES.
set -eu
cd "$(dirname "$0")/.."
text=${1:-CONTRIBUTING.md}
sources=${2:-src}
failed=

# shellcheck disable=SC2016
for name in $(grep -oE '`[a-z_][a-z0-9_]*\(\)`' "$text" | tr -d '`()' | sort -u); do
    if ! grep -rqE --include='*.[ch]' "(^|[^a-zA-Z0-9_])$name\(" "$sources"; then
        echo "$text: there is no function $name in $sources" >&2
        failed=1
    fi
done
[ -z "$failed" ]
