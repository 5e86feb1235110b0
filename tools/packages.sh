#!/bin/sh
# usage: tools/packages.sh GROUP
# Installs the Debian packages of GROUP (tools/packages.txt) that are missing, as root or through
# sudo without a password. Otherwise prints the one command to run and fails.
set -eu
here=$(dirname "$0")
group=${1:?a group of tools/packages.txt}

case $group in
    build) groups=' build ' ;;
    engine) groups=' engine ' ;;
    test) groups=' build engine test ' ;;
    bench) groups=' build bench ' ;;
    dev) groups=' build engine test dev ' ;;
    *) echo "packages: no group '$group'" >&2; exit 2 ;;
esac

wanted=
while read -r of package _; do
    case $groups in
        *" $of "*) ;;
        *) continue ;;
    esac
    case $package in
        */*) command -v "${package#*/}" > /dev/null || wanted="$wanted ${package%/*}" ;;
        *) wanted="$wanted $package" ;;
    esac
done < "$here/packages.txt"

if ! command -v dpkg-query > /dev/null; then
    echo "packages: this is no Debian system; needed are the counterparts of:$wanted" >&2
    echo "packages: going on without a check" >&2
    exit 0
fi

# dpkg-query fails if it doesn't know a package; its list still holds the others.
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2> /dev/null || true)
missing=
for package in $wanted; do
    case "
$installed
" in
        *"
installed $package
"*) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
    as_root=sudo
else
    echo "packages: these are missing:$missing" >&2
    echo "packages: run this, then make again:" >&2
    echo "    sudo sh -c 'apt-get update && $install'" >&2
    exit 1
fi

run_apt()
{
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"
}

# Package lists older than a day may name files that the mirror no longer has.
fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 2> /dev/null | head -n 1)
echo "packages: installing$missing"
[ -n "$fresh" ] || run_apt update
# shellcheck disable=SC2086
run_apt install -y --no-install-recommends $missing
