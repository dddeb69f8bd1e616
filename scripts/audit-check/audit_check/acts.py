"""Section 3.4: what the log of an exporter says it did, and what had to be there before."""

from .dagcbor import encode, id_of
from .finding import Finding

NEEDS = {"acceptance": "accept", "start": "start", "flow-sent": "send", "flow-received": "receive"}
AFTER_START = ("job-started", "flow-sent", "flow-received")
OTHER_END = {"flow-sent": "flow-received", "flow-received": "flow-sent"}


def check_acts(bundle):
    for export in bundle.exports:
        _Acts(bundle, export).check()


class _Acts:
    def __init__(self, bundle, export):
        self.bundle = bundle
        self.export = export
        self.verdicts = {}
        self.started = set()
        self.jobs = set()

    def check(self):
        for entry in self.export.entries:
            for look in (
                self._decision,
                self._set,
                self._late,
                self._before_start,
                self._twice,
                self._released,
                self._flow,
            ):
                look(entry)
            if entry.kind == "decision":
                self.verdicts[(entry.contract, entry.fields["question"])] = entry.fields["verdict"]
            elif entry.kind == "start":
                self.started.add(entry.contract)

    def _fail(self, code, entry, reason):
        raise Finding(
            code, entry.record, f"{entry.kind}: {reason}", self.export.organisation, self.export.peer, entry.sequence
        )

    def _decision(self, entry):
        question = NEEDS.get(entry.kind)
        if question is None:
            return
        verdict = self.verdicts.get((entry.contract, question))
        if verdict is None:
            self._fail("decision-missing", entry, f"policy was not asked {question} before")
        if verdict != "permit":
            self._fail("decision-denied", entry, f"policy had denied {question}")

    def _set(self, entry):
        if entry.kind != "start":
            return
        contract = self.bundle.get(entry.contract, "contract")
        if contract is None:
            return
        accepted = {
            document.issuer
            for document in self.bundle.of_type("acceptance")
            if document.id in entry.fields.get("acceptances", []) and document.payload["contract"] == contract.id
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
        fields = entry.fields
        job = (entry.contract, fields.get("step"), fields.get("round"), fields.get("attempt"))
        if job in self.jobs or fields.get("attempt") not in (1, 2):
            self._fail("ran-twice", entry, f"step {job[1]}, round {job[2]}, attempt {job[3]} once more")
        self.jobs.add(job)

    def _released(self, entry):
        contract = self.bundle.get(entry.contract, "contract")
        if entry.kind != "flow-sent" or contract is None:
            return
        content, fields, own = contract.payload, entry.fields, self.export.peer
        recipients = {party["peer"] for party in content["parties"] if "recipient" in party["roles"]}
        if fields.get("peer") not in recipients:
            return
        sources = {own} | {flow["from"] for flow in content["flows"] if flow["to"] == own}
        data = {party["peer"] for party in content["parties"] if "data" in party["roles"]} & sources
        result = id_of(encode(fields.get("parts")))
        for acceptance in self.bundle.of_type("acceptance"):
            said = acceptance.payload
            if said["contract"] != contract.id or acceptance.issuer not in data:
                continue
            if (said["resultTerms"] or {}).get("releaseAsk") and not any(
                release.issuer == acceptance.issuer
                and release.payload["contract"] == contract.id
                and release.payload["flow"] == fields.get("flow")
                and release.payload["to"] == fields.get("peer")
                and release.payload["result"] == result
                and release.payload["refused"] is None
                for release in self.bundle.of_type("release")
            ):
                self._fail("not-released", entry, f"{said['organisation']} had wanted the last word, and gave none")

    def _flow(self, entry):
        if entry.kind not in OTHER_END:
            return
        fields, own = entry.fields, self.export.peer
        other = fields.get("peer")
        ends = (own, other) if entry.kind == "flow-sent" else (other, own)
        contract = self.bundle.get(entry.contract, "contract")
        if contract is not None and not any(
            (flow["flow"], flow["from"], flow["to"]) == (fields.get("flow"), *ends)
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
            and all(one.fields.get(field) == fields.get(field) for field in ("flow", "attempt"))
        ]
        if not pairs and entry.kind == "flow-received":
            # A sender that went down before it heard of the arrival has neither.
            if not any(one.kind == "receipt" and one.contract == entry.contract for one in export.entries):
                return
        if not pairs:
            self._fail("flow-unpaired", entry, f"the export of {export.organisation} does not have its other end")
        # Two entries contradict each other: it is found at the later one.
        if all(one.fields.get("parts") != fields.get("parts") for one in pairs) and any(
            one.record < entry.record for one in pairs
        ):
            self._fail("flow-mismatch", entry, f"other parts than {export.organisation} says")
