"""What a decision rested on: docs/audit-format.md, section 2, "Content of an opening"."""

from . import dagcbor
from .shapes import (
    Loose,
    Shape,
    any_or_names,
    boolean,
    identifier,
    integer,
    list_of,
    one_of,
    or_null,
    peer,
    up_to,
    user,
)

MOST = 4096
YEAR_9999 = 253_402_300_799_999

word = up_to(MOST)
words = list_of(word, 0, MOST)


def instant(value):
    return integer(value) and value <= YEAR_9999


def keyed(check):
    return lambda value: (
        isinstance(value, dict)
        and len(value) <= MOST
        and all(word(key) and check(item) for key, item in value.items())
    )


flow = Shape(**{"flow": integer, "from": peer, "to": peer, "step": integer})
hosting = Shape(
    **{
        "for": any_or_names,
        "algorithms": any_or_names,
        "perJob": Shape(memory=integer, seconds=integer, disk=integer),
    }
)
SHARED = dict(
    now=instant,
    organisation=word,
    requester=user,
    purpose=word,
    archetype=word,
    algorithm=word,
    datasets=words,
    dataProviders=words,
    infrastructure=or_null(word),
    verifier_=word,
    recipients=words,
)
approval = Loose(state=one_of("missing", "pending", "approved", "refused", "expired"), reason=or_null(word))
FACTS = {
    "provider": Loose(
        question=one_of("discover", "offer", "accept", "start", "send", "continue", "release"),
        now=instant,
        organisation=word,
        requester=user,
        purpose=word,
        archetype=word,
        infrastructure=or_null(word),
        verifier_=word,
        recipients=words,
        dataset=word,
        datasets_=words,
        uses=or_null(list_of(Loose(table=word, columns=words), 0, MOST)),
        services=or_null(words),
        algorithm=word,
        requestsInWindow=keyed(Loose(count=integer, freesAt=or_null(instant))),
        approvals_=or_null(keyed(approval)),
        sandboxes=or_null(list_of(Loose(at=word, sandbox=one_of("bubblewrap", "none")), 0, MOST)),
        pseudonymsOpenTo_=words,
    ),
    "host": Loose(question=one_of("host", "accept", "start", "continue"), **SHARED),
    "recipient": Loose(
        question=one_of("accept", "start", "continue", "receive"), asked=boolean, consents=boolean, **SHARED
    ),
    "flow": Loose(
        question=one_of("send", "receive", "release"),
        now=instant,
        self=peer,
        contract=identifier,
        flow=flow,
        rows=or_null(integer),
    ),
}
GIVEN = {
    "provider": dict(agreements=list_of(identifier, 0, MOST), wished=or_null(word)),
    "host": dict(hosting=or_null(hosting)),
    "recipient": {},
    "flow": {},
}
CALLS = {function: Loose(facts=FACTS[function], **GIVEN[function]) for function in FACTS}


def call(value):
    if not isinstance(value, dict) or not isinstance(value.get("function"), str):
        return False
    return value["function"] in CALLS and CALLS[value["function"]](value)


OPENING = Loose(
    engine=up_to(256), policy=up_to(128), rules=up_to(128), calls=list_of(call, 0, 256), besides=or_null(up_to(128))
)


def opening_fault(content):
    """Why bytes are not the content of an opening, or None."""
    try:
        return OPENING.fault(dagcbor.decode(content))
    except dagcbor.NotCanonical as error:
        return str(error)
