"""Load `partners/` into frozen values: partners, their authorities and dialects.

A partner is a folder of data and no code. Everything is read and checked once; a wrong key stops the start with the
file and the key named. What a mapping row means is checked later, against the schemas, by `gateway.wire.mapping`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.domain.pace import UNLIMITED, Pace
from gateway.errors import PartnerInvalid, UnknownAuthority, UnknownDialect, UnknownPartner
from gateway.partners.contacts import Contact, CrossingPoint, read_contacts, read_crossing_points
from gateway.partners.dialects import Dialect, load_dialect
from gateway.partners.fields import Table
from gateway.partners.pace import read_pace
from gateway.partners.trust_rules import TrustRules, read_trust_rules

EDGES = ("pull", "push", "queue", "files", "page", "paper")  # how a home authority is connected

_PARTNER_KEYS = {
    "code",
    "state",
    "name",
    "own_name",
    "languages",
    "working_language",
    "zone",
    "calendar",
    "authorities",
    "trust",
    "pace",
    "contacts",
    "crossing_points",
    "no_agreement",
}
_AUTHORITY_KEYS = {"code", "name", "own_name", "dialect", "edge", "language", "zone", "calendar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An organisation that sends or receives."""

    code: str  # "BA-MS": state code, hyphen, short name
    state: str  # ISO 3166-1 alpha-2, or XK
    partner: str  # code of the partner folder
    name: str  # in English
    own_name: str  # as it calls itself
    dialect: str  # id of its dialect, "ba/ms-xml"
    edge: str  # one of EDGES
    language: str  # of its pages, e.g. "bs"
    zone: str  # IANA time zone in which its days are counted
    calendar: str  # whose working days are its own: the state's, or that of a part of the state


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A state's folder."""

    code: str
    state: str
    name: str
    own_name: str
    languages: tuple[str, ...]
    working_language: str
    zone: str
    calendar: str  # code of the calendar under partners/calendars
    authorities: tuple[Authority, ...]
    dialects: Mapping[str, Dialect]  # by id
    trust: TrustRules  # what its authorities may sign and be sealed for with
    contacts: tuple[Contact, ...]
    crossing_points: tuple[CrossingPoint, ...]
    no_agreement: str  # why no treaty file names this state; "" where one does
    pace: Pace = UNLIMITED  # how much may go to its authorities, and how much is taken from them


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """Every partner known to this installation."""

    partners: Mapping[str, Partner]
    authorities: Mapping[str, Authority]
    dialects: Mapping[str, Dialect]

    def trust_rules(self) -> Mapping[str, TrustRules]:
        """Return what each authority may sign and be sealed for with, by its code."""
        return {code: self.partners[each.partner].trust for code, each in self.authorities.items()}

    def partner(self, code: str) -> Partner:
        """Return the partner, e.g. "ba"; raises `UnknownPartner`."""
        if code not in self.partners:
            raise UnknownPartner(f"there is no partner {code!r}")
        return self.partners[code]

    def authority(self, code: str) -> Authority:
        """Return the authority, e.g. "BA-MS"; raises `UnknownAuthority`."""
        if code not in self.authorities:
            raise UnknownAuthority(f"there is no authority {code!r}")
        return self.authorities[code]

    def dialect(self, name: str) -> Dialect:
        """Return the dialect, e.g. "ba/ms-xml"; raises `UnknownPartner` or `UnknownDialect`."""
        if name in self.dialects:
            return self.dialects[name]
        self.partner(name.partition("/")[0])
        raise UnknownDialect(f"there is no dialect {name!r}")


def load(folder: Path) -> Partners:
    """Read every folder below `folder` that holds a partner.toml.

    Raises `PartnerInvalid` (or `MappingInvalid` for a dialect) naming the file and the key.
    """
    if not folder.is_dir():
        raise PartnerInvalid(f"there is no partners folder {folder.name!r}")
    found: dict[str, Partner] = {}
    authorities: dict[str, Authority] = {}
    dialects: dict[str, Dialect] = {}
    for path in sorted(folder.iterdir()):
        if (path / "partner.toml").is_file():
            partner = load_partner(path)
            found[partner.code] = partner
            dialects |= partner.dialects
            for authority in partner.authorities:
                if authority.code in authorities:
                    raise PartnerInvalid(f"{path.name}/partner.toml: authority {authority.code!r} stands in two partners")
                authorities[authority.code] = authority
    return Partners(
        partners=MappingProxyType(found), authorities=MappingProxyType(authorities), dialects=MappingProxyType(dialects)
    )


def load_partner(folder: Path) -> Partner:
    """Read one partner folder; its name is the partner's code."""
    table = Table.read(folder / "partner.toml", f"{folder.name}/partner.toml", PartnerInvalid)
    table.only(_PARTNER_KEYS)
    code, state = table.text("code"), table.text("state")
    if code != folder.name:
        raise table.refuse("code", f"is {code!r}, but the folder is {folder.name!r}")
    if len(state) != 2 or not state.isascii() or not state.isupper():  # noqa: PLR2004 - alpha-2
        raise table.refuse("state", "is not two capital letters (ISO 3166-1, or XK)")
    languages = table.texts("languages")
    dialects = _dialects(folder, code)
    authorities = tuple(
        _authority(
            entry,
            code=code,
            state=state,
            defaults=(languages[0], table.text("zone"), table.text("calendar")),
            dialects=dialects,
        )
        for entry in table.tables("authorities")
    )
    codes = [authority.code for authority in authorities]
    if len(codes) != len(set(codes)):
        raise table.refuse("authorities", "names one code twice")
    return Partner(
        code=code,
        state=state,
        name=table.text("name"),
        own_name=table.text("own_name"),
        languages=languages,
        working_language=table.text("working_language"),
        zone=_zone(table),
        calendar=table.text("calendar"),
        authorities=authorities,
        dialects=MappingProxyType(dialects),
        trust=read_trust_rules(table.table("trust")),
        contacts=read_contacts(table),
        crossing_points=read_crossing_points(table),
        no_agreement=table.text("no_agreement") if "no_agreement" in table.values else "",
        pace=read_pace(table.table("pace")),
    )


def _dialects(folder: Path, partner: str) -> dict[str, Dialect]:
    below = folder / "dialects"
    if not below.is_dir():
        return {}
    loaded = [load_dialect(path, partner) for path in sorted(below.iterdir()) if path.is_dir()]
    return {dialect.id: dialect for dialect in loaded}


def _authority(
    entry: Table, *, code: str, state: str, defaults: tuple[str, str, str], dialects: Mapping[str, Dialect]
) -> Authority:
    language, zone, calendar = defaults
    entry.only(_AUTHORITY_KEYS)
    name = entry.text("code")
    if not name.startswith(f"{state}-"):
        raise entry.refuse("code", f"{name!r} does not begin with {state}-")
    dialect = f"{code}/{entry.text('dialect')}"
    if dialect not in dialects:
        raise entry.refuse("dialect", f"names {dialect!r}, which has no folder")
    edge = entry.text("edge")
    if edge not in EDGES:
        raise entry.refuse("edge", f"is {edge!r}, not one of {', '.join(EDGES)}")
    return Authority(
        code=name,
        state=state,
        partner=code,
        name=entry.text("name"),
        own_name=entry.text("own_name"),
        dialect=dialect,
        edge=edge,
        language=entry.text("language", language),
        zone=_zone(entry, zone),
        calendar=entry.text("calendar", calendar),
    )


def _zone(table: Table, default: str | None = None) -> str:
    zone = table.text("zone", default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise table.refuse("zone", f"is {zone!r}, which is no IANA time zone") from error
    return zone
