"""Kinds of values, and maps of them, as docs/protocol.md has them."""

import re

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
ID = re.compile(r"baf[yk][a-z2-7]{20,80}\Z")
PEER = re.compile(r"12D3KooW[1-9A-HJ-NP-Za-km-z]{44}\Z")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def text(value):
    return isinstance(value, str)


def units(value):
    """The length of a text as the agent counts it: in UTF-16."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def up_to(most, least=0):
    return lambda value: isinstance(value, str) and least <= units(value) <= most


def integer(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def integer_of_any_sign(value):
    return isinstance(value, int) and not isinstance(value, bool)


def positive(value):
    return integer(value) and value > 0


paragraph = up_to(4096)


def boolean(value):
    return isinstance(value, bool)


def data(value):
    return isinstance(value, bytes)


def mapping(value):
    return isinstance(value, dict)


def matching(pattern):
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


name, identifier, peer, digest = (matching(one) for one in (NAME, ID, PEER, DIGEST))


def organisation(value):
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value[0].isalnum():
        return False
    return all(one.isalnum() or one in " ._-" for one in value)


def one_of(*values):
    # For Python True is 1.
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def or_null(check):
    return lambda value: value is None or check(value)


def list_of(check, least=0, most=10_000):
    return lambda value: (
        isinstance(value, list) and least <= len(value) <= most and all(check(item) for item in value)
    )


class Shape:
    """A map with exactly these fields; those whose name ends in `_` may be missing."""

    def __init__(self, /, **fields):
        self.required = {key: check for key, check in fields.items() if not key.endswith("_")}
        self.optional = {key[:-1]: check for key, check in fields.items() if key.endswith("_")}

    def __call__(self, value):
        return self.fault(value) is None

    def fault(self, value):
        """Why the value is not of this shape, or None."""
        if not isinstance(value, dict):
            return "expected a map"
        for key, check in self.required.items():
            if key not in value:
                return f"{key} is missing"
            if not check(value[key]):
                return f"{key} is not as expected"
        for key, found in value.items():
            if key in self.required:
                continue
            if key not in self.optional:
                return f"unknown field {key}"
            if not self.optional[key](found):
                return f"{key} is not as expected"
        return None


class Loose(Shape):
    """A map with at least these fields."""

    def fault(self, value):
        if not isinstance(value, dict):
            return "expected a map"
        known = {key: item for key, item in value.items() if key in self.required or key in self.optional}
        return super().fault(known)


def any_or_names(value):
    return value == "*" or list_of(up_to(256, 1), 0, 256)(value)


def map_of(key, check, most=None):
    return lambda value: (
        isinstance(value, dict)
        and (most is None or len(value) <= most)
        and all(key(one) and check(item) for one, item in value.items())
    )


user = Shape(organisation=organisation, name=up_to(256, 1))
