#!/usr/bin/env python3
"""usage: tools/x509_vectors.py > test/vectors/x509.txt

Certificates that keep each rule of src/crypto/x509.h or break exactly one of them, and the cases
that judge them. Deterministic: keys follow from names, nonces from messages. Standard library only.
"""
import hashlib
import sys

import ed25519_edges as ed

sys.setrecursionlimit(10000)

# ---- DER


def tlv(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def seq(*parts):
    return tlv(0x30, b"".join(parts))


def number(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        octets = [arc & 127]
        while arc > 127:
            arc >>= 7
            octets.append(arc & 127 | 128)
        out += bytes(reversed(octets))
    return tlv(6, out)


def bits(content, unused=0):
    return tlv(3, bytes([unused]) + content)


def octets(content):
    return tlv(4, content)


TRUE = b"\x01\x01\xff"
NULL = b"\x05\x00"

# ---- keys


def stream(seed, length):
    out = b""
    while len(out) < length:
        out += hashlib.sha256(b"%s/%d" % (seed.encode(), len(out))).digest()
    return out[:length]


class Ed25519:
    algorithm = seq(oid("1.3.101.112"))

    def __init__(self, name):
        digest = hashlib.sha512(stream(name, 32)).digest()
        self.prefix = digest[32:]
        self.a = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.public = ed.encode(ed.multiply(self.a, ed.BASE))
        self.spki = seq(self.algorithm, bits(self.public))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ed.L
        point = ed.encode(ed.multiply(r, ed.BASE))
        k = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little")
        return point + ((r + k * self.a) % ed.L).to_bytes(32, "little")


class Curve:
    def __init__(self, *, name, p, a, b, n, gx, gy, size):
        self.name, self.p, self.a, self.b, self.n, self.size = name, p, a, b, n, size
        self.g = gx, gy

    def add(self, one, two):
        if one is None or two is None:
            return one or two
        if one[0] == two[0]:
            if (one[1] + two[1]) % self.p == 0:
                return None
            slope = (3 * one[0] * one[0] + self.a) * pow(2 * one[1], -1, self.p)
        else:
            slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, self.p)
        x = (slope * slope - one[0] - two[0]) % self.p
        return x, (slope * (one[0] - x) - one[1]) % self.p

    def multiply(self, n, point):
        out = None
        while n:
            if n & 1:
                out = self.add(out, point)
            point = self.add(point, point)
            n >>= 1
        return out

    def put(self, n):
        return n.to_bytes(self.size, "big")

    def explicit(self):
        """The parameters spelt out instead of the name (RFC 3279, 2.3.5)."""
        field = seq(oid("1.2.840.10045.1.1"), number(self.p))
        base = octets(b"\4" + self.put(self.g[0]) + self.put(self.g[1]))
        return seq(number(1), field, seq(octets(self.put(self.a)), octets(self.put(self.b))), base,
                   number(self.n), number(1))


def nist(name, p, b, n, gx, gy, size):
    return Curve(name=name, p=p, a=p - 3, b=int(b, 16), n=n, gx=int(gx, 16), gy=int(gy, 16),
                 size=size)


P256 = nist("1.2.840.10045.3.1.7", 2**256 - 2**224 + 2**192 + 2**96 - 1,
            "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5", 32)
P384 = nist("1.3.132.0.34", 2**384 - 2**128 - 2**96 + 2**32 - 1,
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
            "c656398d8a2ed19d2a85c8edd3ec2aef",
            2**384 - 0x389cb27e0bc8d220a7e5f24db74f58851313e695333ad68d,
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
            "5502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
            "0a60b1ce1d7e819d7a431d7c90ea0e5f", 48)
P521 = nist("1.3.132.0.35", 2**521 - 1,
            "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109"
            "e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
            2**521 - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7,
            "c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3d"
            "baa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
            "11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e6"
            "62c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 66)
SM2 = nist("1.2.156.10197.1.301", 2**256 - 2**224 - 2**96 + 2**64 - 1,
           "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
           0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123,
           "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
           "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0", 32)

EC_KEY = "1.2.840.10045.2.1"


class Elliptic:
    def __init__(self, name, curve, digest, algorithm, *, explicit=False):
        self.curve, self.digest, self.algorithm = curve, digest, seq(oid(algorithm))
        self.d = int.from_bytes(stream(name, curve.size), "big") % (curve.n - 1) + 1
        self.q = curve.multiply(self.d, curve.g)
        self.public = b"\4" + curve.put(self.q[0]) + curve.put(self.q[1])
        parameters = curve.explicit() if explicit else oid(curve.name)
        self.spki = seq(seq(oid(EC_KEY), parameters), bits(self.public))

    def hashed(self, message):
        return int.from_bytes(hashlib.new(self.digest, message).digest(), "big")

    def sign(self, message):
        n, g = self.curve.n, self.curve.g
        k = int.from_bytes(hashlib.sha512(b"nonce" + message).digest(), "big") % (n - 1) + 1
        x = self.curve.multiply(k, g)[0]
        if self.digest == "sm3":
            put = self.curve.put
            z = hashlib.new("sm3", b"\x00\x801234567812345678" + put(self.curve.a) +
                            put(self.curve.b) + put(g[0]) + put(g[1]) + self.public[1:]).digest()
            r = (self.hashed(z + message) + x) % n
            s = pow(1 + self.d, -1, n) * (k - r * self.d) % n
        else:
            r = x % n
            s = pow(k, -1, n) * (self.hashed(message) + r * self.d) % n
        return seq(number(r), number(s))


def p256(name, **options):
    return Elliptic(name, P256, "sha256", "1.2.840.10045.4.3.2", **options)


def is_prime(n):
    if any(n % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        x = pow(base, odd, n)
        if x not in (1, n - 1):
            for _ in range(twos - 1):
                x = x * x % n
                if x == n - 1:
                    break
            else:
                return False
    return True


def prime(name, size, e):
    n = int.from_bytes(stream(name, size // 8), "big") | 3 << (size - 2) | 1
    while not (is_prime(n) and (n - 1) % e):
        n += 2
    return n


RSA_WITH = {"md5": ("1.2.840.113549.1.1.4", "1.2.840.113549.2.5"),
            "sha1": ("1.2.840.113549.1.1.5", "1.3.14.3.2.26"),
            "sha256": ("1.2.840.113549.1.1.11", "2.16.840.1.101.3.4.2.1"),
            "sha512": ("1.2.840.113549.1.1.13", "2.16.840.1.101.3.4.2.3")}


def rsa_spki(n, e):
    return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(number(n), number(e))))


class Rsa:
    def __init__(self, name, size=2048, e=65537, digest="sha256"):
        p, q = prime(name + "/p", size // 2, e), prime(name + "/q", size // 2, e)
        self.n, self.d = p * q, pow(e, -1, (p - 1) * (q - 1))
        self.public = seq(number(self.n), number(e))
        self.spki = rsa_spki(self.n, e)
        self.use(digest)

    def use(self, digest):
        self.digest = digest
        self.algorithm = seq(oid(RSA_WITH[digest][0]), NULL)
        return self

    def sign(self, message):
        info = seq(seq(oid(RSA_WITH[self.digest][1]), NULL),
                   octets(hashlib.new(self.digest, message).digest()))
        size = (self.n.bit_length() + 7) // 8
        padded = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(size, "big")


class Odd:
    """A key that signs nothing here."""

    def __init__(self, spki):
        self.spki, self.public = spki, spki


# ---- extensions


def extension(name, value, critical=False):
    return seq(oid(name), TRUE if critical else b"", octets(value))


def basic(authority, length=None, critical=True):
    value = (TRUE if authority else b"") + (number(length) if length is not None else b"")
    return extension("2.5.29.19", seq(value), critical)


DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN, CRL_SIGN = 0x80, 0x20, 0x04, 0x02


def usage(mask, critical=True):
    unused = (mask & -mask).bit_length() - 1
    return extension("2.5.29.15", bits(bytes([mask]), unused), critical)


SERVER_AUTH, CLIENT_AUTH, ANY = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"


def extended(*purposes):
    return extension("2.5.29.37", seq(*map(oid, purposes)))


def dns(name):
    return tlv(0x82, name.encode("latin-1"))


def names(*all_names, critical=False):
    return extension("2.5.29.17", seq(*(n if isinstance(n, bytes) else dns(n)
                                        for n in all_names)), critical)


def key_id(key):
    return hashlib.sha1(key.public).digest()


def subject_id(key, critical=False):
    return extension("2.5.29.14", octets(key_id(key)), critical)


def authority_id(key, critical=False):
    return extension("2.5.29.35", seq(tlv(0x80, key_id(key))), critical)


def constraints(permitted=(), excluded=()):
    def trees(tag, subtrees):
        return tlv(tag, b"".join(seq(n) for n in subtrees)) if subtrees else b""
    return extension("2.5.29.30", seq(trees(0xa0, permitted), trees(0xa1, excluded)), True)


POLICY_1, POLICY_2 = "2.16.840.1.101.3.2.1.48.1", "2.16.840.1.101.3.2.1.48.2"


def policies(*all_policies):
    return extension("2.5.29.32", seq(*(seq(oid(p)) for p in all_policies)))


EXPLICIT_POLICY = extension("2.5.29.36", seq(tlv(0x80, b"\0")), True)
UNKNOWN = "1.3.6.1.4.1.99999.1"

# ---- certificates

certificates = {}


def common_name(text):
    return seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(0x0c, text.encode()))))


def utc(text):
    return tlv(0x17, text.encode())


def general(text):
    return tlv(0x18, text.encode())


VALID = utc("250101000000Z"), utc("350101000000Z")


class Certificate:
    def __init__(self, name, key, issuer, extensions, *, subject=None, serial=None, version=2,
                 valid=VALID, inner=None, tail=b"", spoil=None):
        self.name, self.key = name, key
        self.subject = common_name(name) if subject is None else subject
        signer = issuer.key if issuer else key
        if serial is None:
            serial = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") | 1
        body = seq(tlv(0xa0, number(version)) if version else b"",
                   serial if isinstance(serial, bytes) else number(serial),
                   inner or signer.algorithm, issuer.subject if issuer else self.subject,
                   seq(*valid), self.subject, key.spki, tail,
                   tlv(0xa3, seq(*extensions)) if extensions else b"")
        signature = signer.sign(body)
        if spoil == "signature":
            signature = signature[:-2] + bytes([signature[-2] ^ 1]) + signature[-1:]
        self.der = seq(body, signer.algorithm, bits(signature))
        if spoil == "length":  # the length in one octet more than it needs
            octet_count = self.der[1] & 15
            self.der = bytes([0x30, 0x81 + octet_count, 0]) + self.der[2:]
        elif spoil == "trailing":
            self.der += b"\0"
        assert name not in certificates
        certificates[name] = self


def authority_extensions(key, issuer, length=None):
    return [basic(True, length), usage(KEY_CERT_SIGN | CRL_SIGN), subject_id(key)] + \
        ([authority_id(issuer.key)] if issuer else [])


def authority(name, issuer=None, key=None, *, length=None, more=(), extensions=None, **options):
    key = key or Ed25519(name)
    if extensions is None:
        extensions = authority_extensions(key, issuer, length)
    return Certificate(name, key, issuer, extensions + list(more), **options)


def leaf_extensions(issuer, *, purposes=(SERVER_AUTH,), san=("court.example",)):
    return [usage(DIGITAL_SIGNATURE)] + ([extended(*purposes)] if purposes else []) + \
        ([names(*san)] if san else []) + ([authority_id(issuer.key)] if issuer else [])


def leaf(name, issuer, key=None, *, more=(), extensions=None, purposes=(SERVER_AUTH,),
         san=("court.example",), **options):
    key = key or Ed25519("leaf")
    if extensions is None:
        extensions = leaf_extensions(issuer, purposes=purposes, san=san)
    return Certificate(name, key, issuer, extensions + list(more), **options)


# ---- cases

cases = []
NOW = 1767225600  # 2026-01-01


def case(name, want, chain, anchors="root", *, purpose="server", reference="court.example",
         time=NOW):
    cases.append((name, want, purpose, reference or "-", time, anchors, chain))


def judged(name, want, issuer, *, anchors="root", via=(), reference="court.example",
           purpose="server", time=NOW, **options):
    """A leaf of its own for a case."""
    leaf(name, issuer, **options)
    case(name, want, ",".join((name,) + tuple(via)), anchors, reference=reference,
         purpose=purpose, time=time)


def keys_and_algorithms(root):
    key = Elliptic("p384", P384, "sha384", "1.2.840.10045.4.3.3")
    sm2 = Elliptic("sm2", SM2, "sm3", "1.2.156.10197.1.501")
    rsa, small = Rsa("rsa"), Rsa("small", 1024)
    for name, good in (("p256", p256("p256")), ("p384", key), ("sm2", sm2), ("rsa", rsa)):
        judged("key_" + name, "ok", root, key=good)
        above = authority("root_" + name, key=good)
        judged("signed_" + name, "ok", above, anchors=above.name)
    modulus = int.from_bytes(stream("modulus", 1152), "big") | 1 | 1 << 9215
    for name, bad in (
            ("rsa_1024", small), ("rsa_exponent_3", Odd(rsa_spki(rsa.n, 3))),
            ("rsa_exponent_even", Odd(rsa_spki(rsa.n, 65538))),
            ("rsa_exponent_long", Odd(rsa_spki(rsa.n, (1 << 256) + 1))),
            ("rsa_9216", Odd(rsa_spki(modulus, 65537))),
            ("rsa_pss_key", Odd(rsa.spki.replace(oid("1.2.840.113549.1.1.1"),
                                                 oid("1.2.840.113549.1.1.10")))),
            ("p521", Elliptic("p521", P521, "sha512", "1.2.840.10045.4.3.4")),
            ("curve_spelt_out", p256("p256", explicit=True)),
            ("point_off_curve", Odd(seq(seq(oid(EC_KEY), oid(P256.name)),
                                        bits(b"\4" + b"\1" * 64)))),
            ("unknown_kind", Odd(seq(seq(oid(UNKNOWN)), bits(b"\1" * 32))))):
        judged("key_" + name, "certificate.key", root, key=bad)
    weak_root = authority("root_rsa_1024", key=small)
    judged("issuer_key_weak", "certificate.key", weak_root, anchors=weak_root.name)
    rsa.use("sha1")
    old_root = authority("root_sha1", key=rsa)
    judged("algorithm_sha1", "certificate.algorithm", old_root, anchors=old_root.name)
    rsa.use("md5")
    judged("algorithm_md5", "certificate.algorithm", old_root, anchors=old_root.name)
    rsa.use("sha512")
    judged("anchor_signed_with_sha1", "ok", old_root, anchors=old_root.name)
    rsa.use("sha1")
    middle = authority("middle_sha1", old_root)
    rsa.use("sha256")
    judged("algorithm_sha1_above", "certificate.algorithm", middle, anchors=old_root.name,
           via=[middle.name])
    p256_root = certificates["root_p256"]
    p256_root.key.digest, p256_root.key.algorithm = "sha1", seq(oid("1.2.840.10045.4.1"))
    judged("algorithm_ecdsa_sha1", "certificate.algorithm", p256_root, anchors="root_p256")


def forms(root):
    judged("version_1", "certificate.version", root, extensions=[], version=0)
    judged("version_2", "certificate.version", root, extensions=[], version=1)
    judged("serial_zero", "certificate.serial", root, serial=0)
    judged("serial_negative", "certificate.serial", root, serial=-5)
    judged("serial_long", "certificate.serial", root, serial=1 << 160)
    judged("serial_20_bytes", "ok", root, serial=1 << 158)
    zero = authority("root_serial_zero", serial=0)
    judged("anchor_serial_zero", "ok", zero, anchors=zero.name)
    judged("length_too_long", "certificate.der", root, spoil="length")
    judged("trailing_byte", "certificate.der", root, spoil="trailing")
    judged("boolean_not_ff", "certificate.extension", root, more=[
        extension(UNKNOWN, seq(b"\x01\x01\x01"))])
    judged("serial_padded", "certificate.der", root, serial=b"\x02\x02\x00\x05")
    judged("issuer_unique_id", "certificate.unique_id", root, tail=tlv(0x81, b"\0\1"))
    judged("subject_unique_id", "certificate.unique_id", root, tail=tlv(0x82, b"\0\1"))
    judged("signature_wrong", "certificate.signature", root, spoil="signature")
    judged("inner_algorithm_differs", "certificate.signature", root,
           inner=seq(oid("1.2.840.10045.4.3.2")))
    judged("extension_twice", "certificate.duplicate", root, more=[names("court.example")])
    judged("unknown_extension_twice", "certificate.duplicate", root,
           more=[extension(UNKNOWN, NULL)] * 2)
    judged("too_many_extensions", "certificate.duplicate", root, more=[
        extension("%s.%d" % (UNKNOWN, i), NULL) for i in range(64)])
    judged("unknown_extension", "ok", root, more=[extension(UNKNOWN, NULL)])
    judged("unknown_critical", "certificate.critical", root, more=[
        extension(UNKNOWN, NULL, True)])
    judged("crl_points_critical", "certificate.critical", root, more=[
        extension("2.5.29.31", seq(seq(tlv(0xa0, tlv(0xa0, tlv(0x86, b"http://a.example/"))))),
                  True)])
    judged("extension_not_der", "certificate.extension", root, more=[extension(UNKNOWN, b"\5")])
    judged("basic_constraints_malformed", "certificate.extension", root, more=[
        extension("2.5.29.19", octets(b""), True)])


def times(root):
    start, end = 1735689600, 2051222400
    wide = authority("root_wide", valid=(utc("500101000000Z"), general("20500101000000Z")))
    for name, time, want in (("first_second", start, "ok"), ("last_second", end - 1, "ok"),
                             ("before", start - 1, "certificate.not_before"),
                             ("after", end, "certificate.not_after")):
        judged("time_" + name, want, wide, anchors="root_wide", time=time)
    judged("leaf_expired", "certificate.not_after", root,
           valid=(VALID[0], utc("251231235959Z")))
    judged("leaf_not_yet", "certificate.not_before", root,
           valid=(utc("260101000001Z"), VALID[1]))
    old = authority("middle_expired", root, valid=(VALID[0], utc("251231235959Z")))
    judged("issuer_expired", "certificate.not_after", old, via=[old.name])
    old = authority("root_expired", valid=(VALID[0], utc("251231235959Z")))
    judged("anchor_expired", "certificate.not_after", old, anchors=old.name)
    judged("year_2050", "ok", root, valid=(VALID[0], general("20500101000000Z")))
    judged("general_before_2050", "certificate.validity", root,
           valid=(VALID[0], general("20350101000000Z")))
    judged("no_seconds", "certificate.validity", root, valid=(VALID[0], utc("3501010000Z")))
    judged("zone", "certificate.validity", root, valid=(VALID[0], utc("350101000000+0000")))
    judged("fraction", "certificate.validity", root,
           valid=(VALID[0], general("20500101000000.5Z")))


def paths(root):
    middle = authority("middle", root)
    judged("direct", "ok", root)
    judged("via", "ok", middle, via=["middle"])
    case("via_and_root", "ok", "via,middle,root")
    case("any_order", "ok", "via,root,middle")
    case("one_too_many", "ok", "via,middle,leaf_expired")
    case("middle_missing", "certificate.issuer", "via")
    case("no_anchor", "certificate.issuer", "direct", "-")
    authority("stranger")
    case("stranger_trusted", "certificate.issuer", "direct", "stranger")
    case("anchor_in_the_middle", "ok", "via,middle", "middle")
    case("anchor_in_the_middle_alone", "ok", "via", "middle")
    authority("namesake", subject=root.subject)
    case("namesake", "certificate.issuer", "direct", "namesake")
    authority("pretender", subject=root.subject, extensions=[
        basic(True), usage(KEY_CERT_SIGN), subject_id(root.key)])
    case("pretender", "certificate.signature", "direct", "pretender")
    leaf("own", None)
    case("own_anchor", "ok", "own", "own")
    case("own_untrusted", "certificate.issuer", "own")
    case("anchors_two", "ok", "direct", "stranger,root")
    chain, above = [], root
    for i in range(1, 8):
        above = authority("deep_%d" % i, above)
        chain.insert(0, above.name)
        if i == 6:
            judged("deep_enough", "ok", above, via=chain)
    judged("too_deep", "certificate.chain", above, via=chain)
    case("too_many", "certificate.chain", "too_deep," + ",".join(chain) + ",root")


def authorities(root):
    def under(name, want, **options):
        above = authority("middle_" + name, root, **options)
        judged(name, want, above, via=[above.name])

    def parts(name, *, constraint=None, use=None, subject=True, by=True):
        key = Ed25519("middle_" + name)
        out = [constraint] if constraint else []
        out += [use] if use else []
        out += [subject_id(key)] if subject else []
        return {"key": key, "extensions": out + ([authority_id(root.key)] if by else [])}

    yes, sign = basic(True), usage(KEY_CERT_SIGN)
    under("no_authority", "certificate.basic_constraints", **parts("a", constraint=basic(False),
                                                                   use=sign))
    under("no_constraints", "certificate.basic_constraints", **parts("b", use=sign))
    under("constraints_not_critical", "certificate.basic_constraints",
          **parts("c", constraint=basic(True, None, False), use=sign))
    under("no_cert_sign", "certificate.key_usage", **parts("d", constraint=yes,
                                                           use=usage(CRL_SIGN)))
    under("no_key_usage", "certificate.key_usage", **parts("e", constraint=yes))
    under("no_subject_id", "certificate.identifier", **parts("f", constraint=yes, use=sign,
                                                             subject=False))
    under("no_authority_id", "certificate.identifier", **parts("g", constraint=yes, use=sign,
                                                               by=False))
    under("other_purpose_above", "certificate.extended_key_usage", more=[extended(CLIENT_AUTH)])
    under("purpose_above", "ok", more=[extended(CLIENT_AUTH, SERVER_AUTH)])
    under("length_0", "ok", length=0)
    short = certificates["middle_length_0"]
    low = authority("low", short)
    judged("length_exceeded", "certificate.path_length", low, via=["low", "middle_length_0"])
    short_root = authority("root_length_0", length=0)
    below = authority("below_length_0", short_root)
    judged("anchor_length_exceeded", "certificate.path_length", below, via=[below.name],
           anchors=short_root.name)
    user = leaf("user", root)
    judged("issued_by_a_leaf", "certificate.basic_constraints", user, via=["user"])
    judged("leaf_is_authority", "certificate.basic_constraints", root, more=[basic(True)])
    judged("leaf_signs_certificates", "certificate.key_usage", root, extensions=[
        usage(DIGITAL_SIGNATURE | KEY_CERT_SIGN), extended(SERVER_AUTH), names("court.example"),
        authority_id(root.key)])
    judged("leaf_says_no_authority", "ok", root, more=[basic(False)])
    judged("leaf_length", "certificate.path_length", root, more=[basic(False, 0)])
    judged("leaf_only_enciphers", "certificate.key_usage", root, extensions=[
        usage(KEY_ENCIPHERMENT), extended(SERVER_AUTH), names("court.example"),
        authority_id(root.key)])
    judged("leaf_without_usage", "ok", root, extensions=[
        extended(SERVER_AUTH), names("court.example"), authority_id(root.key)])
    judged("leaf_without_authority_id", "certificate.identifier", root, extensions=[
        usage(DIGITAL_SIGNATURE), extended(SERVER_AUTH), names("court.example")])
    judged("authority_id_critical", "certificate.critical", root, extensions=[
        usage(DIGITAL_SIGNATURE), extended(SERVER_AUTH), names("court.example"),
        authority_id(root.key, True)])
    judged("no_subject_names_not_critical", "certificate.extension", root, subject=seq())
    judged("no_subject", "ok", root, subject=seq(), extensions=[
        usage(DIGITAL_SIGNATURE), extended(SERVER_AUTH), names("court.example", critical=True),
        authority_id(root.key)])


def purposes(root):
    bad = "certificate.extended_key_usage"
    judged("client_asked_as_server", bad, root, purposes=[CLIENT_AUTH])
    judged("any_purpose", bad, root, purposes=[ANY])
    judged("server_and_any_purpose", bad, root, purposes=[SERVER_AUTH, ANY])
    judged("no_purpose", bad, root, purposes=[])
    judged("both_purposes", "ok", root, purposes=[CLIENT_AUTH, SERVER_AUTH])
    judged("client", "ok", root, purposes=[CLIENT_AUTH], san=[], purpose="client", reference=None)
    judged("client_named", "ok", root, purposes=[CLIENT_AUTH], san=["desk.example"],
           purpose="client", reference="desk.example")
    case("client_other_name", "certificate.name", "client_named", purpose="client",
         reference="court.example")
    case("server_asked_as_client", bad, "direct", purpose="client", reference=None)


def dns_names(root):
    wrong, shape, asked = "certificate.name", "certificate.dns_names", "certificate.reference"
    judged("two_names", "ok", root, san=["court.example", "register.example"],
           reference="register.example")
    case("other_case", "ok", "two_names", reference="Register.EXAMPLE")
    case("another_name", wrong, "two_names", reference="evil.example")
    case("below_the_name", wrong, "two_names", reference="a.court.example")
    case("suffix_of_the_name", wrong, "two_names", reference="ourt.example")
    judged("only_common_name", wrong, root, subject=common_name("court.example"), san=[])
    judged("only_address", wrong, root, san=[tlv(0x87, b"\xc0\0\2\1")],
           subject=common_name("court.example"))
    judged("address_too", "ok", root, san=["court.example", tlv(0x87, b"\xc0\0\2\1")])
    judged("single_label", "ok", root, san=["court"], reference="court")
    judged("wildcard", "ok", root, san=["*.court.example"], reference="a.court.example")
    case("wildcard_other_case", "ok", "wildcard", reference="A.Court.Example")
    case("wildcard_two_labels", wrong, "wildcard", reference="a.b.court.example")
    case("wildcard_no_label", wrong, "wildcard")
    for name, text in (("root", "*.example"), ("alone", "*"), ("part", "a*.court.example"),
                       ("tail", "*a.court.example"), ("inside", "a.*.example"),
                       ("twice", "*.*.example"), ("dot", "*."),
                       ("label", "*court.example")):
        judged("wildcard_" + name, shape, root, san=["court.example", text])
    for name, text in (("empty", ""), ("nul", "court.example\0.evil.example"),
                       ("last_dot", "court.example."), ("first_dot", ".court.example"),
                       ("two_dots", "court..example"), ("underscore", "_court.example"),
                       ("hyphen", "-court.example"), ("hyphen_end", "court-.example"),
                       ("blank", "court.example "), ("latin", "c\xf6urt.example"),
                       ("address", "192.0.2.1"), ("long_label", "a" * 64 + ".example"),
                       ("long", ".".join(["a" * 62] * 4) + ".example")):
        judged("name_" + name, shape, root, san=["court.example", text])
    judged("international", "ok", root, san=["xn--mnchen-3ya.example"],
           reference="xn--mnchen-3ya.example")
    for name, text in (("address_4", "192.0.2.1"), ("address_6", "2001:db8::1"),
                       ("address_6_brackets", "[2001:db8::1]"), ("last_dot", "court.example."),
                       ("wildcard", "*.court.example"), ("number", "3232235777"),
                       ("underscore", "_court.example")):
        case("asked_" + name, asked, "direct", reference=text)


def constrained(root):
    bad = "certificate.name_constraints"
    inside = authority("inside", root, more=[constraints([dns("court.example")])])
    judged("permitted", "ok", inside, via=["inside"], san=["a.court.example"],
           reference="a.court.example")
    judged("not_permitted", bad, inside, via=["inside"], san=["a.court.example", "evil.example"],
           reference="a.court.example")
    judged("wildcard_not_permitted", bad, inside, via=["inside"], san=["*.evil.example"],
           reference="a.evil.example")
    outside = authority("outside", root, more=[constraints((), [dns("secret.court.example")])])
    judged("not_excluded", "ok", outside, via=["outside"])
    judged("excluded", bad, outside, via=["outside"], san=["court.example",
                                                           "a.secret.court.example"])
    judged("leaf_constrains", bad, root, more=[constraints([dns("court.example")])])
    strict = authority("strict", root, more=[EXPLICIT_POLICY, policies(POLICY_1)])
    judged("policy_missing", "certificate.policy", strict, via=["strict"])
    judged("policy_other", "certificate.policy", strict, via=["strict"],
           more=[policies(POLICY_2)])
    judged("policy_there", "ok", strict, via=["strict"], more=[policies(POLICY_1)])


def main():
    root = authority("root")
    paths(root)
    keys_and_algorithms(root)
    forms(root)
    times(root)
    authorities(root)
    purposes(root)
    dns_names(root)
    constrained(root)
    print("# Source: made by tools/x509_vectors.py for this project, Apache-2.0")
    print("# certificate, name, DER in hex")
    print("# case, name, ok or the rule that is broken, purpose, name asked for, time in seconds,")
    print("#   anchors, chain as sent")
    for certificate in certificates.values():
        print("certificate", certificate.name, certificate.der.hex())
    for row in cases:
        print("case", *row)


main()
