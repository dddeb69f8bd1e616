"""Section 3.2: what is signed about logs, against what the exports show of them."""

from .finding import Finding

# The documents that carry a position: that of the entry which tells of signing them.
POSITIONED = ("acceptance", "release", "receipt", "outcome")


def check_logs(bundle):
    positions = bundle.of_type(*POSITIONED, "checkpoint")
    for export in bundle.exports:
        _contradicted(export, positions)
        _equivocation(export, positions, bundle)
        _cut_off(export, positions)


def _contradicted(export, positions):
    entries = {entry.sequence: entry for entry in export.entries}
    for document in positions:
        if document.issuer != export.peer:
            continue
        sequence, head = document.payload["log"]["sequence"], document.payload["log"]["head"]
        shown = export.heads.get(sequence)
        if shown is None:
            continue
        fault = None
        if shown != head:
            fault = "another head"
        elif document.type != "checkpoint":
            entry = entries.get(sequence)
            if entry is None or entry.kind != document.type:
                fault = "an entry of another kind"
            elif entry.contract != document.payload["contract"]:
                fault = "an entry of another contract"
        if fault is not None:
            raise Finding(
                "position-contradicted",
                document.record,
                f"{document.type}: its log shows {fault} at {sequence}",
                document.organisation,
                document.issuer,
                sequence,
            )


def _equivocation(export, positions, bundle):
    signed = {}
    for document in positions:
        sequence, head = document.payload["log"]["sequence"], document.payload["log"]["head"]
        first = signed.setdefault((document.issuer, sequence), head)
        if document.organisation == export.organisation and first != head:
            raise Finding(
                "equivocation",
                document.record,
                f"two heads for entry {sequence} of one log are signed",
                document.organisation,
                document.issuer,
                sequence,
            )
    for other in bundle.exports:
        if other.record >= export.record or other.peer != export.peer:
            continue
        for entry in export.entries:
            if other.heads.get(entry.sequence, entry.head) != entry.head:
                raise Finding(
                    "equivocation",
                    entry.record,
                    f"two exports of one agent have two heads for entry {entry.sequence}",
                    export.organisation,
                    export.peer,
                    entry.sequence,
                )


def _cut_off(export, positions):
    if export.checkpoint is None:
        return
    last = export.checkpoint.payload["log"]["sequence"]
    for document in positions:
        if document.issuer == export.peer and document.payload["log"]["sequence"] > last:
            raise Finding(
                "end-cut-off",
                document.record,
                f"{document.type}: names entry {document.payload['log']['sequence']}, the export ends at {last}",
                document.organisation,
                document.issuer,
                document.payload["log"]["sequence"],
            )
