#!/bin/sh
# usage: tools/dist/test.sh, as root
# The archive as strangers use it. Builds the last commit in two folders, which must give the same
# bytes; then installs, upgrades and rolls back in a fresh minimal Debian that has no network.
set -eu
cd "$(dirname "$0")/../.."
source=$PWD
[ "$(id -u)" = 0 ] || { echo 'dist-test: debootstrap and chroot need root' >&2; exit 1; }
command -v debootstrap > /dev/null || { echo 'dist-test: apt-get install debootstrap' >&2; exit 1; }
work=$(mktemp -d /var/tmp/cairn-dist-XXXXXX)
cleanup()
{
    umount "$work/debian/proc" 2> /dev/null || true
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

echo '== Two builds in different folders'
for folder in one another/folder/two; do
    mkdir -p "$work/$folder"
    git archive HEAD | tar -x -C "$work/$folder"
done
(cd "$work/one" && tools/dist/dist.sh "$work/unsigned")
"$work/one/build-dist/cairn" key new "$work/release.key" > /dev/null
openssl pkey -in "$work/release.key" -pubout -out "$work/release.pem"
export DIST_KEY="$work/release.key"
for folder in one another/folder/two; do
    (cd "$work/$folder" && tools/dist/dist.sh "$work/$folder/dist")
done
cmp "$work"/one/dist/cairn-*.tar.gz "$work"/another/folder/two/dist/cairn-*.tar.gz
cmp "$work/one/dist/SHA256SUMS.sig" "$work/another/folder/two/dist/SHA256SUMS.sig"
"$work/one/tools/dist/make.py" --tree "$work/one/build-dist" --out "$work/newer" --version 99.0.0

echo '== A minimal Debian'
# The mirror is the one that this machine's own packages come from.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
debootstrap --variant=minbase --include=openssl bookworm "$work/debian" "$mirror" > "$work/log" 2>&1 ||
    { tail -n 20 "$work/log"; exit 1; }
mkdir "$work/debian/dist" "$work/debian/newer"
cp "$work"/one/dist/* "$work/release.pem" "$work/debian/dist"
cp "$work"/newer/* "$work/debian/newer"
cp "$source/tools/dist/inside.sh" "$work/debian/dist"
mount -t proc proc "$work/debian/proc"
tools/dist/isolated.py chroot "$work/debian" sh /dist/inside.sh
