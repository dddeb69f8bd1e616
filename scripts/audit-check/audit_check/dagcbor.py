"""Strict DAG-CBOR without floats and links, and the ids of what it encodes (docs/protocol.md, section 1)."""

import base64
import hashlib
import io

import cbor2

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 1 << 18
MAX_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """Bytes that are no strict DAG-CBOR of this protocol."""


def _text(value):
    if value.startswith("\ufeff"):
        raise NotCanonical("text that begins with a byte order mark")


def _check(value, depth):
    """How many values there are."""
    if depth > MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _text(value)
        return 1
    # bool is an int for Python, and has its own place in CBOR.
    if value is None or isinstance(value, (bool, bytes)):
        return 1
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(f"expected an integer below 2^53, found {value}")
        return 1
    if isinstance(value, list):
        return 1 + sum(_check(item, depth + 1) for item in value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or key == "__proto__":
                raise NotCanonical("expected texts as keys of a map")
            _text(key)
        if "/" in value and "bytes" in value and value["/"] == value["bytes"]:
            raise NotCanonical("what passes for a link")
        return 1 + sum(_check(item, depth + 1) for item in value.values())
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
        if _check(value, 0) > MAX_VALUES:
            raise NotCanonical(f"more than {MAX_VALUES} values")
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
