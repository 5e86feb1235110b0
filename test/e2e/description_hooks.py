"""What Schemathesis is told of this project: bodies in CBOR and COSE are sent as the bytes they are."""
import schemathesis


@schemathesis.serializer("application/cose", "application/cbor-seq",
                         "application/scitt-statement+cose")
def as_bytes(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
