#!/usr/bin/env python3
"""Writes src/crypto/edges.h: Ed25519 signatures that verifiers disagree about.

Every refused one satisfies the group equation under the most lenient reading (points decoded
modulo p, S taken modulo L, both sides multiplied by the cofactor 8), so that exactly the rule it is
named after refuses it. Deterministic: seeds follow from names. Standard library only.
"""
import hashlib
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign and x else x


def add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + k, P - 2, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, P - 2, P) % P
    return x, y


def multiply(n, point):
    out = (0, 1)
    while n:
        if n & 1:
            out = add(out, point)
        point = add(point, point)
        n >>= 1
    return out


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(raw):
    n = int.from_bytes(raw, "little")
    y = n & (1 << 255) - 1
    return recover_x(y % P, n >> 255), y % P


BASE = (recover_x(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def order8_point():
    """Clears the prime part from successive points until one of order 8 is left."""
    y = 2
    while True:
        x = recover_x(y, 0)
        if x is not None:
            point = multiply(L, (x, y))
            if multiply(4, point) != (0, 1):
                return point
        y += 1


T8 = order8_point()


def scalar(name):
    return int.from_bytes(hashlib.sha512(name.encode()).digest(), "little") % L


def challenge(r, a, message):
    """Reduced modulo L, as implementations do: with A of mixed order the result depends on it."""
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def equation(a, r, message, s, factor):
    """Whether factor * S * B = factor * (R + h * A), A and R decoded leniently."""
    right = add(decode(r), multiply(challenge(r, a, message), decode(a)))
    return multiply(factor * s, BASE) == multiply(factor, right)


def search(accept, name, a, r_of, s_of):
    """Tries messages until the equation holds with the factor that the case asks for."""
    n = 0
    while True:
        message = f"{name} {n}".encode()
        r = r_of()
        s = s_of(challenge(r, a, message))
        if accept(a, r, message, s):
            return a, message, r + s.to_bytes(32, "little")
        n += 1


def holds(a, r, message, s):
    return equation(a, r, message, s, 1)


def only_cofactored(a, r, message, s):
    return not equation(a, r, message, s, 1) and equation(a, r, message, s, 8)


def cases():
    secret, nonce = scalar("secret"), scalar("nonce")
    public, commitment = multiply(secret, BASE), multiply(nonce, BASE)
    a, r = encode(public), encode(commitment)
    good = lambda h: (nonce + h * secret) % L
    yield "an ordinary signature", True, search(holds, "good", a, lambda: r, good)
    _, message, signature = search(holds, "malleable", a, lambda: r, good)
    s = int.from_bytes(signature[32:], "little")
    yield "S < L", False, (a, message, r + (s + L).to_bytes(32, "little"))
    small = lambda h: nonce % L
    for n in range(8):
        point = encode(multiply(n, T8))
        yield f"A not of small order ({n} T)", False, search(
            holds, f"small A {n}", point, lambda: r, small)
    for n in range(8):
        point = encode(multiply(n, T8))
        mixed = encode(add(public, T8))
        yield f"R not of small order ({n} T)", False, search(
            holds, f"small R {n}", mixed if n else a, lambda: point, lambda h: h * secret % L)
    for name, number in (("y = p", P), ("y = p + 1", P + 1), ("y = 1, sign of x set", 1 | 1 << 255),
                         ("y = p - 1, sign of x set", P - 1 | 1 << 255)):
        point = number.to_bytes(32, "little")
        yield f"A canonical ({name})", False, search(
            holds, f"non-canonical A {name}", point, lambda: r, small)
        mixed = encode(add(public, T8))
        yield f"R canonical ({name})", False, search(
            holds, f"non-canonical R {name}", mixed, lambda: point, lambda h: h * secret % L)
    mixed_a, mixed_r = encode(add(public, T8)), encode(add(commitment, multiply(3, T8)))
    yield "cofactorless (A of mixed order)", False, search(
        only_cofactored, "cofactored A", mixed_a, lambda: r, good)
    yield "cofactorless (R of mixed order)", False, search(
        only_cofactored, "cofactored R", a, lambda: mixed_r, good)
    yield "A of mixed order is no reason", True, search(
        holds, "mixed A", mixed_a, lambda: r, good)
    yield "A and R of mixed order are no reason", True, search(
        holds, "mixed A and R", mixed_a, lambda: mixed_r, good)


def main():
    rows = []
    for rule, good, (key, message, signature) in cases():
        rows.append(f'    {{"{rule}",\n     {"true" if good else "false"},\n     "{key.hex()}",\n'
                    f'     "{message.decode()}",\n     "{signature[:32].hex()}"\n'
                    f'     "{signature[32:].hex()}"}},\n')
    sys.stdout.write(
        "/* Inside crypto/ and its tests only. Made by tools/ed25519_edges.py: Ed25519 signatures "
        "that\n * verifiers disagree about. Each refused one satisfies the equation under the most "
        "lenient\n * reading, so only the rule that it names can refuse it. A non-canonical A or R "
        "that satisfies\n * an equation is always of small order too: nobody knows the discrete "
        "logarithm of the others. */\n"
        "#ifndef CAIRN_CRYPTO_EDGES_H\n#define CAIRN_CRYPTO_EDGES_H\n\n#include <stdbool.h>\n\n"
        "struct ed25519_edge {\n    const char *rule;\n    bool good;\n    const char *key;\n"
        "    const char *message; /* text; the others are hex */\n    const char *signature;\n};\n\n"
        "static const struct ed25519_edge ed25519_edges[] = {\n" + "".join(rows) + "};\n\n#endif\n")


if __name__ == "__main__":
    main()
