"""Whom to call, and where a person may cross: what a partner's folder says of its offices and border crossing points."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from gateway.partners.fields import Table

Crossing: TypeAlias = Literal["road", "rail", "air", "sea"]

_CONTACT_KEYS = {"office", "purpose", "telephone", "email", "address", "hours"}
_CROSSING_KEYS = {"name", "kind", "neighbour", "place", "source"}
_KINDS = {"road", "rail", "air", "sea"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One office of a partner. Offices only: no person is named in a partner's folder."""

    office: str  # as it calls itself
    purpose: str  # what it is asked for: "applications", "interviews", "transfers"
    telephone: str  # "" where there is none
    email: str  # "" where there is none
    address: str  # "" where there is none
    hours: str  # local, as people write them; "" where not known


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingPoint:
    """A border crossing point or airport at which persons are handed over."""

    name: str
    kind: Crossing
    neighbour: str | None  # state on the other side, ISO 3166-1 alpha-2 or XK; None for airports and ports
    place: str  # nearest town
    source: str  # where it is from; "proposal" as long as the partner has not confirmed it


def read_contacts(table: Table) -> tuple[Contact, ...]:
    """Read `[[contacts]]`; raises the table's error naming the key."""
    found: list[Contact] = []
    for entry in table.tables("contacts"):
        entry.only(_CONTACT_KEYS)
        ways = {key: entry.text(key) if key in entry.values else "" for key in ("telephone", "email", "address", "hours")}
        if not (ways["telephone"] or ways["email"] or ways["address"]):
            raise entry.refuse("telephone", "is missing, and so are 'email' and 'address'")
        found.append(Contact(office=entry.text("office"), purpose=entry.text("purpose"), **ways))
    return tuple(found)


def read_crossing_points(table: Table) -> tuple[CrossingPoint, ...]:
    """Read `[[crossing_points]]`; raises the table's error naming the key."""
    found: list[CrossingPoint] = []
    for entry in table.tables("crossing_points"):
        entry.only(_CROSSING_KEYS)
        kind = entry.text("kind")
        if kind not in _KINDS:
            raise entry.refuse("kind", f"is {kind!r}, not one of {', '.join(sorted(_KINDS))}")
        neighbour = entry.text("neighbour") if "neighbour" in entry.values else None
        if kind in {"road", "rail"} and neighbour is None:
            raise entry.refuse("neighbour", "is missing: a crossing by land has a state on its other side")
        found.append(
            CrossingPoint(
                name=entry.text("name"),
                kind=cast("Crossing", kind),
                neighbour=neighbour,
                place=entry.text("place"),
                source=entry.text("source"),
            )
        )
    return tuple(found)
