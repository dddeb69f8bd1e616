"""What a check finds: the first thing that breaks a rule."""

from dataclasses import dataclass


@dataclass
class Finding(Exception):
    code: str
    record: int
    reason: str
    organisation: str | None = None
    signer: str | None = None
    sequence: int | None = None

    def as_json(self):
        return {
            "code": self.code,
            "organisation": self.organisation,
            "record": self.record,
            "sequence": self.sequence,
            "signer": self.signer,
            "reason": self.reason,
        }
