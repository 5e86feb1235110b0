#!/bin/sh
# usage: tools/timestamp_vectors.sh > test/vectors/timestamps.txt
#
# Makes two time-stamp authorities with the openssl command (3.0 or later) and tokens by them over
# the text "message", and prints them as a table: name, DER in hex. Keys are made anew and thrown
# away, so each run gives other bytes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf message > message

cat > openssl.cnf <<'EOF'
[ca]
default_ca = authority
[authority]
new_certs_dir = .
database = index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[middle]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[stamp]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[stamp_not_critical]
keyUsage = critical,digitalSignature
extendedKeyUsage = timeStamping
[web]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,serverAuth
[tsa]
default_tsa = service
[service]
serial = tsa_serial
crypto_device = builtin
default_policy = 1.3.6.1.4.1.99999.1
digests = sha1,sha256,sha384,sha512,SM3
signer_digest = sha256
ess_cert_id_alg = sha256
clock_precision_digits = 3
EOF
: > index
export OPENSSL_CONF="$work/openssl.cnf"

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.pem" 2>/dev/null; }

# root NAME: a self-signed certificate, valid long before and after the others.
root() {
    new_key "$1"
    openssl req -new -key "$1.pem" -subj "/CN=Root $1" -out request
    openssl ca -batch -notext -selfsign -in request -keyfile "$1.pem" -extensions root \
        -startdate 20150101000000Z -enddate 21250101000000Z -out "$1.crt" 2>/dev/null
}

# issue NAME ISSUER EXTENSIONS [START END]: a certificate for a new key, or for NAME.pem.
issue() {
    [ -f "$1.pem" ] || new_key "$1"
    openssl req -new -key "$1.pem" -subj "/CN=$1" -out request
    openssl ca -batch -notext -in request -cert "$2.crt" -keyfile "$2.pem" -extensions "$3" \
        -startdate "${4:-20200101000000Z}" -enddate "${5:-21200101000000Z}" -out "$1.crt" 2>/dev/null
}

show() { printf '%s %s\n' "$1" "$(od -An -v -tx1 "$2" | tr -d ' \n')"; }

# token NAME SIGNER DIGEST [more options]: a token as an authority of RFC 3161 answers.
token() {
    name=$1 signer=$2 digest=$3
    shift 3
    openssl ts -query -data message "-$digest" -no_nonce -cert -out query 2>/dev/null
    openssl ts -reply -queryfile query -signer "$signer.crt" -inkey "$signer.pem" -token_out \
        -out "$name.tst" "$@" 2>/dev/null
    show "$name" "$name.tst"
}

# resigned NAME SIGNER CONTENT: the TSTInfo of another token under a certificate of any kind.
resigned() {
    openssl cms -sign -binary -nodetach -cades -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 \
        -in "$3" -signer "$2.crt" -inkey "$2.pem" -outform DER -out "$1.tst"
    show "$1" "$1.tst"
}

root first
root second
issue stamp first stamp
issue stamp_second second stamp
issue expired first stamp 20200101000000Z 20210101000000Z
issue early first stamp 21100101000000Z 21200101000000Z
issue middle first middle
issue stamp_below middle stamp
issue stamp_not_critical first stamp_not_critical
issue web first web
# A certificate that only claims to be by the first root: same names, another key.
cp first.crt real.crt && cp first.pem real.pem
root first
issue forged first stamp
cp first.crt pretender.crt
cp real.crt first.crt && cp real.pem first.pem

echo "# Source: made by tools/timestamp_vectors.sh with the openssl command, for this project, Apache-2.0"
echo "# Columns: name, DER in hex. Tokens are over the text \"message\"."
openssl x509 -in first.crt -outform DER -out first.der && show root_first first.der
openssl x509 -in second.crt -outform DER -out second.der && show root_second second.der
for digest in sha1 sha256 sha384 sha512 sm3; do
    token "good_$digest" stamp "$digest"
done
token by_second stamp_second sha256
token by_intermediate stamp_below sha256 -chain middle.crt
token by_forged forged sha256
openssl ts -query -data message -sha256 -no_nonce -out query 2>/dev/null
openssl ts -reply -queryfile query -signer stamp.crt -inkey stamp.pem -token_out -out bare.tst 2>/dev/null
show without_certificate bare.tst
openssl cms -verify -noverify -binary -inform DER -in good_sha256.tst -out content 2>/dev/null
resigned resigned_good stamp content
resigned resigned_expired expired content
resigned resigned_early early content
# The same statement, made in 2020: the year in genTime is text.
LC_ALL=C sed "s/$(date -u +%Y%m%d)/2020$(date -u +%m%d)/" content > content_2020
resigned resigned_long_ago expired content_2020
resigned resigned_not_critical stamp_not_critical content
resigned resigned_web web content
printf 'no TSTInfo' > other
resigned content_no_tstinfo stamp other
openssl cms -sign -binary -nodetach -md sha256 -in message -signer stamp.crt -inkey stamp.pem \
    -outform DER -out plain.tst
show content_plain_data plain.tst
openssl ts -query -data message -sha256 -no_nonce -cert -out query 2>/dev/null
openssl ts -reply -queryfile query -signer stamp.crt -inkey stamp.pem -out response 2>/dev/null
show response_not_token response
