"""Agreements that a member took of a standing offer: docs/protocol.md, section 5."""

import hashlib
import re

from .reading import open_document

TEN_YEARS = 3650 * 86_400_000
PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")


def name_of(offer, taker):
    """The name that an agreement has which this organisation took."""
    if PLAIN.match(taker):
        return f"{offer}.{taker}"
    return f"{offer}..{hashlib.sha256(taker.encode()).hexdigest()[:32]}"


def _follows(agreement, offer):
    taker = next((one for one in agreement["parties"] if one != agreement["provider"]), None)
    if taker is None or agreement["parties"] != [offer["provider"], taker]:
        return False
    until = offer["terms"]["valid"].get("until")
    issued = agreement["issuedAt"]
    return (
        agreement["provider"] == offer["provider"]
        and agreement["marketplace"] == offer["marketplace"]
        and agreement["dataset"] == offer["dataset"]
        and agreement["pins"] == offer["pins"]
        and agreement["name"] == name_of(offer["name"], taker)
        and agreement["terms"] == {**offer["terms"], "consumers": [{"organisation": taker}]}
        and (offer["takers"] == "*" or taker in offer["takers"])
        and offer["issuedAt"] <= issued < offer["expires"]
        and agreement["expires"] == (issued + TEN_YEARS if until is None else until)
        and "counters" not in agreement
    )


def offer_of(document):
    """The standing offer that an agreement carries, or None."""
    standing = document.payload.get("standing")
    if standing is None:
        return None
    return open_document(
        "standing-offer", standing["payload"], standing["signatures"], document.record, document.organisation
    )


def taken_of(document, members):
    """The agent whose signature stands for the provider under an agreement that follows from a good offer, or None."""
    offer = offer_of(document)
    if offer is None:
        return None
    content = offer.payload
    stewards = members.stewards_of(content["provider"]).intersection(offer.signers)
    if all(members.is_expelled(steward, content["issuedAt"]) for steward in stewards):
        return None
    return offer.issuer if _follows(document.payload, content) else None
