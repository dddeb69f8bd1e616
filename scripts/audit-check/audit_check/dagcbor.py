"""Strict DAG-CBOR without floats and links, and the ids of what it encodes (docs/protocol.md, section 1)."""

import base64
import hashlib
import io

import cbor2

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """Bytes that are no strict DAG-CBOR of this protocol."""


def _check(value, depth):
    if depth > MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels")
    # bool is an int for Python, and has its own place in CBOR.
    if value is None or isinstance(value, (bool, str, bytes)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(f"expected an integer below 2^53, found {value}")
        return
    if isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical("expected texts as keys of a map")
            _check(item, depth + 1)
        return
    raise NotCanonical(f"{type(value).__name__} has no place in a document")


def encode(value):
    """Canonical bytes: maps sorted by length and then bytes of their keys, shortest integers, definite lengths."""
    return cbor2.dumps(value, canonical=True)


def decode(data):
    """The value of canonical bytes. Raises NotCanonical for anything that another encoder of the same value would not write."""
    if len(data) > MAX_BYTES:
        raise NotCanonical(f"expected at most {MAX_BYTES} bytes, found {len(data)}")
    try:
        stream = io.BytesIO(data)
        value = cbor2.load(stream)
        _check(value, 0)
        same = encode(value) == data
    except NotCanonical:
        raise
    except Exception as error:  # whatever the library makes of bytes that are not CBOR
        raise NotCanonical(f"no CBOR: {type(error).__name__}") from error
    if not same:
        raise NotCanonical("not in canonical form")
    return value


def id_of(data):
    """CIDv1, dag-cbor, sha2-256, base32: the id of a document or a salted section."""
    cid = bytes([0x01, 0x71, 0x12, 0x20]) + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(cid).decode("ascii").lower().rstrip("=")


def section_digest(salt, content):
    return id_of(encode([salt, content]))
