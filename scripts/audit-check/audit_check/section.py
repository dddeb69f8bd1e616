"""What a checker reads of salted sections: docs/audit-format.md, section 1."""

from . import dagcbor
from .shapes import Loose, identifier, list_of, name

PARTS = {
    "data": Loose(agreements=list_of(Loose(dataset=name, agreement=identifier), 1, 8)),
    "infrastructure": Loose(),
    "recipient": Loose(),
}


def part(value):
    if not isinstance(value, dict) or not isinstance(value.get("as"), str):
        return False
    return value["as"] in PARTS and PARTS[value["as"]](value)


def section_fault(kind, content):
    """Why bytes are no section of a document of that type, or None."""
    try:
        value = dagcbor.decode(content)
    except dagcbor.NotCanonical as error:
        return str(error)
    return "no parts of a contract" if kind == "contract" and not list_of(part, 1, 3)(value) else None
