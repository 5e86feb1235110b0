#!/bin/sh
# Prints the C files of the project, one a line. The examples of test/lint/ are wrong on purpose.
set -eu
cd "$(dirname "$0")/.."
for folder in src test examples; do
    [ ! -d "$folder" ] || find "$folder" -path test/lint -prune -o -name '*.[ch]' -print
done | sort
