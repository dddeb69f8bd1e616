"""The records of an export and the entries of a log, from docs/audit-format.md, sections 1 and 2."""

from .schema import (
    DOCUMENTS,
    Shape,
    data,
    digest,
    identifier,
    integer,
    list_of,
    mapping,
    one_of,
    organisation,
    peer,
    position,
    question,
    text,
    verdict,
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
        kind=text, id=text, files=list_of(Shape(file=text, text=text), 0, 64), engine=text
    ),
    "opening": Shape(
        kind=text, sequence=integer, salt=salt, content=data
    ),
    "end": Shape(kind=text, checkpoint=Shape(payload=data, signatures=list_of(data, 1, 32))),
}

ENTRY = Shape(
    time=integer,
    kind=text,
    request_=identifier,
    contract_=identifier,
    document_=identifier,
    fields=mapping,
)


DECISION = {"question": question, "verdict": verdict, "clauses": list_of(text, 0, 64), "policy": text}


def entry_fault(value):
    """Why a value is no entry of a log, or None."""
    fault = ENTRY.fault(value)
    if fault is not None or value["kind"] != "decision":
        return fault
    for key, check in DECISION.items():
        if key not in value["fields"] or not check(value["fields"][key]):
            return f"{key} is not as expected"
    return None
