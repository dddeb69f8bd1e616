"""The clauses of an agreement, from docs/protocol.md, section 2, and docs/agreements.md."""

import re

from .shapes import (
    Shape,
    any_or_names,
    boolean,
    digest,
    integer,
    list_of,
    map_of,
    name,
    one_of,
    organisation,
    paragraph,
    up_to,
    user,
)

DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?\Z")
column = up_to(128, 1)
value = up_to(256)


def between(least, most=2**53 - 1):
    return lambda number: integer(number) and least <= number <= most


def decimal(text):
    return isinstance(text, str) and DECIMAL.match(text) is not None


def either(*checks):
    return lambda one: any(check(one) for check in checks)


anything = one_of("*")
grant = Shape(columns=either(anything, list_of(column, 0, 2000)), where_=up_to(8192))
generalisation = either(
    one_of("year", "quarter", "month"),
    between(1),
    Shape(prefix=between(1, 128)),
    Shape(edges=list_of(decimal, 1, 256)),
    Shape(
        values=map_of(value, value, 4096),
        otherwise_=value,
        hierarchy_=Shape(name=value, level=between(1, 16), sha256=digest),
    ),
)
PINS = map_of(up_to(256), digest)
TERMS = dict(
    consumers=list_of(either(Shape(user=user), Shape(organisation=organisation)), 0, 256),
    purposes=any_or_names,
    archetypes=any_or_names,
    computeProviders=any_or_names,
    recipients=any_or_names,
    tables=either(anything, map_of(column, grant)),
    algorithms=any_or_names,
    services=Shape(require=list_of(name, 0, 32), forbid=list_of(name, 0, 32)),
    output=Shape(unit_=column, minGroupSize_=integer, maxRows_=integer, aggregatesOnly_=boolean),
    anonymize_=Shape(
        pseudonymise=list_of(column, 0, 256),
        generalise=map_of(column, generalisation),
        suppress=list_of(column, 0, 256),
        k_=integer,
        quasi_=list_of(column, 1, 32),
    ),
    limits_=Shape(requests=integer, per=integer),
    approval_=Shape(by=list_of(paragraph, 0, 32), when=paragraph, within=integer),
    privacy_=Shape(epsilonMicros=integer, budgetMicros=integer, per=integer),
    cache_=Shape(extract=paragraph, results=paragraph),
    valid=Shape(from_=integer, until_=integer),
    sandbox_=one_of("required", "none"),
    onward_=paragraph,
    releaseAsk_=boolean,
    revocation_=Shape(effect=one_of("stop", "finish"), notice=integer),
    timezone=paragraph,
    about=map_of(up_to(64), paragraph),
    cedar_=up_to(65_536),
)
terms = Shape(**TERMS)
open_terms = Shape(**{**TERMS, "consumers": list_of(lambda one: False, 0, 0)})
