#!/bin/sh
# usage: [CC=COMPILER] tools/configure.sh FOLDER -Doption=value...
# Sets a build folder up, once; later only changes the options that differ from what it has.
set -eu
folder=$1
shift
if [ ! -f "$folder/build.ninja" ]; then
    meson setup "$folder" "$@" > "$folder.log" 2>&1 || { cat "$folder.log"; rm "$folder.log"; exit 1; }
    rm "$folder.log"
    echo "$*" > "$folder/configured"
elif [ -f "$folder/configured" ] && [ "$*" != "$(cat "$folder/configured")" ]; then
    meson configure "$folder" "$@"
    echo "$*" > "$folder/configured"
fi
