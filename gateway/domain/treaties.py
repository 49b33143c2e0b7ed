"""Treaties as data: an agreement, or an implementing protocol to one, with its rules and what the register knows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.limits import Confidence, Limit
from gateway.errors import UnknownTreaty

NO_AGREEMENT = "no-agreement"  # the rule file of states between which the register holds no agreement: nothing in it computes


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side of the treaty: a state, or a group of states that the treaty binds together."""

    code: str  # "RS", "EU"
    name: str
    states: frozenset[str]  # ISO alpha-2 codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A statement of the register that computes nothing: gazette, authority, airport."""

    about: str
    text: str
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A field that may not be sent under the treaty, although the list of its message type has it."""

    field: str  # below the root of a message ("Person/PhysicalDescription"): a field, or a group with all its fields
    messages: frozenset[str]  # message types; empty: all
    article: str
    source: str
    confidence: Confidence  # sure enough to act on
    treaty: str  # id of the file the row stands in


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """An agreement between two parties. The party named second is asked unless a case says otherwise."""

    id: str
    name: str
    version: str  # of the rule file; a case keeps the one it began with
    parties: tuple[Party, Party]
    entered_into_force: date | None  # None: not known; how sure it is stands in the fact "in force"
    limits: tuple[Limit, ...]  # where two rows cover the same, the one that prevails stands first
    authorities: Mapping[str, Fact]  # by state: who sends, receives and carries out
    facts: tuple[Fact, ...]
    agreement: str | None = None  # of an implementing protocol: the agreement whose rules it overrides
    protocol: str | None = None  # of an agreement as it stands for one pair of states: the protocol laid over it
    note: str = ""
    withheld: tuple[Withheld, ...] = ()

    def limit(
        self, limit_id: str, procedure: str, category: str, *, escorted: bool = False, means: str | None = None
    ) -> Limit | None:
        """Return the row that covers this procedure, person and transfer; None when the treaty has none."""
        for row in self.limits:
            if row.id == limit_id and row.covers(procedure, category, escorted=escorted, means=means):
                return row
        return None

    def started_by(self, event: str, procedure: str, category: str) -> tuple[Limit, ...]:
        """Return the rows whose clock an event starts for this procedure and person; of each limit the one that prevails."""
        found: dict[str, Limit] = {}
        for row in self.limits:
            if row.start == event and row.covers(procedure, category):
                found.setdefault(row.id, row)
        return tuple(found.values())

    def binds(self, requesting: str | None, requested: str) -> bool:
        """Whether the two states stand on different sides of the treaty; an unnamed requesting state may be any."""
        one, other = self.parties
        if requesting is None:
            return requested in one.states | other.states
        return (requesting in one.states and requested in other.states) or (
            requesting in other.states and requested in one.states
        )

    def counterpart(self, state: str) -> str | None:
        """Return the only state of the other side; None when it has several, or `state` is on neither."""
        for mine, other in (self.parties, self.parties[::-1]):
            if state in mine.states and len(other.states) == 1:
                return next(iter(other.states))
        return None

    @property
    def asked_by_default(self) -> str | None:
        """Return the state that is asked when nobody says: the party named second, if it is one state."""
        states = self.parties[1].states
        return next(iter(states)) if len(states) == 1 else None


def under(agreement: Treaty, protocol: Treaty) -> Treaty:
    """Return the agreement as it stands between the states of a protocol: a rule of the protocol prevails."""
    return replace(
        agreement,
        name=f"{agreement.name}, with {protocol.name}",
        version=f"{agreement.version}+{protocol.version}",
        parties=protocol.parties,
        limits=protocol.limits + agreement.limits,
        authorities={**agreement.authorities, **protocol.authorities},
        facts=agreement.facts + protocol.facts,
        withheld=agreement.withheld + protocol.withheld,
        protocol=protocol.id,
        note=" ".join(filter(None, (agreement.note, protocol.note))),
    )


def treaty_between(treaties: Mapping[str, Treaty], treaty_id: str, requesting: str | None, requested: str | None) -> Treaty:
    """Return the rules that hold between two states: the agreement, with its protocol for this pair laid over it.

    The id of a protocol names the agreement under that protocol. Raises `UnknownTreaty`.
    """
    named = treaties.get(treaty_id)
    if named is None:
        raise UnknownTreaty(f"there is no treaty {treaty_id!r} in the rule files", path="Request/Agreement")
    if named.agreement is not None:
        return under(treaties[named.agreement], named)
    for protocol in treaties.values():
        asked = requested or named.asked_by_default
        if protocol.agreement == treaty_id and requesting and asked and protocol.binds(requesting, asked):
            return under(named, protocol)
    return named
