"""A second checker of audit exports, written from docs/audit-format.md and docs/protocol.md; it shares no code with the agent.

Needs Python 3.11, cbor2 and cryptography (Debian: python3-cbor2, python3-cryptography).
"""

from .acts import check_acts
from .finding import Finding
from .logs import check_logs
from .papers import check_documents
from .reading import Reader
from .report import decisions_of, missing_from


def check(data):
    """The answer for the bytes of a file, as section 3.5 of the format says."""
    bundle = None
    finding = None
    try:
        bundle = Reader(data).read()
        check_logs(bundle)
        check_documents(bundle)
        check_acts(bundle)
    except Finding as found:
        finding = found
    if finding is None:
        verdict = "confirmed"
    else:
        verdict = "unreadable" if bundle is None and finding.record == 0 else "broken"
    return {
        "verdict": verdict,
        "finding": None if finding is None else finding.as_json(),
        "decisions": [] if bundle is None else decisions_of(bundle),
        "missing": [] if bundle is None else missing_from(bundle),
    }
