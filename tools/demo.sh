#!/bin/bash
# make demo (usage: tools/demo.sh CAIRN): a ledger in ./demo/ on real files of this machine. It is
# made, served, filled, stopped, and then checked by somebody who has only files, proofs and the
# ledger's trust file. What it leaves in ./demo/ is there to be looked at; the next demo removes it.
set -eu
cairn=$(realpath "${1:?the cairn program}")
cd "$(dirname "$0")/.."

demo=demo
marker=$demo/.made-by-cairn-demo # only a folder that has it is ever removed
ledger=$demo/court
trust=$ledger/court.trust
proofs=$demo/proofs
singles_wanted=12
files_wanted=4000
batch_size=1000
server=

say()
{
    printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
}

explain()
{
    printf '%s\n' "$*" | fold -s -w 96 | sed 's/ *$//; s/^/  /'
}

# Shows a command as somebody would type it, then runs it.
run()
{
    local status=0
    show "$@"
    "$cairn" "$@" > $demo/answer.txt 2>&1 || status=$?
    sed 's/^/    /' $demo/answer.txt
    [ $status -eq 0 ] || fail "that ended with $status"
}

# The same unless something goes wrong.
quietly()
{
    "$cairn" "$@" > $demo/answer.txt 2>&1 && return
    show "$@" >&2
    cat $demo/answer.txt >&2
    fail 'that should have worked'
}

show()
{
    printf '  $ cairn'
    printf ' %q' "$@"
    printf '\n'
}

fail()
{
    echo "demo: $*" >&2
    exit 1
}

stop_server()
{
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
    server=
}

now_ms()
{
    date +%s%3N
}

# rate COUNT START_MS: files a second, and the seconds, since START_MS.
rate()
{
    local ms=$(($(now_ms) - $2))
    [ $ms -gt 0 ] || ms=1
    printf '%d files in %d.%02d s: %d files a second' "$1" $((ms / 1000)) $((ms % 1000 / 10)) \
        $(($1 * 1000 / ms))
}

# An earlier demo is removed, anything else of that name is not.
prepare_folder()
{
    if [ -L $demo ] || { [ -e $demo ] && [ ! -d $demo ]; }; then
        fail "./$demo is not a folder of an earlier demo: it stays as it is. Move it away first."
    fi
    if [ -d $demo ] && [ ! -e $marker ] && [ -n "$(ls -A $demo)" ]; then
        fail "./$demo was not made by a demo: it stays as it is. Move it away first."
    fi
    if [ -e $marker ]; then
        # The lock is shared with the server: neither may still be at work.
        exec 9< $marker
        flock -n 9 || fail 'another demo is at work in this folder'
        rm -rf $demo
        exec 9<&-
    fi
    mkdir -p $demo $proofs
    echo 'This folder was made by "make demo", which removes it when it runs again.' > $marker
    exec 9< $marker
    flock -n 9
}

# Every regular file that can be read; names with a line feed could not stand in a list of names.
files_below()
{
    find "$@" -type f -readable ! -name '*
*' 2> /dev/null | LC_ALL=C sort || true
}

choose_files()
{
    files_below /usr/share/common-licenses | head -n $singles_wanted > $demo/singles.txt
    files_below /usr/share/doc /usr/share/common-licenses > $demo/all.txt
    # A small machine has few documents: the sources of Cairn itself are added to them.
    if [ "$(wc -l < $demo/all.txt)" -lt $files_wanted ]; then
        files_below "$PWD/src" "$PWD/test" "$PWD/docs" "$PWD/tools" >> $demo/all.txt
    fi
    if [ ! -s $demo/singles.txt ]; then
        head -n $singles_wanted $demo/all.txt > $demo/singles.txt
    fi
    LC_ALL=C sort $demo/singles.txt > $demo/sorted.txt
    LC_ALL=C sort -u $demo/all.txt | LC_ALL=C comm -23 - $demo/sorted.txt | head -n $files_wanted \
        > $demo/rest.txt
    split -l $batch_size -d $demo/rest.txt $demo/list-
    rm $demo/all.txt $demo/sorted.txt $demo/rest.txt
    cat $demo/list-* > $demo/batched.txt
}

start_server()
{
    show run $ledger --listen 127.0.0.1:0
    : > $demo/server.log
    "$cairn" run $ledger --listen 127.0.0.1:0 > $demo/server.log 2>&1 &
    server=$!
    local tries=0
    until grep -q '^listening on ' $demo/server.log; do
        kill -0 "$server" 2> /dev/null || { cat $demo/server.log >&2; fail 'the server ended'; }
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail 'the server was not ready within a minute'
        sleep 0.1
    done
    CAIRN_SERVER=$(sed -n 's/^listening on //p' $demo/server.log)
    export CAIRN_SERVER
    explain "It says: $(grep '^listening on ' $demo/server.log)"
}

# verify FILE PROOF WANTED: shows the verdict and demands its exit status.
verify()
{
    local status=0
    show verify "$1" --proof "$2" --trust $trust
    "$cairn" verify "$1" --proof "$2" --trust $trust > $demo/answer.txt 2>&1 || status=$?
    sed 's/^/    /' $demo/answer.txt
    [ $status -eq "$3" ] || fail "cairn verify ended with $status, not with $3"
}

# Checks many quietly: each file with the proof of its own name.
verify_all()
{
    local count=0 file proof
    while read -r file; do
        proof=$1/$(basename "$file").proof
        quietly verify "$file" --proof "$proof" --trust $trust
        count=$((count + 1))
    done
    echo $count
}

deposit_singles()
{
    local count=0 started file
    started=$(now_ms)
    while read -r file; do
        count=$((count + 1))
        set -- deposit "$file" --key $demo/clerk.key --proofs each \
            --out $proofs --trust $trust
        if [ $count -eq 1 ]; then
            run "$@"
            evidence=$(awk 'NR == 1 { print $1 }' $demo/answer.txt)
            explain '... and so on, one by one:'
        else
            quietly "$@"
        fi
    done < $demo/singles.txt
    explain "$(rate $count "$started"), each with a program start, a signature of its own, a flush of" \
        'the disk, and its proof.'
}

deposit_batches()
{
    local started list number
    started=$(now_ms)
    for list in "$demo"/list-*; do
        number=${list##*-}
        mkdir -p "$proofs/batch-$number"
        run deposit "@$list" --key $demo/clerk.key --category archive --proofs one --trust $trust \
            --out "$proofs/batch-$number"
    done
    explain "$(rate "$(wc -l < $demo/batched.txt)" "$started"), read, hashed twice (SHA-256 and SM3)," \
        'deposited, and proved.'
}

# One byte of a copy becomes another.
alter_copy()
{
    cp "$1" "$2"
    chmod u+w "$2"
    printf '#' | dd of="$2" bs=1 seek=100 conv=notrunc status=none
    cmp -s "$1" "$2" && printf '+' | dd of="$2" bs=1 seek=100 conv=notrunc status=none
    cmp "$1" "$2" | sed 's/^/    /' || true
}

trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
began=$(now_ms)

prepare_folder
choose_files

say '1. A court makes a ledger and serves it'
run init $ledger --name court
start_server

say '2. A clerk gets a key, and the operator registers it'
explain "The private key never leaves the clerk. The request proves that the clerk holds it."
run key new $demo/clerk.key
run key request $demo/clerk.key --member clerk --for $trust --out $demo/clerk.req
run member add clerk --request $demo/clerk.req --role depositor --key $ledger/operator.key

say '3. The clerk deposits files of this machine, one by one'
explain 'Only digests reach the ledger, never the files. Each file gets its proof.'
deposit_singles

say "4. ... and thousands more in batches: one signature, up to $batch_size files"
deposit_batches

say '5. The server is stopped'
stop_server
explain 'From here on there are only files: what was deposited, the proofs, and court.trust. They' \
    'could lie on another machine, in another year.'

say '6. Proofs are checked offline'
first=$(head -n 1 $demo/singles.txt)
proof=$proofs/$(basename "$first").proof
verify "$first" "$proof" 0
explain "All $(verify_all $proofs < $demo/singles.txt) files that were deposited one by one hold" \
    'in the same way.'

echo
explain 'A batch has one file of proofs, which stays with its owner. The proof of one file is cut' \
    'out of it, to be given away:'
# Every 400th file of the batches.
mkdir -p $proofs/cut
sed -n '1~400p' $demo/batched.txt > $demo/sample.txt
number=0
while read -r file; do
    line=$(grep -nxF -m 1 -- "$file" $demo/batched.txt)
    batch=$(printf '%02d' $(((${line%%:*} - 1) / batch_size)))
    number=$((number + 1))
    cut=$proofs/cut/$number.proof
    set -- proof "$file" --from "$(echo "$proofs/batch-$batch"/*.proofs)" --out "$cut"
    if [ $number -eq 1 ]; then
        run "$@"
        verify "$file" "$cut" 0
    else
        quietly "$@"
        quietly verify "$file" --proof "$cut" --trust $trust
    fi
done < $demo/sample.txt
explain "$number files out of the batches were proved and hold."

say '7. One byte is changed, and the file is refused'
mkdir -p $demo/altered
altered=$demo/altered/$(basename "$first")
alter_copy "$first" "$altered"
verify "$altered" "$proof" 1
explain 'Its digests are not the ones that the clerk signed; nothing else about the proof is wrong.'

rm -f $demo/answer.txt
say "Done in $((($(now_ms) - began) / 1000)) seconds. Nothing is running any more. To look around:"
cat << END
  cairn run $ledger &                      serves it again, on http://localhost:8420
  cairn show $evidence      what the ledger knows about the first file
  cairn inspect $proof
                                              a proof, readable
  curl http://localhost:8420/v1/ledger        the ledger's head; /openapi.yaml lists all routes
  cairn help                                  everything else

  (cairn is $cairn; "make install" puts it on the path)
  $demo/court/       the ledger: its database, keys and trust file
  $demo/proofs/      what the clerk holds: *.proof for one file, *.proofs for a batch
  $demo/altered/     the file with one byte changed
END
