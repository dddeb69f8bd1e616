"""The answer: what was confirmed, what is only attested, and what is not in the file."""


def decisions_of(bundle):
    return [
        {
            "organisation": export.organisation,
            "sequence": entry.sequence,
            "question": entry.fields["question"],
            "verdict": entry.fields["verdict"],
            **_standing(entry, entry.sequence in export.openings),
        }
        for export in bundle.exports
        for entry in export.entries
        if entry.kind == "decision"
    ]


def _standing(entry, opened):
    """An opened decision takes the policy engine, which this checker does not have."""
    if opened:
        return {"standing": "attested (opened)", "why": "this checker has no policy engine to evaluate it again"}
    if "facts" not in entry.fields:
        why = "its log holds no commitment to what it rested on"
    else:
        why = "what it rested on is not in the file: it was not opened, or is kept no longer"
    return {"standing": "attested", "why": why}


def missing_from(bundle):
    """Said, not failed: parties without an export, and documents that others name."""
    missing = []
    exporters = {export.peer for export in bundle.exports}
    for contract in bundle.of_type("contract"):
        accepted = {
            one.issuer for one in bundle.of_type("acceptance") if one.payload["contract"] == contract.id
        }
        for party in contract.payload["parties"]:
            if party["peer"] not in exporters:
                missing.append(f"the export of {party['organisation']}")
            if party["peer"] not in accepted:
                missing.append(f"the acceptance of {party['organisation']} under {contract.id}")
            if party["offer"] and bundle.get(party["offer"], "offer") is None:
                missing.append(f"the offer of {party['organisation']}, {party['offer']}")
    for outcome in bundle.of_type("outcome"):
        for receipt in outcome.payload["receipts"]:
            if bundle.get(receipt, "receipt") is None:
                missing.append(f"receipt {receipt}")
    return list(dict.fromkeys(missing))
