#!/bin/sh
# Lays out one include folder per layer: OUT/LAYER/LAYER is a link to SRC/LAYER. A compiler that is
# given only some of them can include only from those layers.
set -eu
src=$1
out=$2
for folder in "$src"/*/; do
    layer=$(basename "$folder")
    mkdir -p "$out/$layer"
    ln -sfn "$src/$layer" "$out/$layer/$layer"
done
