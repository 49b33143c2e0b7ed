"""Load `partners/treaties/` into frozen treaties, and the operator's own figures over them.

A rule without an article, an unknown key, two rows for the same without precedence, a number nobody can trust dressed
as one that computes: each stops the start, with the file and the key named.
"""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from gateway.domain.limits import COMPUTABLE, Confidence, Limit
from gateway.domain.treaties import Fact, Party, Treaty, Withheld
from gateway.errors import TreatyInvalid
from gateway.partners.fields import Table
from gateway.partners.limits import read_limit
from gateway.partners.overrides import apply_overrides
from gateway.partners.values import day, optional, word

_TREATY_KEYS = {
    "id",
    "name",
    "version",
    "agreement",
    "entered_into_force",
    "note",
    "parties",
    "limits",
    "authorities",
    "facts",
    "withheld",
}
_PARTY_KEYS = {"code", "name", "states"}
_FACT_KEYS = {"about", "text", "confidence", "source"}
_WITHHELD_KEYS = {"field", "messages", "article", "source", "confidence"}
_AUTHORITY_KEYS = {"state", "text", "confidence", "source"}


def load_treaties(folder: Path, overrides: Path | None = None) -> Mapping[str, Treaty]:
    """Read every treaty below `folder`, by id, with the operator's figures set.

    A file's id is its path below `folder` without ".toml": a protocol lies in a folder named after its agreement.
    Raises `TreatyInvalid` naming the file and the key.
    """
    if not folder.is_dir():
        raise TreatyInvalid(f"there is no folder of treaties {folder.name!r}")
    found: dict[str, Treaty] = {}
    for path in sorted(folder.rglob("*.toml")):
        treaty = load_treaty(path, path.relative_to(folder).with_suffix("").as_posix())
        found[treaty.id] = treaty
    _check_protocols(found)
    if overrides is not None:
        found = apply_overrides(found, overrides)
    return MappingProxyType(found)


def load_treaty(path: Path, treaty_id: str) -> Treaty:
    """Read one treaty file."""
    table = Table.read(path, f"treaties/{treaty_id}.toml", TreatyInvalid)
    table.only(_TREATY_KEYS)
    if table.text("id") != treaty_id:
        raise table.refuse("id", f"is {table.text('id')!r}, but the file is {treaty_id!r}")
    parties = tuple(_party(entry) for entry in table.tables("parties"))
    if len(parties) != 2:  # noqa: PLR2004 - a bilateral treaty, a group of states being one party
        raise table.refuse("parties", f"names {len(parties)} parties, not two")
    if parties[0].states & parties[1].states:
        raise table.refuse("parties", "names one state on both sides")
    agreement = optional(table, "agreement") or None
    if agreement != (treaty_id.partition("/")[0] if "/" in treaty_id else None):
        raise table.refuse("agreement", "names the agreement that a protocol belongs to, and its folder is called so")
    authorities = {}
    for entry in table.tables("authorities"):
        entry.only(_AUTHORITY_KEYS)
        authorities[entry.text("state")] = _fact(entry, about="authority")
    return Treaty(
        id=treaty_id,
        name=table.text("name"),
        version=table.text("version"),
        parties=(parties[0], parties[1]),
        entered_into_force=day(table, "entered_into_force") if "entered_into_force" in table.values else None,
        limits=_in_order(table, tuple(read_limit(entry, treaty_id) for entry in table.tables("limits"))),
        authorities=MappingProxyType(authorities),
        facts=tuple(_register_fact(entry) for entry in table.tables("facts")),
        agreement=agreement,
        note=optional(table, "note"),
        withheld=tuple(_withheld(entry, treaty_id) for entry in table.tables("withheld")),
    )


def _in_order(table: Table, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """Return the rows with the one that prevails first. Refuses two rows for the same without precedence."""
    for one, other in combinations(limits, 2):
        if one.overlaps(other) and one.precedence == other.precedence:
            raise table.refuse(
                "limits", f"has two rows {one.id!r} for the same procedure and category, and no precedence between them"
            )
    return tuple(sorted(limits, key=lambda row: -row.precedence))


def _check_protocols(found: Mapping[str, Treaty]) -> None:
    """Refuse a protocol without its agreement, with states that the agreement does not bind, or beside another one."""
    protocols = [treaty for treaty in found.values() if treaty.agreement is not None]
    for protocol in protocols:
        agreement = found.get(protocol.agreement or "")
        if agreement is None:
            raise TreatyInvalid(f"treaties/{protocol.id}.toml: there is no agreement {protocol.agreement!r}")
        one, other = protocol.parties
        if not all(agreement.binds(here, there) for here in one.states for there in other.states):
            raise TreatyInvalid(f"treaties/{protocol.id}.toml: its states are not on the two sides of {agreement.id!r}")
    for first, second in combinations(protocols, 2):
        same = first.agreement == second.agreement
        if same and any(first.binds(here, there) for here in second.parties[0].states for there in second.parties[1].states):
            raise TreatyInvalid(f"treaties/{first.id}.toml and {second.id}.toml are protocols for the same pair of states")


def _party(entry: Table) -> Party:
    entry.only(_PARTY_KEYS)
    states = entry.texts("states")
    for state in states:
        if len(state) != 2 or not state.isascii() or not state.isupper():  # noqa: PLR2004 - alpha-2
            raise entry.refuse("states", f"names {state!r}, which is not two capital letters (ISO 3166-1, or XK)")
    return Party(code=entry.text("code"), name=entry.text("name"), states=frozenset(states))


def _withheld(entry: Table, treaty_id: str) -> Withheld:
    entry.only(_WITHHELD_KEYS)
    confidence = word(entry, "confidence", Confidence)
    if confidence not in COMPUTABLE:
        raise entry.refuse("confidence", f"is {confidence!r}: nothing is left out of messages on a rule that nobody has read")
    return Withheld(
        field=entry.text("field"),
        messages=frozenset(entry.texts("messages")) if "messages" in entry.values else frozenset(),
        article=entry.text("article"),
        source=entry.text("source"),
        confidence=confidence,
        treaty=treaty_id,
    )


def _register_fact(entry: Table) -> Fact:
    entry.only(_FACT_KEYS)
    return _fact(entry, about=entry.text("about"))


def _fact(entry: Table, *, about: str) -> Fact:
    return Fact(
        about=about, text=entry.text("text"), confidence=word(entry, "confidence", Confidence), source=entry.text("source")
    )
