"""The fields of every signed document, from the tables of docs/protocol.md, section 2."""

from .clauses import PINS, between, open_terms, terms
from .codes import FAILURES, REFUSALS
from .shapes import (
    Shape,
    any_or_names,
    boolean,
    data,
    digest,
    identifier,
    integer,
    integer_of_any_sign,
    list_of,
    mapping,
    name,
    one_of,
    or_null,
    organisation,
    paragraph,
    peer,
    positive,
    text,
    up_to,
    user,
)

position = Shape(sequence=integer, head=digest)
sandbox = one_of("bubblewrap", "none")


def refusal_code(value):
    return isinstance(value, str) and value in REFUSALS


def end_code(value):
    return isinstance(value, str) and value in REFUSALS | FAILURES


result_terms = Shape(
    recipients=any_or_names,
    purposes=any_or_names,
    until=or_null(integer),
    services=list_of(name, 0, 32),
    forbid=list_of(name, 0, 32),
    maxRows=or_null(integer),
    minGroupSize_=integer,
    releaseAsk_=one_of(True),
    onward=one_of("none"),
)


def acceptable(value):
    said = lambda item: integer_of_any_sign(item) or paragraph(item) or list_of(paragraph, 0, 256)(item)
    return isinstance(value, dict) and all(up_to(64)(key) and said(item) for key, item in value.items())


refusal = Shape(
    code=refusal_code,
    clause=or_null(up_to(256)),
    reason=paragraph,
    acceptable=or_null(acceptable),
    position=or_null(integer),
)
_answers = {
    "permit": Shape(
        row=integer,
        verdict=text,
        services=list_of(name, 0, 32),
        clauses=list_of(up_to(256), 0, 64),
        terms=or_null(result_terms),
    ),
    "refuse": Shape(row=integer, verdict=text, refusal=refusal),
}
verification = Shape(
    of=organisation, at=organisation, results=list_of(Shape(first=digest, again=digest), 1, 64)
)
role = one_of("data", "infrastructure", "recipient")
archetype = Shape(
    name=name,
    roles=Shape(**{one: one_of("one", "many") for one in ("data", "algorithm", "infrastructure", "recipient")}),
    where=list_of(up_to(128), 0, 16),
    steps=list_of(
        Shape(
            service=name,
            at=one_of("data", "infrastructure", "recipient", "algorithm"),
            forEach_=one_of("data"),
            when_=one_of("required", "asked", "several"),
        ),
        1,
        32,
    ),
    output=Shape(to=one_of("recipient", "infrastructure", "data")),
)
question = one_of(
    "discover", "offer", "host", "accept", "start", "send", "receive", "continue", "release"
)
verdict = one_of("permit", "deny")


def answer(value):
    return isinstance(value, dict) and value.get("verdict") in _answers and _answers[value["verdict"]](value)


DOCUMENTS = {
    "charter": dict(
        name=name,
        authorities=list_of(peer, 1, 16),
        threshold=positive,
        membershipLifetime=integer,
        statusMaxAge=integer,
        contact=paragraph,
    ),
    "membership": dict(
        organisation=organisation,
        about=Shape(ror_=paragraph, dns_=paragraph, did_=paragraph),
        agents=list_of(peer, 1, 32),
        stewards=list_of(peer, 0, 32),
        roles=list_of(one_of("dataProvider", "computeProvider"), 0, 2),
        speaksFor=list_of(up_to(256, 1), 0, 256),
    ),
    "status": dict(
        number=integer,
        expelled=list_of(Shape(peer=peer, since=integer, reason_=up_to(200), stolenFrom_=integer), 0, 4096),
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
        isolation_=list_of(text),
        load=integer,
        keepFor=integer,
    ),
    "agreement": dict(
        name=name,
        provider=organisation,
        dataset=name,
        parties=list_of(organisation, 1, 64),
        terms=terms,
        pins=PINS,
        supersedes_=up_to(128),
        counters_=identifier,
        standing_=Shape(payload=data, signatures=list_of(data, 1, 4)),
    ),
    "standing-offer": dict(
        name=lambda value: name(value) and len(value) <= 60,
        provider=organisation,
        dataset=name,
        takers=lambda value: value == "*" or list_of(organisation, 1, 256)(value),
        max=between(1, 1000),
        terms=open_terms,
        pins=PINS,
    ),
    "agreement-replaced": dict(agreement=identifier, organisation=organisation),
    "release": dict(
        contract=identifier,
        request=identifier,
        organisation=organisation,
        flow=integer,
        to=peer,
        result=identifier,
        refused=or_null(refusal_code),
        log=position,
    ),
    "agreement-refusal": dict(agreement=identifier, organisation=organisation, reason=up_to(1000)),
    "revocation": dict(
        agreement=identifier,
        organisation=organisation,
        effect=one_of("stop", "finish"),
        notice=integer,
        reason=up_to(1000),
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
        verify_=peer,
        query=identifier,
    ),
    "offer": {
        "request": identifier,
        "organisation": organisation,
        "as": list_of(role, 1, 3),
        "rows": list_of(answer, 1, 64),
        "sandbox": sandbox,
        "policy": up_to(128),
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
        archetype=archetype,
        parties=list_of(
            Shape(
                peer=peer,
                organisation=organisation,
                roles=list_of(role, 1, 3),
                offer=or_null(identifier),
                sandbox=sandbox,
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
        verify_=peer,
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
        verification_=verification,
        decisions=list_of(
            Shape(question=question, verdict=verdict, clauses=list_of(up_to(256), 0, 64), policy=up_to(128)), 0, 64
        ),
        log=position,
    ),
    "outcome": dict(
        request=identifier,
        contract=or_null(identifier),
        organisation=organisation,
        result=one_of("completed", "failed", "cancelled", "expired"),
        code=or_null(end_code),
        hop=or_null(organisation),
        step=or_null(name),
        position=or_null(integer),
        receipts=list_of(identifier, 0, 512),
        verification_=verification,
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
