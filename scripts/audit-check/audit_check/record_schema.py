"""The records of an export and the entries of a log, from docs/audit-format.md, sections 1 and 2."""

from .schema import DOCUMENTS, position, question, verdict
from .shapes import (
    Shape,
    data,
    digest,
    identifier,
    integer,
    list_of,
    one_of,
    organisation,
    peer,
    text,
    up_to,
)


def salt(value):
    return data(value) and len(value) == 16


RECORDS = {
    "header": Shape(
        kind=text,
        format=one_of("dynamos-audit"),
        version=one_of(1),
        marketplace=identifier,
        request=identifier,
        peer=peer,
        organisation=organisation,
        exportedAt=integer,
        after=position,
    ),
    "document": Shape(kind=text, type=one_of(*DOCUMENTS), payload=data, signatures=list_of(data, 1, 32)),
    "section": Shape(kind=text, salt=salt, content=data),
    "entry": Shape(
        kind=text,
        sequence=integer,
        salt=salt,
        entry=data,
        head=digest,
    ),
    "links": Shape(
        **{
            "kind": text,
            "from": integer,
            "digests": lambda value: data(value)
            and 0 < len(value) <= 16_384 * 32
            and len(value) % 32 == 0,
        }
    ),
    "policy": Shape(
        kind=text,
        id=up_to(128),
        files=list_of(Shape(file=up_to(256), text=up_to(262_144)), 0, 64),
        engine=up_to(256),
    ),
    "opening": Shape(
        kind=text, sequence=integer, salt=salt, content=data
    ),
    "end": Shape(kind=text, checkpoint=Shape(payload=data, signatures=list_of(data, 1, 32))),
}

KINDS = (
    "identity",
    "membership",
    "agreement",
    "request",
    "offer",
    "contract",
    "acceptance",
    "decline",
    "start",
    "decision",
    "approval",
    "flow-sent",
    "flow-received",
    "job-started",
    "job-finished",
    "job-wiped",
    "release",
    "receipt",
    "outcome",
    "refusal",
    "config",
)
short = up_to(512)


def scalar(value):
    return value is None or isinstance(value, (bool, int)) or short(value)


def entry_fields(value):
    return isinstance(value, dict) and all(
        up_to(64)(key) and (scalar(item) or list_of(scalar, 0, 4096)(item)) for key, item in value.items()
    )


ENTRY = Shape(
    time=integer,
    kind=one_of(*KINDS),
    request_=identifier,
    contract_=identifier,
    document_=identifier,
    fields=entry_fields,
)
DECISION = Shape(
    question=question,
    verdict=verdict,
    clauses=list_of(short, 0, 64),
    policy=up_to(128),
    facts_=identifier,
    code_=up_to(64),
    party_=short,
    dataset_=short,
    row_=integer,
)


def entry_fault(value):
    """Why a value is no entry of a log, or None."""
    fault = ENTRY.fault(value)
    if fault is not None or value["kind"] != "decision":
        return fault
    return DECISION.fault(value["fields"])
