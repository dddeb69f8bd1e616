"""What travels with a result, and what an agreement permits."""


def _beyond(bound, names):
    if bound == "*":
        return []
    if names == "*":
        return ["*"]
    return [one for one in names if one not in bound]


def wider(terms, bound):
    """Names of the clauses in which `terms` allow more than `bound`."""
    found = [clause for clause in ("recipients", "purposes") if _beyond(bound[clause], terms[clause])]
    for clause in ("until", "maxRows"):
        limit, given = bound[clause], terms[clause]
        if limit is not None and (given is None or given > limit):
            found.append(clause)
    for clause in ("services", "forbid"):
        if any(one not in terms[clause] for one in bound[clause]):
            found.append(clause)
    if terms.get("minGroupSize", 0) < bound.get("minGroupSize", 0):
        found.append("minGroupSize")
    if bound.get("releaseAsk") and not terms.get("releaseAsk"):
        found.append("releaseAsk")
    return found


def broken_by(terms, contract):
    """Names of the clauses of its own terms that a contract breaks."""
    services = {step["service"] for step in contract["chain"]}
    found = []
    if _beyond(terms["recipients"], contract["recipients"]):
        found.append("recipients")
    if _beyond(terms["purposes"], [contract["purpose"]]):
        found.append("purposes")
    if any(one not in services for one in terms["services"]):
        found.append("services")
    if any(one in services for one in terms["forbid"]):
        found.append("forbid")
    return found


def hosts_of(contract):
    """Parties that compute and hold no data."""
    return [
        party
        for party in contract["parties"]
        if "infrastructure" in party["roles"] and "data" not in party["roles"]
    ]


def not_permitted(agreement, contract, provider, dataset, accepted):
    """Names of the clauses by which an agreement does not permit a contract; `accepted` is an instant in ms, or None."""
    terms = agreement["terms"]
    user = contract["user"]
    found = []
    if agreement["provider"] != provider:
        found.append("provider")
    if agreement["dataset"] != dataset:
        found.append("dataset")
    consumers = terms.get("consumers", [])
    if not any(
        one.get("organisation") == user["organisation"] or one.get("user") == user for one in consumers
    ):
        found.append("consumers")
    for clause, names in (
        ("purposes", [contract["purpose"]]),
        ("archetypes", [contract["archetype"].get("name")]),
        ("algorithms", [contract["algorithm"]]),
        ("computeProviders", [one["organisation"] for one in hosts_of(contract) if one["organisation"] != provider]),
    ):
        if _beyond(terms.get(clause, []), names):
            found.append(clause)
    allowed = terms.get("recipients", [])
    if allowed != "*":
        allowed = [user["organisation"] if one == "@requester" else one for one in allowed]
    if _beyond(allowed, contract["recipients"]):
        found.append("recipients")
    valid = terms.get("valid", {})
    if accepted is not None:
        if accepted < valid.get("from", 0):
            found.append("valid.from")
        if "until" in valid and accepted >= valid["until"]:
            found.append("valid.until")
    return found
