"""Section 3.3: the documents of a file against each other."""

from . import dagcbor
from .finding import Finding
from .membership import Members
from .standing import offer_of, taken_of
from .terms import broken_by, hosts_of, not_permitted, wider

AGENTS = {
    "request",
    "offer",
    "contract",
    "acceptance",
    "decline",
    "receipt",
    "outcome",
    "agreement-refusal",
    "agreement-replaced",
    "release",
    "checkpoint",
    "capability",
}
CODES = (
    "not-a-member",
    "expelled",
    "agreement-unsigned",
    "contract-mismatch",
    "acceptance-twice",
    "outcome-twice",
    "outcome-contradicted",
    "terms-wider",
    "agreement-basis",
    "receipt-mismatch",
)
RESULT_SERVICE = "convert"


def check_documents(bundle):
    """Raises the Finding that comes first: by the last record that it takes to see it, then by the order of the codes."""
    found = sorted(_Papers(bundle).findings(), key=lambda one: (one.record, CODES.index(one.code)))
    if found:
        raise found[0]


class _Papers:
    def __init__(self, bundle):
        self.bundle = bundle
        self.members = Members(bundle)

    def findings(self):
        for document in self.bundle.documents:
            yield from self._membership(document)
        for contract in self.bundle.of_type("contract"):
            yield from self._contract(contract)
            yield from self._terms(contract)
            yield from self._basis(contract)
            yield from self._receipts(contract)
        yield from self._twice()
        yield from self._outcomes()

    def _found(self, code, reason, *documents, signer=None):
        last = max(documents, key=lambda one: one.record)
        return Finding(code, last.record, f"{last.type}: {reason}", last.organisation, signer or last.issuer)

    def _membership(self, document):
        members, at = self.members, document.payload["issuedAt"]
        if document.type in ("membership", "status"):
            if not members.is_authorised(document):
                yield self._found("not-a-member", "too few authorities signed it", document)
            return
        if document.type == "agreement":
            parties = document.payload["parties"]
            stewards = {party: members.stewards_of(party) for party in parties}
            counting = taken_of(document, members)
            offer = offer_of(document)
            known = {document.issuer}.union(*stewards.values(), set() if offer is None else {offer.issuer})
            for signer in document.signers:
                if signer not in known:
                    yield self._found("not-a-member", "signed by no steward of a party", document, signer=signer)
                elif members.is_expelled(signer, at):
                    yield self._found("expelled", "its signer had been expelled", document, signer=signer)
            for party in parties:
                taken = party == document.payload["provider"] and counting in document.signers
                if not taken and not stewards[party].intersection(document.signers):
                    yield self._found("agreement-unsigned", f"no steward of {party} signed it", document)
            return
        if document.type in AGENTS:
            if not members.is_agent(document.issuer, document.payload["organisation"], at):
                yield self._found("not-a-member", "its issuer was no agent of that organisation then", document)
        elif document.type == "revocation":
            if document.issuer not in members.stewards_of(document.payload["organisation"]):
                yield self._found("not-a-member", "its issuer is no steward of that organisation", document)
        else:
            return
        if members.is_expelled(document.issuer, at):
            yield self._found("expelled", "its issuer had been expelled", document)

    def _contract(self, contract):
        content = contract.payload
        for document in self.bundle.of_type("acceptance", "decline", "release", "receipt"):
            said = document.payload
            if said["contract"] != contract.id:
                continue
            party = self._party(content, document.issuer)
            if party is None or party["organisation"] != said["organisation"]:
                yield self._found("contract-mismatch", "its signer is no party of the contract", contract, document)
            elif said["request"] != content["request"] or said.get("epoch", content["epoch"]) != content["epoch"]:
                yield self._found("contract-mismatch", "of another request or epoch", contract, document)
        request = self.bundle.get(content["request"], "request")
        rows = None if request is None else self._rows(content, request.payload)
        yield from self._offers(contract, request, rows)
        if request is None:
            return
        asked = request.payload
        if contract.issuer != request.issuer:
            yield self._found("contract-mismatch", "not signed by who asked", contract, request)
        for field in ("purpose", "user", "organisation", "datasets", "algorithm", "recipients", "verify"):
            if content.get(field) != asked.get(field):
                yield self._found("contract-mismatch", f"{field} is not what was asked", contract, request)
        if not rows:
            yield self._found("contract-mismatch", "no row of the request", contract, request)

    def _offers(self, contract, request, rows):
        """Whose offers the parties rest on; which rows they permit is known by the request alone."""
        for party in contract.payload["parties"]:
            offer = self.bundle.get(party["offer"], "offer") if party["offer"] else None
            if offer is None:
                continue
            if offer.issuer != party["peer"] or offer.payload["request"] != contract.payload["request"]:
                yield self._found("contract-mismatch", "rests on another's offer", contract, offer)
            elif request is not None and not any(
                one["row"] in rows and one["verdict"] == "permit" for one in offer.payload["rows"]
            ):
                yield self._found("contract-mismatch", "rests on a row that was refused", contract, offer, request)

    def _rows(self, contract, request):
        again = contract.get("verify")
        computing = {party["peer"] for party in contract["parties"] if "infrastructure" in party["roles"]}
        if again is not None and again not in computing:
            return []
        computing.discard(again)
        hosts = [host for host in hosts_of(contract) if host["peer"] != again]
        return [
            index
            for index, row in enumerate(request["rows"])
            if row["archetype"] == contract["archetype"].get("name")
            and (
                not hosts
                if row["infrastructure"] is None
                else row["infrastructure"] in computing
                and all(host["peer"] == row["infrastructure"] for host in hosts)
            )
        ]

    @staticmethod
    def _party(contract, peer):
        return next((party for party in contract["parties"] if party["peer"] == peer), None)

    def _acceptances(self, contract):
        return [one for one in self.bundle.of_type("acceptance") if one.payload["contract"] == contract.id]

    def _terms(self, contract):
        terms = contract.payload["terms"]
        for clause in broken_by(terms, contract.payload):
            yield self._found("terms-wider", f"breaks its own terms: {clause}", contract)
        for acceptance in self._acceptances(contract):
            bound = acceptance.payload["resultTerms"]
            party = self._party(contract.payload, acceptance.issuer)
            if bound is not None and party is not None and "data" in party["roles"]:
                for clause in wider(terms, bound):
                    yield self._found("terms-wider", f"wider than a provider accepted: {clause}", contract, acceptance)
            if terms["until"] is not None and acceptance.payload["issuedAt"] >= terms["until"]:
                yield self._found("terms-wider", "accepted after the terms ended", contract, acceptance)

    def _basis(self, contract):
        for party in contract.payload["parties"]:
            content = self.bundle.sections.get(party["section"])
            if content is None or "data" not in party["roles"]:
                continue
            acceptance = next(
                (one for one in self._acceptances(contract) if one.issuer == party["peer"]), None
            )
            accepted = None if acceptance is None else acceptance.payload["issuedAt"]
            for named in self._agreements_named(content):
                agreement = self.bundle.get(named["agreement"], "agreement")
                if agreement is None:
                    continue
                involved = [contract, agreement] + ([] if acceptance is None else [acceptance])
                for clause in not_permitted(
                    agreement.payload, contract.payload, party["organisation"], named["dataset"], accepted
                ):
                    yield self._found("agreement-basis", f"{clause} does not permit it", *involved, signer=party["peer"])
                for revocation in self.bundle.of_type("revocation"):
                    said = revocation.payload
                    if said["agreement"] != agreement.id or accepted is None:
                        continue
                    if accepted >= said["issuedAt"] + said["notice"]:
                        yield self._found("agreement-basis", "it had been revoked", *involved, revocation, signer=party["peer"])

    @staticmethod
    def _agreements_named(content):
        return [named for part in dagcbor.decode(content) if part["as"] == "data" for named in part["agreements"]]

    def _receipts(self, contract):
        content = contract.payload
        receipts = [one for one in self.bundle.of_type("receipt") if one.payload["contract"] == contract.id]
        seen = {}
        for receipt in receipts:
            said = receipt.payload
            party = self._party(content, receipt.issuer)
            if party is None:
                continue
            placed = {"step": said["step"], "service": said["service"], "at": receipt.issuer} in content["chain"]
            of_result = (
                "recipient" in party["roles"]
                and said["step"] == len(content["chain"])
                and said["service"] == RESULT_SERVICE
            )
            if not placed and not of_result:
                yield self._found("receipt-mismatch", "its step is not its signer's", contract, receipt)
            if of_result and not self._verified_as_agreed(said, content):
                yield self._found("receipt-mismatch", "what was run again is not what it says", contract, receipt)
            key = (receipt.issuer, said["step"], said["service"], said["round"])
            if key in seen:
                yield self._found("receipt-mismatch", "the same step and round twice", receipt, seen[key])
            seen.setdefault(key, receipt)
            senders = {flow["from"] for flow in content["flows"] if flow["to"] == receipt.issuer}
            sent = [one for one in receipts if one.issuer in senders]
            if not self._complete(content, senders, sent):
                continue
            outputs = {digest for one in sent for digest in one.payload["outputs"]}
            if any(digest not in outputs for digest in said["inputs"]):
                yield self._found("receipt-mismatch", "inputs that nobody sent", contract, receipt)

    @staticmethod
    def _verified_as_agreed(receipt, contract):
        """Whether a recipient says that two parties gave the same exactly where one was to run again what the other ran."""
        said, again = receipt.get("verification"), contract.get("verify")
        if again is None or said is None:
            return again is None and said is None
        hosts = hosts_of(contract)
        first = [host["organisation"] for host in hosts if host["peer"] != again]
        second = [host["organisation"] for host in hosts if host["peer"] == again]
        return [said["of"]] == first and [said["at"]] == second

    @staticmethod
    def _complete(contract, senders, receipts):
        """Whether every step of those parties has its receipt in the file."""
        there = {(one.issuer, one.payload["step"]) for one in receipts}
        return all(
            (step["at"], step["step"]) in there for step in contract["chain"] if step["at"] in senders
        )

    def _twice(self):
        accepted, ended = {}, {}
        for document in self.bundle.of_type("acceptance"):
            said = document.payload
            first = accepted.setdefault((document.issuer, said["request"], said["epoch"]), document)
            if first.payload["contract"] != said["contract"]:
                yield self._found("acceptance-twice", "its signer accepted another contract too", first, document)
        for document in self.bundle.of_type("outcome"):
            first = ended.setdefault((document.issuer, document.payload["request"]), document)
            if first is not document:
                yield self._found("outcome-twice", "its signer said another outcome too", first, document)

    def _outcomes(self):
        outcomes = self.bundle.of_type("outcome")
        for outcome in outcomes:
            said = outcome.payload
            if said["result"] != "completed":
                continue
            contract = self.bundle.get(said["contract"], "contract")
            if contract is not None:
                party = self._party(contract.payload, outcome.issuer)
                if party is None or "recipient" not in party["roles"]:
                    yield self._found("outcome-contradicted", "completed by no recipient", outcome, contract)
                for receipt in self.bundle.of_type("receipt"):
                    of_result = (
                        receipt.issuer == outcome.issuer
                        and receipt.payload["contract"] == contract.id
                        and receipt.payload["service"] == RESULT_SERVICE
                        and receipt.payload["step"] == len(contract.payload["chain"])
                    )
                    if of_result and receipt.id not in said["receipts"]:
                        yield self._found(
                            "outcome-contradicted", "does not rest on its receipt", outcome, receipt, contract
                        )
            for other in outcomes:
                if (
                    other.issuer != outcome.issuer
                    and other.payload["request"] == said["request"]
                    and other.payload["result"] in ("failed", "cancelled")
                ):
                    yield self._found("outcome-contradicted", "two parties say opposite things", outcome, other)
