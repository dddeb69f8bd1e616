"""Section 3.1: the records of a file, one after the other."""

import hashlib

from . import dagcbor
from .bundle import Bundle, Document, Entry, Export
from .finding import Finding
from .keys import BadEnvelope, open_envelope, read_varint
from .opening import opening_fault
from .record_schema import RECORDS, entry_fault
from .schema import SHAPES
from .section import section_fault

MAX_RECORD = 1 << 20
MAX_PREFIX = 3
MANY_SIGNERS = {"charter", "membership", "status", "agreement", "standing-offer"}


class Cut(Exception):
    """The file ends inside of a record."""


def frame_at(data, at):
    """The body of the record that begins at `at`, and where the next begins. Raises Cut or ValueError."""
    prefix = data[at : at + MAX_PREFIX]
    last = next((index for index, byte in enumerate(prefix) if byte < 128), None)
    if last is None:
        if len(prefix) < MAX_PREFIX:
            raise Cut
        raise ValueError("a length is too long")
    length, start = read_varint(data, at)
    # Two files with one meaning would have two digests.
    if last > 0 and prefix[last] == 0:
        raise ValueError("a length in a longer form than it needs")
    if length > MAX_RECORD:
        raise ValueError(f"expected at most {MAX_RECORD} bytes, found {length}")
    if start + length > len(data):
        raise Cut
    return data[start : start + length], start + length


def record_of(body):
    """The map of a record. Raises ValueError."""
    value = dagcbor.decode(body)
    shape = RECORDS.get(value.get("kind")) if isinstance(value, dict) else None
    if shape is None:
        raise ValueError("expected a record of a known kind")
    fault = shape.fault(value)
    if fault is not None:
        raise ValueError(f"{value['kind']}: {fault}")
    return value


def open_document(kind, payload, signatures, record, organisation):
    """A document whose every signature verifies. Raises Finding."""
    try:
        content = dagcbor.decode(payload)
    except dagcbor.NotCanonical as error:
        raise Finding("document-malformed", record, f"{kind}: {error}") from error
    fault = SHAPES[kind].fault(content)
    if fault is not None:
        raise Finding("document-malformed", record, f"{kind}: {fault}")
    identifier = dagcbor.id_of(payload)
    signers = []
    if len(signatures) > 1 and kind not in MANY_SIGNERS:
        raise Finding("bad-signature", record, f"{kind}: expected one signature, found {len(signatures)}")
    for signature in signatures:
        try:
            signer = open_envelope(signature, f"dynamos/{kind}/1", identifier)
        except BadEnvelope as error:
            raise Finding("bad-signature", record, f"{kind}: {error}") from error
        if signer in signers:
            raise Finding("bad-signature", record, f"{kind}: {signer} has signed twice")
        signers.append(signer)
    if kind not in MANY_SIGNERS and content["issuer"] not in signers:
        raise Finding("bad-signature", record, f"{kind}: not signed by its issuer")
    if kind == "agreement" and "standing" in content:
        carried = content["standing"]
        open_document("standing-offer", carried["payload"], carried["signatures"], record, organisation)
    return Document(record, kind, content, identifier, signers, organisation)


def _digests_named(document):
    """Digests of salted sections that a document holds."""
    payload = document.payload
    if document.type == "request":
        yield payload["query"]
    elif document.type == "offer":
        yield payload["details"]
    elif document.type == "contract":
        for party in payload["parties"]:
            yield party["section"]


def next_head(head, sequence, digest):
    return hashlib.sha256(dagcbor.encode([head, sequence, digest])).hexdigest()


class Reader:
    """Reads a file; what is wrong later than it can be judged is kept until all records were read."""

    def __init__(self, data):
        self.data = data
        self.exports = []
        self.export = None
        self.began = 0
        self.last = None
        self.unjudged = []
        self.late = []

    def read(self):
        """The bundle. Raises Finding."""
        at = index = 0
        while at < len(self.data):
            try:
                body, following = frame_at(self.data, at)
            except Cut:
                break
            except ValueError as error:
                raise self._found(Finding("export-malformed", index, str(error))) from error
            try:
                self._take(index, body, at)
            except Finding as finding:
                raise self._found(finding, following) from None
            at, index = following, index + 1
        if self.export is not None or at < len(self.data) or index == 0:
            self.late.append((index, "export-truncated", "the file ends before the end of the export", self.export))
        bundle = Bundle(self.exports)
        self._judge_sections(bundle)
        for record, code, reason, export in self.late:
            signer = export.peer if export is not None and code == "export-altered" else None
            raise Finding(code, record, reason, export.organisation if export else None, signer)
        return bundle

    def _take(self, index, body, at):
        try:
            record = record_of(body)
        except ValueError as error:
            raise Finding("export-malformed", index, str(error)) from error
        kind = record["kind"]
        if (kind == "header") != (self.export is None):
            raise Finding("export-malformed", index, "expected a header first, and once in an export")
        take = getattr(self, f"_take_{kind}")
        take(index, record, at)

    def _take_header(self, index, record, at):
        after = record["after"]
        self.export = Export(index, record, {after["sequence"]: after["head"]})
        self.last = (after["sequence"], after["head"])
        self.began = at
        self.exports.append(self.export)
        first = self.exports[0].header
        if record["marketplace"] != first["marketplace"]:
            raise Finding("marketplace-differs", index, "the exports of this file are of two marketplaces")
        if record["request"] != first["request"]:
            raise Finding("request-differs", index, "the exports of this file are of two requests")

    def _open(self, index, kind, part):
        document = open_document(kind, part["payload"], part["signatures"], index, self.export.organisation)
        named = document.id if kind == "charter" else document.payload["marketplace"]
        if named != self.export.header["marketplace"]:
            raise Finding("marketplace-differs", index, f"{kind}: of another marketplace than the export")
        return document

    def _take_document(self, index, record, at):
        self.export.documents.append(self._open(index, record["type"], record))

    def _take_section(self, index, record, at):
        digest = dagcbor.section_digest(record["salt"], record["content"])
        self.unjudged.append((index, "section", (digest, record["content"]), self.export))
        self.export.sections.append((digest, record["content"]))

    def _take_entry(self, index, record, at):
        sequence = record["sequence"]
        previous, head = self.last
        content = None
        try:
            content = dagcbor.decode(record["entry"])
        except dagcbor.NotCanonical as error:
            fault = str(error)
        else:
            fault = entry_fault(content)
        digest = hashlib.sha256(dagcbor.encode([record["salt"], record["entry"]])).digest()
        expected = next_head(head, sequence, digest)
        if sequence != previous + 1 or expected != record["head"]:
            raise Finding("chain-broken", index, f"entry {sequence} does not follow {previous}", sequence=sequence)
        if fault is None and content.get("request") != self.export.header["request"]:
            fault = "of another request"
        if fault is not None:
            raise Finding("entry-malformed", index, f"entry {sequence}: {fault}", sequence=sequence)
        self.last = (sequence, expected)
        self.export.heads[sequence] = expected
        self.export.entries.append(Entry(index, sequence, expected, content))

    def _take_links(self, index, record, at):
        previous, head = self.last
        if record["from"] != previous + 1:
            raise Finding("chain-broken", index, f"links from {record['from']} do not follow {previous}")
        digests = record["digests"]
        for start in range(0, len(digests), 32):
            previous += 1
            head = next_head(head, previous, digests[start : start + 32])
            self.export.heads[previous] = head
        self.last = (previous, head)

    def _take_policy(self, index, record, at):
        files = [[one["file"], one["text"]] for one in record["files"]]
        if hashlib.sha256(dagcbor.encode([record["engine"], files])).hexdigest() != record["id"]:
            raise Finding("policy-mismatch", index, "the engine and the files do not give the id")
        self.export.policies[record["id"]] = record

    def _take_opening(self, index, record, at):
        self.unjudged.append((index, "opening", record, self.export))
        self.export.openings.setdefault(record["sequence"], []).append((index, record))

    def _take_end(self, index, record, at):
        export = self.export
        document, fault = self._checkpoint(index, record, at)
        if fault is not None:
            self.late.append((index, "export-altered", fault, export))
        else:
            export.checkpoint = document
        self.export = None

    def _checkpoint(self, index, record, at):
        """The document in an `end` at that place, and why it does not vouch for what stands before it, or None."""
        try:
            document = self._open(index, "checkpoint", record["checkpoint"])
        except Finding as finding:
            return None, finding.reason
        return document, self._end_fault(document, self.export, at)

    def _end_fault(self, document, export, at):
        if document.issuer != export.peer:
            return "the checkpoint is not the exporter's"
        if document.payload["organisation"] != export.organisation:
            return "the checkpoint is of another organisation"
        if document.payload["export"] != hashlib.sha256(self.data[self.began : at]).hexdigest():
            return "the checkpoint is of other bytes"
        return None

    def _judge_sections(self, bundle):
        named = {}
        for document in bundle.documents:
            for digest in _digests_named(document):
                named.setdefault(digest, document)
        commitments = {
            (export.record, entry.sequence): entry.fields.get("facts")
            for export in self.exports
            for entry in export.entries
            if entry.kind == "decision"
        }
        for index, kind, what, export in self.unjudged:
            if kind == "section":
                digest, content = what
                if digest not in named:
                    raise self._vouched(Finding("section-unknown", index, "no document names it"), export)
                document = named[digest]
                fault = section_fault(document.type, content)
                if fault is not None:
                    raise Finding("section-malformed", index, fault, export.organisation, document.issuer)
                continue
            sequence = what["sequence"]
            digest = dagcbor.section_digest(what["salt"], what["content"])
            if commitments.get((export.record, sequence)) != digest:
                finding = Finding("opening-mismatch", index, "no decision was committed to it", sequence=sequence)
                raise self._vouched(finding, export)
            fault = opening_fault(what["content"])
            if fault is not None:
                raise self._vouched(Finding("opening-malformed", index, fault, sequence=sequence), export)

    def _vouched(self, finding, export):
        finding.organisation = export.organisation
        altered = any(one is export for _, _, _, one in self.late)
        if export.checkpoint is not None and not altered:
            finding.signer = export.peer
        return finding

    def _found(self, finding, following=None):
        """The finding with the exporter as signer, where the end of its export vouches for these bytes."""
        export = self.export
        if export is None:
            return finding
        finding.organisation = export.organisation
        at = following
        while at is not None and at < len(self.data):
            try:
                body, after = frame_at(self.data, at)
                record = dagcbor.decode(body)
            except (Cut, ValueError):
                return finding
            kind = record.get("kind") if isinstance(record, dict) else None
            if kind == "header":
                return finding
            if kind == "end":
                try:
                    _, fault = self._checkpoint(finding.record, record_of(body), at)
                except ValueError:
                    return finding
                if fault is None:
                    finding.signer = export.peer
                return finding
            at = after
        return finding
