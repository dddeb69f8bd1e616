"""The fields of every signed document, from the tables of docs/protocol.md, section 2."""

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


names = lambda value: value == "*" or list_of(text)(value)
user = Shape(organisation=organisation, name=up_to(256, 1))
position = Shape(sequence=integer, head=digest)
result_terms = Shape(
    recipients=names,
    purposes=names,
    until=or_null(integer),
    services=list_of(name),
    forbid=list_of(name),
    maxRows=or_null(integer),
    minGroupSize_=integer,
    releaseAsk_=one_of(True),
    onward=text,
)
refusal = Shape(
    code=text, clause=or_null(text), reason=text, acceptable=or_null(mapping), position=or_null(integer)
)
_answers = {
    "permit": Shape(
        row=integer,
        verdict=text,
        services=list_of(name),
        clauses=list_of(text),
        terms=or_null(result_terms),
    ),
    "refuse": Shape(row=integer, verdict=text, refusal=refusal),
}
role = one_of("data", "infrastructure", "recipient")
question = one_of(
    "discover", "offer", "host", "accept", "start", "send", "receive", "continue", "release"
)
verdict = one_of("permit", "deny")


consumer = lambda value: Shape(user=user)(value) or Shape(organisation=organisation)(value)
# The clauses that a checker reads; what the others may hold is the agents' business.
CLAUSES = dict(
    consumers=list_of(consumer, 0, 256),
    purposes=names,
    archetypes=names,
    computeProviders=names,
    recipients=names,
    algorithms=names,
    valid=Shape(from_=integer, until_=integer),
)


def terms(value):
    return isinstance(value, dict) and all(key in value and check(value[key]) for key, check in CLAUSES.items())


def answer(value):
    return isinstance(value, dict) and value.get("verdict") in _answers and _answers[value["verdict"]](value)


DOCUMENTS = {
    "charter": dict(
        name=name,
        authorities=list_of(peer, 1, 16),
        threshold=integer,
        membershipLifetime=integer,
        statusMaxAge=integer,
        contact=text,
    ),
    "membership": dict(
        organisation=organisation,
        about_=mapping,
        agents=list_of(peer, 1, 32),
        stewards=list_of(peer),
        roles=list_of(one_of("dataProvider", "computeProvider")),
        speaksFor=list_of(text),
    ),
    "status": dict(
        number=integer,
        expelled=list_of(Shape(peer=peer, since=integer, reason_=text, stolenFrom_=integer), 0, 4096),
    ),
    "capability": dict(
        sequence=integer,
        organisation=organisation,
        agent=text,
        roles=list_of(text),
        datasets=list_of(mapping),
        services=list_of(name),
        algorithms=list_of(name),
        archetypes=list_of(name),
        resources=mapping,
        hosting_=mapping,
        sandbox=one_of("bubblewrap", "none"),
        load=integer,
        keepFor=integer,
    ),
    "agreement": dict(
        name=name,
        provider=organisation,
        dataset=name,
        parties=list_of(organisation, 1),
        terms=terms,
        pins=mapping,
        supersedes_=text,
        counters_=identifier,
        standing_=Shape(payload=data, signatures=list_of(data, 1, 4)),
    ),
    "standing-offer": dict(
        name=name,
        provider=organisation,
        dataset=name,
        takers=lambda value: value == "*" or list_of(organisation, 1, 256)(value),
        max=integer,
        terms=lambda value: terms(value) and value["consumers"] == [],
        pins=mapping,
    ),
    "agreement-replaced": dict(agreement=identifier, organisation=organisation),
    "release": dict(
        contract=identifier,
        request=identifier,
        organisation=organisation,
        flow=integer,
        to=peer,
        result=identifier,
        refused=or_null(text),
        log=position,
    ),
    "agreement-refusal": dict(agreement=identifier, organisation=organisation, reason=text),
    "revocation": dict(
        agreement=identifier,
        organisation=organisation,
        effect=one_of("stop", "finish"),
        notice=integer,
        reason=text,
    ),
    "request": dict(
        nonce=data,
        organisation=organisation,
        user=user,
        purpose=name,
        datasets=list_of(name, 1, 8),
        providers=list_of(peer, 1, 64),
        rows=list_of(Shape(archetype=name, infrastructure=or_null(peer)), 1, 64),
        algorithm=name,
        options=Shape(aggregate=boolean, anonymize=boolean, graph=boolean),
        recipients=list_of(organisation, 1, 8),
        agreements=mapping,
        deadline=integer,
        query=identifier,
    ),
    "offer": {
        "request": identifier,
        "organisation": organisation,
        "as": list_of(role, 1, 3),
        "rows": list_of(answer, 1, 64),
        "sandbox": text,
        "policy": text,
        "details": identifier,
    },
    "contract": dict(
        request=identifier,
        epoch=one_of(1, 2, 3),
        organisation=organisation,
        user=user,
        purpose=name,
        datasets=list_of(name, 1, 8),
        algorithm=name,
        archetype=mapping,
        parties=list_of(
            Shape(
                peer=peer,
                organisation=organisation,
                roles=list_of(role, 1, 3),
                offer=or_null(identifier),
                sandbox=text,
                section=identifier,
            ),
            1,
            80,
        ),
        chain=list_of(Shape(step=integer, service=name, at=peer), 1, 512),
        flows=list_of(Shape(**{"flow": integer, "from": peer, "to": peer, "step": integer}), 0, 512),
        recipients=list_of(organisation, 1, 8),
        terms=result_terms,
        deadline=integer,
    ),
    "acceptance": dict(
        contract=identifier,
        request=identifier,
        epoch=one_of(1, 2, 3),
        organisation=organisation,
        startBy=integer,
        statusNumber=integer,
        resultTerms=or_null(result_terms),
        shares=list_of(Shape(to=peer, sealed=data), 0, 64),
        log=position,
    ),
    "decline": dict(
        contract=identifier,
        request=identifier,
        epoch=one_of(1, 2, 3),
        organisation=organisation,
        refusal=refusal,
    ),
    "receipt": dict(
        contract=identifier,
        request=identifier,
        organisation=organisation,
        step=integer,
        service=name,
        round=integer,
        inputs=list_of(digest),
        outputs=list_of(digest),
        rows=or_null(integer),
        bytes=or_null(integer),
        withheld_=integer,
        suppressed_=integer,
        cpuMicroseconds=integer,
        microjoules=integer,
        energy=one_of("estimated", "measured"),
        cache=one_of("hit", "miss", "none"),
        milliseconds=integer,
        wiped=or_null(Shape(bytes=integer, at=integer)),
        decisions=list_of(
            Shape(question=question, verdict=verdict, clauses=list_of(text), policy=text), 0, 64
        ),
        log=position,
    ),
    "outcome": dict(
        request=identifier,
        contract=or_null(identifier),
        organisation=organisation,
        result=one_of("completed", "failed", "cancelled", "expired"),
        code=or_null(text),
        hop=or_null(organisation),
        step=or_null(text),
        position=or_null(integer),
        receipts=list_of(identifier, 0, 512),
        log=position,
    ),
    "checkpoint": dict(organisation=organisation, log=position, export=or_null(digest)),
}


def shape_of(kind):
    """The fields of a document type, with those that every payload has."""
    return Shape(
        type=one_of(kind),
        version=one_of(1),
        marketplace=one_of("") if kind == "charter" else identifier,
        issuer=peer,
        issuedAt=integer,
        expires=integer,
        **DOCUMENTS[kind],
    )


SHAPES = {kind: shape_of(kind) for kind in DOCUMENTS}
