"""Section 3.4: what the log of an exporter says it did, and what had to be there before."""

from .dagcbor import decode, encode, id_of
from .finding import Finding

NEEDS = {"acceptance": "accept", "start": "start", "flow-sent": "send", "flow-received": "receive"}
AFTER_START = ("job-started", "flow-sent", "flow-received")
OTHER_END = {"flow-sent": "flow-received", "flow-received": "flow-sent"}


CODES = (
    "decision-missing",
    "decision-denied",
    "set-incomplete",
    "started-late",
    "ran-before-start",
    "ran-twice",
    "not-released",
    "flow-mismatch",
    "flow-unpaired",
    "decision-differs",
)


def check_acts(bundle):
    """Raises the Finding that comes first: by its record, then by the order of the codes."""
    found = []
    for export in bundle.exports:
        acts = _Acts(bundle, export)
        acts.check()
        found += acts.found
    if found:
        raise min(found, key=lambda one: (one.record, CODES.index(one.code)))


def number(entry, field):
    value = entry.fields.get(field)
    return value if type(value) is int else None


def texts(entry, field):
    value = entry.fields.get(field)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def peer_of(entry):
    value = entry.fields.get("peer")
    return value if isinstance(value, str) else ""


class _Acts:
    def __init__(self, bundle, export):
        self.bundle = bundle
        self.export = export
        self.verdicts = {}
        self.started = set()
        self.jobs = set()
        self.sent = {}
        self.found = []

    def check(self):
        for entry in self.export.entries:
            for look in (
                self._decision,
                self._set,
                self._late,
                self._before_start,
                self._twice,
                self._released,
                self._same_rows,
                self._flow,
                self._opened,
            ):
                look(entry)
            if entry.kind == "decision":
                self.verdicts[(entry.contract, entry.fields["question"])] = entry.fields["verdict"]
            elif entry.kind == "start":
                self.started.add(entry.contract)

    def _opened(self, entry):
        """What takes no engine to see: a permission that rests on a denial beside the rules."""
        if entry.kind != "decision" or entry.fields["verdict"] != "permit":
            return
        for record, opening in self.export.openings.get(entry.sequence, ()):
            besides = decode(opening["content"])["besides"]
            if besides is not None:
                record = max(record, entry.record)
                self._fail("decision-differs", entry, f"it says permit, and rests on {besides}", record)

    def _fail(self, code, entry, reason, record=None):
        record = entry.record if record is None else record
        self.found.append(
            Finding(code, record, f"{entry.kind}: {reason}", self.export.organisation, self.export.peer, entry.sequence)
        )

    def _decision(self, entry):
        question = NEEDS.get(entry.kind)
        if question is None:
            return
        verdict = self.verdicts.get((entry.contract, question))
        if verdict is None:
            self._fail("decision-missing", entry, f"policy was not asked {question} before")
        elif verdict != "permit":
            self._fail("decision-denied", entry, f"policy had denied {question}")

    def _set(self, entry):
        if entry.kind != "start":
            return
        contract = self.bundle.get(entry.contract, "contract")
        if contract is None:
            return
        listed = texts(entry, "acceptances")
        accepted = {
            document.issuer
            for document in self.bundle.of_type("acceptance")
            if document.id in listed and document.payload["contract"] == contract.id
        }
        for party in contract.payload["parties"]:
            if party["peer"] not in accepted:
                self._fail("set-incomplete", entry, f"without an acceptance of {party['organisation']}")

    def _late(self, entry):
        if entry.kind != "start":
            return
        for document in self.bundle.of_type("acceptance"):
            said = document.payload
            if document.issuer != self.export.peer or said["contract"] != entry.contract:
                continue
            if entry.content["time"] > said["issuedAt"] + said["startBy"]:
                self._fail("started-late", entry, "after its own startBy")

    def _before_start(self, entry):
        if entry.kind in AFTER_START and entry.contract not in self.started:
            self._fail("ran-before-start", entry, "before the start of its contract")

    def _twice(self, entry):
        if entry.kind != "job-started":
            return
        job = (entry.contract, number(entry, "step"), number(entry, "round"), number(entry, "attempt"))
        if job in self.jobs or job[3] not in (1, 2):
            self._fail("ran-twice", entry, f"step {job[1]}, round {job[2]}, attempt {job[3]} once more")
        self.jobs.add(job)

    def _released(self, entry):
        contract = self.bundle.get(entry.contract, "contract")
        if entry.kind != "flow-sent" or contract is None:
            return
        content, own, receiver = contract.payload, self.export.peer, peer_of(entry)
        recipients = {party["peer"] for party in content["parties"] if "recipient" in party["roles"]}
        if receiver not in recipients:
            return
        sources = {own} | {flow["from"] for flow in content["flows"] if flow["to"] == own}
        data = {party["peer"] for party in content["parties"] if "data" in party["roles"]} & sources
        result = id_of(encode(texts(entry, "parts")))
        for acceptance in self.bundle.of_type("acceptance"):
            said = acceptance.payload
            if said["contract"] != contract.id or acceptance.issuer not in data:
                continue
            if (said["resultTerms"] or {}).get("releaseAsk") and not any(
                release.issuer == acceptance.issuer
                and release.payload["contract"] == contract.id
                and release.payload["flow"] == number(entry, "flow")
                and release.payload["to"] == receiver
                and release.payload["result"] == result
                and release.payload["refused"] is None
                for release in self.bundle.of_type("release")
            ):
                self._fail("not-released", entry, f"{said['organisation']} had wanted the last word, and gave none")

    def _same_rows(self, entry):
        contract = self.bundle.get(entry.contract, "contract")
        if entry.kind != "flow-sent" or contract is None or "verify" not in contract.payload:
            return
        own = [one for one in contract.payload["parties"] if one["peer"] == self.export.peer]
        if not own or "data" not in own[0]["roles"]:
            return
        first = self.sent.setdefault((entry.contract, number(entry, "attempt")), texts(entry, "parts"))
        if first != texts(entry, "parts"):
            self._fail("flow-mismatch", entry, "other rows to who runs it again than to the first")

    def _flow(self, entry):
        if entry.kind not in OTHER_END:
            return
        own, other = self.export.peer, peer_of(entry)
        ends = (own, other) if entry.kind == "flow-sent" else (other, own)
        contract = self.bundle.get(entry.contract, "contract")
        if contract is not None and not any(
            (flow["flow"], flow["from"], flow["to"]) == (number(entry, "flow"), *ends)
            for flow in contract.payload["flows"]
        ):
            self._fail("flow-mismatch", entry, "the contract has no such flow")
        export = self.bundle.export_of(other)
        if export is None:
            return
        pairs = [
            one
            for one in export.entries
            if one.kind == OTHER_END[entry.kind]
            and one.contract == entry.contract
            and all(number(one, field) == number(entry, field) for field in ("flow", "attempt"))
        ]
        if not pairs and entry.kind == "flow-received":
            # A sender that went down before it heard of the arrival has neither.
            if not any(one.kind == "receipt" and one.contract == entry.contract for one in export.entries):
                return
        if not pairs:
            self._fail("flow-unpaired", entry, f"the export of {export.organisation} does not have its other end")
            return
        # Two entries contradict each other: it is found at the later one.
        if all(texts(one, "parts") != texts(entry, "parts") for one in pairs) and any(
            one.record < entry.record for one in pairs
        ):
            self._fail("flow-mismatch", entry, f"other parts than {export.organisation} says")
