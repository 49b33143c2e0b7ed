"""What persons decided about partners: admitted, switched to production, suspended, resumed; and what follows for a message.

Decisions are only added. What holds is read from all of them: the latest one about a scope counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from gateway.domain.messages import MESSAGE_TYPES
from gateway.errors import BadValue

ANY = "*"
_PARTNER = re.compile(r"[a-z]{2}", re.ASCII)
_AUTHORITY = re.compile(r"[A-Z]{2}-[A-Z0-9]{2,12}", re.ASCII)
_NEVER_SUSPENDED = "Receipt"  # it proves what was received, and holds no personal data


class Kind(StrEnum):
    """What was decided."""

    ADMITTED = "admitted"
    PRODUCTION = "production"
    SUSPENDED = "suspended"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom and what a decision is about: a partner, or a pair of authorities, or everybody; all messages, or one type."""

    who: str = ANY  # "pk", "AT-BMI:RS-MUP" in alphabetical order, or "*"
    type: str = ANY  # "ReadmissionApplication", or "*"

    @classmethod
    def read(cls, who: str | None, type_: str | None = None) -> "Scope":
        """Return the scope that a person wrote. Raises `BadValue` for what is none, or names nothing at all."""
        if type_ is not None and (type_ not in MESSAGE_TYPES or type_ == _NEVER_SUSPENDED):
            raise BadValue(f"{type_!r} is no message type that can be suspended", path="type")
        if who is None:
            if type_ is None:
                raise BadValue("name a partner, a pair of authorities, or a message type", path="scope")
            return cls(type=type_)
        pair = who.split(":")
        if len(pair) == 2 and all(map(_AUTHORITY.fullmatch, pair)) and pair[0] != pair[1]:  # noqa: PLR2004  # a pair
            return cls(who=":".join(sorted(pair)), type=type_ or ANY)
        if _PARTNER.fullmatch(who):
            return cls(who=who, type=type_ or ANY)
        raise BadValue(f"{who!r} is neither a partner like 'pk' nor a pair like 'AT-BMI:RS-MUP'", path="scope")

    def covers_pair(self, one: str, partner_of_one: str, other: str, partner_of_other: str) -> bool:
        """Whether messages between two authorities fall under it, of some type at least."""
        return self.who in {ANY, partner_of_one, partner_of_other, ":".join(sorted((one, other)))}

    def covers_type(self, type_: str) -> bool:
        """Whether messages of this type fall under it."""
        return type_ != _NEVER_SUSPENDED and self.type in {ANY, type_}

    def __str__(self) -> str:
        return self.who if self.type == ANY else f"{self.type} of {'everybody' if self.who == ANY else self.who}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDecision:
    """One decision of a named person."""

    kind: Kind
    scope: Scope
    at: datetime  # UTC
    by: str
    why: str  # the reason; of an admission its legal basis
    detail: Mapping[str, Any] = field(default_factory=dict)  # assessment; digest of the pass, or that there was none
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What holds now."""

    admitted: Mapping[str, PartnerDecision]  # by partner
    production: Mapping[str, PartnerDecision]  # by partner
    suspended: tuple[PartnerDecision, ...]

    @classmethod
    def of(cls, decisions: Iterable[PartnerDecision]) -> "Decided":
        """Return what follows from all decisions, oldest first."""
        admitted: dict[str, PartnerDecision] = {}
        production: dict[str, PartnerDecision] = {}
        suspended: dict[Scope, PartnerDecision] = {}
        for each in decisions:
            if each.kind is Kind.ADMITTED:
                admitted[each.scope.who] = each
            elif each.kind is Kind.PRODUCTION:
                production[each.scope.who] = each
            elif each.kind is Kind.SUSPENDED:
                suspended[each.scope] = each
            else:
                suspended.pop(each.scope, None)
        return cls(
            admitted=MappingProxyType(admitted), production=MappingProxyType(production), suspended=tuple(suspended.values())
        )

    def between(self, one: str, partner_of_one: str, other: str, partner_of_other: str) -> tuple[PartnerDecision, ...]:
        """Return the suspensions under which some message between two authorities falls."""
        return tuple(each for each in self.suspended if each.scope.covers_pair(one, partner_of_one, other, partner_of_other))

    def state(self, partner: str) -> str:
        """Return "production" once the partner was switched, "test" before."""
        return "production" if partner in self.production else "test"


NOTHING_DECIDED = Decided.of(())
