"""What a person says about a new partner, and the partner.toml that follows from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gateway.partners.fields import Table
from gateway.partners.folder import EDGES
from gateway.wire.drafting.rows import quoted

_TEXTS: Final = ("state", "name", "own_name", "working_language", "zone", "calendar")
_AUTHORITY: Final = ("code", "name", "own_name", "edge")
_KEYS: Final = {*_TEXTS, "languages", "authorities", "contacts", "crossing_points", "no_agreement", "dialect", "agreement"}
_CONTACT: Final = ("office", "purpose", "telephone", "email", "address", "hours")
_CROSSING: Final = ("name", "kind", "neighbour", "place", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers, checked."""

    texts: dict[str, str]  # by the keys of partner.toml
    languages: tuple[str, ...]
    authorities: tuple[dict[str, str], ...]
    contacts: tuple[dict[str, str], ...]
    crossing_points: tuple[dict[str, str], ...]
    no_agreement: str
    dialect: str  # name of the folder of its first dialect
    agreement: str  # id of the treaty that its messages are under, "" where the sample says it


def read_answers(table: Table) -> Answers:
    """Read answers from a TOML file or from what was asked; raises the table's error naming the key."""
    table.only(_KEYS)
    texts = {key: table.text(key) for key in _TEXTS}
    authorities = table.tables("authorities")
    if not authorities:
        raise table.refuse("authorities", "is missing: at least one, with code, name, own_name and edge")
    for entry in authorities:
        entry.only(set(_AUTHORITY))
        if entry.text("edge") not in EDGES:
            raise entry.refuse("edge", f"is {entry.text('edge')!r}, not one of {', '.join(EDGES)}")
        if not entry.text("code").startswith(f"{texts['state']}-"):
            raise entry.refuse("code", f"does not begin with {texts['state']}-")
    return Answers(
        texts=texts,
        languages=table.texts("languages"),
        authorities=tuple({key: entry.text(key) for key in _AUTHORITY} for entry in authorities),
        contacts=_entries(table, "contacts", _CONTACT),
        crossing_points=_entries(table, "crossing_points", _CROSSING),
        no_agreement=table.text("no_agreement") if "no_agreement" in table.values else "",
        dialect=table.text("dialect", "own"),
        agreement=table.text("agreement") if "agreement" in table.values else "",
    )


def _entries(table: Table, key: str, keys: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    found: list[dict[str, str]] = []
    for entry in table.tables(key):
        entry.only(set(keys))
        found.append({name: entry.text(name) for name in keys if name in entry.values})
    return tuple(found)


def partner_text(code: str, answers: Answers) -> str:
    """Return partner.toml."""
    lines = [f"code = {quoted(code)}", *(f"{key} = {quoted(value)}" for key, value in answers.texts.items())]
    lines.insert(4, f"languages = [{', '.join(map(quoted, answers.languages))}]")
    if answers.no_agreement:
        lines.append(f"no_agreement = {quoted(answers.no_agreement)}")
    for entry in answers.authorities:
        lines += _table("authorities", entry | {"dialect": answers.dialect})
    for contact in answers.contacts:
        lines += _table("contacts", contact)
    for point in answers.crossing_points:
        lines += _table("crossing_points", point)
    return "\n".join(lines) + "\n"


def _table(name: str, entry: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"[[{name}]]")
    yield from (f"{key} = {quoted(value)}" for key, value in entry.items())
