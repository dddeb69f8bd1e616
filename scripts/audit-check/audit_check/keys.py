"""Peer ids and the signed envelopes of libp2p (RFC 0002), Ed25519 only."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# How the protocol buffer of an Ed25519 key begins.
KEY_PREFIX = b"\x08\x01\x12\x20"
PAYLOAD_TYPE = b"/dynamos/document-id/1"


class BadEnvelope(ValueError):
    pass


def base58(data):
    number = int.from_bytes(data, "big")
    text = ""
    while number > 0:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number % 128 + 128)
        number //= 128
    out.append(number)
    return bytes(out)


def read_varint(data, at):
    number = 0
    for shift in range(0, 63, 7):
        if at >= len(data):
            raise BadEnvelope("a number is cut off")
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
    raise BadEnvelope("a number is too long")


def fields_of(data):
    """The fields of a protocol buffer that has lengths and numbers only; the last of each counts."""
    found = {}
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            found[number], at = read_varint(data, at)
        elif wire == 2:
            length, at = read_varint(data, at)
            if at + length > len(data):
                raise BadEnvelope("a field is cut off")
            found[number] = data[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > len(data):
                raise BadEnvelope("a field is cut off")
        else:
            raise BadEnvelope(f"a field of unknown kind {wire}")
    return found


def canonical(key, kind, payload, signature):
    parts = ((1, KEY_PREFIX + key), (2, kind), (3, payload), (5, signature))
    return b"".join(varint(number << 3 | 2) + varint(len(part)) + part for number, part in parts)


def open_envelope(envelope, domain, expected):
    """The peer id that signed `expected` (text) in this envelope. Raises BadEnvelope."""
    fields = fields_of(envelope)
    public, kind, payload, signature = (fields.get(number) for number in (1, 2, 3, 5))
    if not all(isinstance(one, bytes) for one in (public, kind, payload, signature)):
        raise BadEnvelope("a part of the envelope is missing")
    key = fields_of(public)
    if key.get(1) != 1 or not isinstance(key.get(2), bytes) or len(key[2]) != 32:
        raise BadEnvelope("expected an Ed25519 key")
    parts = (domain.encode(), kind, payload)
    try:
        Ed25519PublicKey.from_public_bytes(key[2]).verify(
            signature, b"".join(varint(len(part)) + part for part in parts)
        )
    except (InvalidSignature, ValueError) as error:
        raise BadEnvelope("the signature does not verify") from error
    if kind != PAYLOAD_TYPE or payload != expected.encode():
        raise BadEnvelope("the signature stands under something else")
    # Readers pass over fields that they do not know, and no signature covers those: one signature could have many forms.
    if envelope != canonical(key[2], kind, payload, signature):
        raise BadEnvelope("expected the canonical form of the envelope")
    return base58(b"\x00\x24" + KEY_PREFIX + key[2])
