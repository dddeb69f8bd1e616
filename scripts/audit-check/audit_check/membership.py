"""Who was a member, and who had been expelled, according to the documents of a file."""


class Members:
    def __init__(self, bundle):
        charters = bundle.of_type("charter")
        charter = charters[0].payload if charters else None
        self.authorities = set(charter["authorities"]) if charter else set()
        self.threshold = charter["threshold"] if charter else None
        self.memberships = [one for one in bundle.of_type("membership") if self.is_authorised(one)]
        self.statuses = [one for one in bundle.of_type("status") if self.is_authorised(one)]

    def is_authorised(self, document):
        """Whether enough of the marketplace's authorities signed it."""
        if self.threshold is None:
            return False
        return len(self.authorities.intersection(document.signers)) >= self.threshold

    def is_agent(self, peer, organisation, at):
        """Whether the newest membership that the organisation had at that instant lists the agent and held."""
        issued = [
            one
            for one in self.memberships
            if one.payload["organisation"] == organisation and one.payload["issuedAt"] <= at
        ]
        if not issued:
            return False
        newest = max(issued, key=lambda one: one.payload["issuedAt"]).payload
        return newest["expires"] > at and peer in newest["agents"]

    def stewards_of(self, organisation):
        return {
            steward
            for one in self.memberships
            if one.payload["organisation"] == organisation
            for steward in one.payload["stewards"]
        }

    def is_expelled(self, peer, at):
        return any(
            entry["peer"] == peer and (entry["since"] <= at or entry.get("stolenFrom", at + 1) <= at)
            for status in self.statuses
            for entry in status.payload["expelled"]
        )
