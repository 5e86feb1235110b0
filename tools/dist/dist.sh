#!/bin/sh
# usage: [DIST_KEY=KEY.pem] tools/dist/dist.sh [OUT]
# Builds the release in build-dist and makes its archive in OUT, dist/ unless said.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-dist}
# The compiler's own: what a distribution adds to it by the environment would be in the archive.
unset CFLAGS CPPFLAGS LDFLAGS
export LC_ALL=C
tools/configure.sh build-dist -Dunit_tests=false -Dbuildtype=release
ninja -C build-dist --quiet
tools/dist/make.py --tree build-dist --out "$out" --packages build-dist/packages
