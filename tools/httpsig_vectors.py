#!/usr/bin/python3
"""usage: tools/httpsig_vectors.py > test/vectors/http_signatures.txt

The examples of RFC 9421, appendix B (HTTP Message Signatures; code components under the Revised BSD
License): the messages, the fields that are signed, the signature bases and the signatures as they
are printed there, with their folded lines joined.
"""
import base64

JSON = ['Content-Type: application/json', 'Content-Length: 18']
DIGEST = ('Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7B'
          'NNyealdVLvRwEmTHWXvJwew==:')
REQUEST = ['POST /foo?param=Value&Pet=dog HTTP/1.1', 'Host: example.com',
           'Date: Tue, 20 Apr 2021 02:07:55 GMT', JSON[0], DIGEST, JSON[1]]
# The body digest that B.2.4 signs is another one than that of its own test-response.
RESPONSE = ['HTTP/1.1 200 OK', 'Date: Tue, 20 Apr 2021 02:07:56 GMT', JSON[0],
            'Content-Digest: sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX6'
            '9wWdXymyU0rjJuahq4l5aGgfLQ==:', 'Content-Length: 23']
CERT = (':MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgN'
        'VBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAM'
        'MAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3'
        'YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEY'
        'CuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmR'
        'jQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiE'
        'Ax/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:')
PROXIED = [REQUEST[0], 'Host: service.internal.example', REQUEST[2], *JSON, 'Client-Cert: ' + CERT]
DEMO = ['GET /demo?name1=Value1&Name2=value2 HTTP/1.1', 'Host: example.org',
        'Date: Fri, 15 Jul 2022 14:24:55 GMT', 'Accept: application/json', 'Accept: */*']

KEYS = {
    'p256': 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM'
            '4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==',
    'ed25519': 'MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=',
    'hmac': 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
    'rsa': '',
}
RSA = ';created=1618884473;keyid="test-key-rsa-pss"'
ED25519 = ';created=1618884473;keyid="test-key-ed25519"'
P256 = ';created=1618884473;keyid="test-key-ecc-p256"'
TRANSFORM = ('transform=("@method" "@path" "@authority" "accept")' + ED25519,
             'ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==')

# Name, message, kind of key, Signature-Input, signature (in base64; of RSA it is not checked here).
CASES = [
    ('b21', REQUEST, 'rsa', 'sig-b21=()' + RSA + ';nonce="b3k2pp5k7z-50gnwp.yemd"', ''),
    ('b22', REQUEST, 'rsa', 'sig-b22=("@authority" "content-digest" "@query-param";name="Pet")' + RSA +
     ';tag="header-example"', ''),
    ('b23', REQUEST, 'rsa', 'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" '
     '"content-digest" "content-length")' + RSA, ''),
    ('b24', RESPONSE, 'p256', 'sig-b24=("@status" "content-type" "content-digest" "content-length")' +
     P256, 'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=='),
    ('b25', REQUEST, 'hmac', 'sig-b25=("date" "@authority" "content-type");created=1618884473;'
     'keyid="test-shared-secret"', 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8='),
    ('b26', REQUEST, 'ed25519', 'sig-b26=("date" "@method" "@path" "@authority" "content-type" '
     '"content-length")' + ED25519,
     'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=='),
    ('b3', PROXIED, 'p256', 'ttrp=("@path" "@query" "@method" "@authority" "client-cert")' + P256,
     'xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw=='),
    ('b4', DEMO, 'ed25519', *TRANSFORM),
    ('b4-query', ['GET /demo?name1=Value1&Name2=value2&param=added HTTP/1.1', *DEMO[1:],
                  'Accept-Language: en-US,en;q=0.5'], 'ed25519', *TRANSFORM),
    ('b4-one-line', [*DEMO[:2], 'Referer: https://developer.example.org/demo',
                     'Accept: application/json, */*'], 'ed25519', *TRANSFORM),
    ('b4-order', [DEMO[0], DEMO[3], DEMO[4], DEMO[2], DEMO[1]], 'ed25519', *TRANSFORM),
    ('bad-b4-method', ['POST /demo?name1=Value1&Name2=value2 HTTP/1.1', 'Host: example.com',
                       *DEMO[2:]], 'ed25519', *TRANSFORM),
    ('bad-b4-accept', [*DEMO[:3], DEMO[4], DEMO[3]], 'ed25519', *TRANSFORM),
]

# The bases that the RFC prints whole, to hold what is put together from the messages against.
BASES = {
    'b22': '"@authority": example.com\n"content-digest": ' + DIGEST[16:] +
           '\n"@query-param";name="Pet": dog\n"@signature-params": ("@authority" "content-digest" '
           '"@query-param";name="Pet")' + RSA + ';tag="header-example"',
    'b25': '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": '
           'application/json\n"@signature-params": ("date" "@authority" "content-type");'
           'created=1618884473;keyid="test-shared-secret"',
    'b26': '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": '
           'example.com\n"content-type": application/json\n"content-length": 18\n'
           '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" '
           '"content-length")' + ED25519,
    'b4': '"@method": GET\n"@path": /demo\n"@authority": example.org\n"accept": application/json, */*\n'
          '"@signature-params": ("@method" "@path" "@authority" "accept")' + ED25519,
}


def values(message):
    """Every component that the cases cover, by its serialised name."""
    first = message[0].split(' ')
    out = {}
    for line in message[1:]:
        name, value = line.split(': ', 1)
        key = '"%s"' % name.lower()
        out[key] = out[key] + ', ' + value if key in out else value
    if first[0].startswith('HTTP/'):
        return {**out, '"@status"': first[1]}
    path, query = first[1].split('?')
    pet = dict(pair.split('=') for pair in query.split('&')).get('Pet', '')
    return {**out, '"@method"': first[0], '"@path"': path, '"@query"': '?' + query,
            '"@authority"': out['"host"'], '"@query-param";name="Pet"': pet}


def main():
    print('# %s' % '\n# '.join(__doc__.split('\n\n', 1)[1].strip().split('\n')))
    print('# Made by tools/httpsig_vectors.py. All but the names in hex.')
    print('# value CASE component value')
    print('# case CASE kind key input signature base')
    for name, message, kind, text, signature in CASES:
        components = text[text.index('(') + 1:text.index(')')].split(' ')
        have = values(message)
        lines = ['%s: %s' % (component, have[component]) for component in components if component]
        base = '\n'.join([*lines, '"@signature-params": ' + text.split('=', 1)[1]])
        assert name not in BASES or BASES[name] == base, (name, base)
        for component in filter(None, components):
            print('value', name, component.encode().hex(), have[component].encode().hex())
        print('case', name, kind, base64.b64decode(KEYS[kind]).hex() or '-', text.encode().hex(),
              base64.b64decode(signature).hex() or '-', base.encode().hex())


main()
