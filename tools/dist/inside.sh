#!/bin/sh
# usage: inside.sh, as root in a fresh minimal Debian without a network (tools/dist/test.sh)
# Installs the archive that lies in /dist, runs a ledger from it, upgrades to /newer, rolls back.
set -eu
key=/dist/release.pem
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

step()
{
    echo "== $1"
}

# deposit NAME: deposits a file and verifies its proof with the current version.
deposit()
{
    echo "contents of $1" > "$1"
    $cairn deposit "$1" --key alice.key
    $cairn verify "$1" --proof "$1.proof" --trust ledger/court.trust
}

# with_node COMMAND...: runs it while a node of the current version serves the ledger.
with_node()
{
    $cairn run ledger --listen 127.0.0.1:8420 > node.log 2>&1 &
    node=$!
    tries=0
    until grep -q 'listening on' node.log; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { cat node.log; exit 1; }
        sleep 0.1
    done
    "$@"
    kill -TERM $node
    wait $node
}

register_alice()
{
    $cairn key new alice.key
    $cairn key request alice.key --member alice --for ledger/court.trust --out alice.req
    $cairn member add alice --request alice.req --role depositor --key ledger/operator.key
}

step 'No network, and none of the libraries'
[ "$(ls /sys/class/net 2> /dev/null || echo lo)" = lo ]
if dpkg -s librocksdb7.8 > /dev/null 2>&1; then
    echo 'librocksdb is here already'
    exit 1
fi

step 'Install'
find / -xdev -path /proc -prune -o -path /dist -prune -o -print | sort > /before
sh /dist/install.sh install --key $key /dist/cairn-*.tar.gz
cairn=/opt/cairn/current/bin/cairn
version=$(readlink /opt/cairn/current)
[ "$($cairn --version)" = "cairn $version" ]

step 'What is there now is /opt/cairn and what dpkg knows'
find / -xdev -path /proc -prune -o -path /dist -prune -o -print | sort > /after
comm -13 /before /after | grep -v -e '^/opt' -e '^/var/lib/dpkg' -e '^/var/log/dpkg.log$' \
    -e '^/var/cache/ldconfig' -e '^/after$' -e '^/before$' -e '^/usr/share/doc' > /new || true
while read -r path; do
    dpkg -S "$path" > /dev/null 2>&1 || dpkg -S "${path#/usr}" > /dev/null 2>&1 ||
        { echo "nobody owns $path"; exit 1; }
done < /new

step 'Deposit and verify'

cd /srv
$cairn init ledger --name court
with_node register_alice
with_node deposit one

step 'Upgrade'
sh /opt/cairn/current/install.sh upgrade --key $key --ledger /srv/ledger /newer/cairn-*.tar.gz
[ "$(readlink /opt/cairn/current)" = 99.0.0 ]
with_node deposit two

step 'Roll back'
sh /opt/cairn/current/install.sh rollback --ledger /srv/ledger
[ "$(readlink /opt/cairn/current)" = "$version" ]
with_node deposit three
for name in one two three; do
    $cairn verify $name --proof $name.proof --trust ledger/court.trust > /dev/null
done
echo 'installed, upgraded and rolled back without a network'
