#!/bin/sh
# Installs Cairn from its archive, beside other versions of it, and without a network.
#
#   sh install.sh install  --key PUBLIC.pem ARCHIVE
#   sh install.sh upgrade  --key PUBLIC.pem --ledger DIR... ARCHIVE
#   sh install.sh rollback --ledger DIR... [VERSION]
#   sh install.sh list
#
# PREFIX (--prefix, else /opt/cairn) gets a folder for each VERSION and the link `current`; nothing
# else is made but what Debian's packages of the archive hold, those that are missing here or older.
# An upgrade asks the new version whether it reads each ledger before the link moves; a rollback asks
# the old one. SHA256SUMS and SHA256SUMS.sig lie beside the archive. PUBLIC.pem is the key of whoever
# made it, which you have from them by another way.
set -eu
umask 022

prefix=/opt/cairn
key=
ledgers=
no_ledger=
packages=yes
operand=

fail()
{
    echo "install: $1" >&2
    exit 1
}

usage()
{
    sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
    exit 2
}

# ---- the archive

# Everything rests on one signature: of SHA256SUMS, which names the archive's digest.
verify_archive()
{
    archive=$1
    [ -n "$key" ] || fail "--key PUBLIC.pem is missing: the key of whoever made the archive."
    [ -f "$key" ] || fail "there is no file $key."
    [ -f "$archive" ] || fail "there is no archive $archive."
    folder=$(dirname "$archive")
    name=$(basename "$archive")
    for file in SHA256SUMS SHA256SUMS.sig; do
        [ -f "$folder/$file" ] || fail "$folder/$file is missing; it comes with the archive."
    done
    command -v openssl > /dev/null ||
        fail "the program openssl is missing, which checks signatures; it is on Debian's medium."
    openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$folder/SHA256SUMS" \
        -sigfile "$folder/SHA256SUMS.sig" > /dev/null 2>&1 ||
        fail "SHA256SUMS is not signed by $key. Do not use this archive."
    wanted=$(awk -v name="$name" '$2 == name { print $1 }' "$folder/SHA256SUMS")
    [ -n "$wanted" ] || fail "SHA256SUMS does not name $name."
    found=$(sha256sum "$archive" | cut -d ' ' -f 1)
    [ "$found" = "$wanted" ] || fail "$name is damaged: its digest is not that of SHA256SUMS."
}

# Unpacks into PREFIX/.new, which is checked and gets its name when it is whole.
unpack()
{
    mkdir -p "$prefix" || fail "$prefix can't be made; run this as root, or give --prefix."
    [ -w "$prefix" ] || fail "$prefix can't be written; run this as root, or give --prefix."
    new=$prefix/.new
    rm -rf "$new"
    mkdir "$new"
    trap 'rm -rf "$new"' EXIT
    tar -xzf "$1" -C "$new" --strip-components=1 --no-same-owner
    (cd "$new" && sha256sum --check --quiet SHA256SUMS) || fail "the archive is damaged."
    version=$(sed -n 's/^version //p' "$new/VERSION")
    architecture=$(sed -n 's/^architecture //p' "$new/VERSION")
    case $version in
        '' | .* | *[!0-9A-Za-z.+~-]*) fail "'$version' is no version." ;;
    esac
    [ "$architecture" = "$(dpkg --print-architecture)" ] ||
        fail "the archive is for $architecture, this machine is $(dpkg --print-architecture)."
}

# ---- Debian's packages

# The bundled packages that this system lacks, or has in an older version.
wanted_packages()
{
    [ -f "$new/packages/LIST" ] || return 0
    while read -r package wants _ file; do
        has=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2> /dev/null || true)
        case $has in
            'installed '*) dpkg --compare-versions "${has#installed }" ge "$wants" && continue ;;
        esac
        echo "$new/packages/$file"
    done < "$new/packages/LIST"
}

install_packages()
{
    [ "$packages" = yes ] || return 0
    files=$(wanted_packages)
    [ -n "$files" ] || return 0
    [ "$(id -u)" = 0 ] || fail "these packages are missing or older here; run this as root:
$(echo "$files" | sed 's|.*/|  |')"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive dpkg --install $files ||
        fail "dpkg could not install the packages; see above. Nothing else was changed."
}

# ---- versions

place()
{
    if [ -e "$prefix/$version" ]; then
        cmp -s "$new/SHA256SUMS" "$prefix/$version/SHA256SUMS" ||
            fail "$prefix/$version is there and differs from the archive; remove it first."
        echo "install: $prefix/$version is there already."
        return 0
    fi
    "$new/bin/cairn" --version > /dev/null || fail "the program does not start on this system."
    sync -f "$new"
    mv "$new" "$prefix/$version"
}

current_version()
{
    if [ -L "$prefix/current" ]; then
        readlink "$prefix/current"
    fi
}

# The link moves in one step, so that there is always a version.
switch_to()
{
    before=$(current_version)
    ln -sfn "$1" "$prefix/.current"
    mv -T "$prefix/.current" "$prefix/current"
    if [ -n "$before" ] && [ "$before" != "$1" ]; then
        ln -sfn "$before" "$prefix/.previous"
        mv -T "$prefix/.previous" "$prefix/previous"
    fi
    sync -f "$prefix"
    echo "install: $prefix/current is version $1."
}

# Does the version read every ledger?
check_ledgers()
{
    [ -n "$ledgers" ] || [ -n "$no_ledger" ] ||
        fail "name each ledger of this machine by --ledger DIR, or say --no-ledger."
    echo "$ledgers" | while read -r ledger; do
        [ -n "$ledger" ] || continue
        "$prefix/$1/bin/cairn" format "$ledger" ||
            fail "version $1 does not read $ledger; the link stays where it was."
    done
}

after_switch()
{
    echo "install: a node that runs goes on as it is; restart it to use this version."
}

do_install()
{
    verify_archive "$1"
    unpack "$1"
    install_packages
    place
    if [ -z "$(current_version)" ]; then
        switch_to "$version"
        echo "install: the program is $prefix/current/bin/cairn."
    else
        echo "install: $prefix/current stays $(current_version); 'upgrade' moves it."
    fi
}

do_upgrade()
{
    [ -n "$(current_version)" ] || fail "nothing is installed in $prefix yet: install."
    verify_archive "$1"
    unpack "$1"
    install_packages
    place
    check_ledgers "$version"
    switch_to "$version"
    after_switch
}

do_rollback()
{
    to=${1:-}
    if [ -z "$to" ] && [ -L "$prefix/previous" ]; then
        to=$(readlink "$prefix/previous")
    fi
    [ -n "$to" ] || fail "there is no version before this one; name one: install.sh list."
    case $to in
        .* | */*) fail "'$to' is no version." ;;
    esac
    [ -x "$prefix/$to/bin/cairn" ] || fail "version $to is not in $prefix."
    check_ledgers "$to"
    switch_to "$to"
    after_switch
}

do_list()
{
    for program in "$prefix"/*/bin/cairn; do
        found=$(basename "$(dirname "$(dirname "$program")")")
        case $found in
            '*' | current | previous) continue ;;
        esac
        mark=
        [ "$found" = "$(current_version)" ] && mark=' (current)'
        echo "$found$mark"
    done
}

[ $# -gt 0 ] || usage
verb=$1
shift
while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --key | --ledger)
            [ $# -gt 1 ] || fail "$1 lacks its value."
            case $1 in
                --prefix) prefix=$2 ;;
                --key) key=$2 ;;
                --ledger) ledgers="$ledgers$2
" ;;
            esac
            shift
            ;;
        --no-ledger) no_ledger=yes ;;
        --no-packages) packages=no ;;
        -*) usage ;;
        *)
            [ -z "$operand" ] || usage
            operand=$1
            ;;
    esac
    shift
done
case $prefix in
    /*) ;;
    *) fail "--prefix is a whole path, from / on." ;;
esac
case $verb in
    install | upgrade)
        [ -n "$operand" ] || usage
        "do_$verb" "$operand"
        ;;
    rollback) do_rollback "$operand" ;;
    list) do_list ;;
    *) usage ;;
esac
