"""A file as its records say, once section 3.1 of docs/audit-format.md has passed over them."""

from dataclasses import dataclass, field


@dataclass
class Document:
    record: int
    type: str
    payload: dict
    id: str
    signers: list
    organisation: str
    """Of the export in which it stands."""

    @property
    def issuer(self):
        return self.payload["issuer"]


@dataclass
class Entry:
    record: int
    sequence: int
    head: str
    content: dict

    @property
    def kind(self):
        return self.content["kind"]

    @property
    def fields(self):
        return self.content["fields"]

    @property
    def contract(self):
        return self.content.get("contract")


@dataclass
class Export:
    record: int
    header: dict
    heads: dict
    """Sequence number to head, over the shown part of the log and the position before it."""
    documents: list = field(default_factory=list)
    entries: list = field(default_factory=list)
    sections: list = field(default_factory=list)
    openings: dict = field(default_factory=dict)
    policies: dict = field(default_factory=dict)
    checkpoint: Document | None = None

    @property
    def peer(self):
        return self.header["peer"]

    @property
    def organisation(self):
        return self.header["organisation"]


class Bundle:
    """All exports of a file."""

    def __init__(self, exports):
        self.exports = exports
        self.documents = []
        seen = set()
        for export in exports:
            ends = [] if export.checkpoint is None else [export.checkpoint]
            for document in export.documents + ends:
                if document.id not in seen:
                    seen.add(document.id)
                    self.documents.append(document)
        self.by_id = {document.id: document for document in self.documents}
        # What each document says of sections, by digest.
        self.sections = {digest: content for export in exports for digest, content in export.sections}

    def of_type(self, *types):
        return [document for document in self.documents if document.type in types]

    def get(self, identifier, kind):
        document = self.by_id.get(identifier)
        return document if document is not None and document.type == kind else None

    def export_of(self, peer):
        return next((export for export in self.exports if export.peer == peer), None)
