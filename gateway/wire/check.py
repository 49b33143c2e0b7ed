"""One verdict on a document, with everything that is wrong with it, for the command line and the pages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import Refused, UnknownAuthority
from gateway.stages import Tree
from gateway.wire.documents import NS, parse_json, parse_xml, read_file
from gateway.wire.identifiers import NumberWarning, warnings
from gateway.wire.rules import path_of
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

_R = f"{{{NS}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a check: no errors means accepted."""

    type: str | None  # "ReadmissionApplication"; None when the document does not say
    errors: tuple[Refused, ...]
    warnings: tuple[NumberWarning, ...] = ()  # to ask about; nothing is refused for them

    @property
    def verdict(self) -> str:
        """Return "accepted" or "refused"."""
        return "refused" if self.errors else "accepted"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of `gateway check --json`."""
        return {
            "verdict": self.verdict,
            "type": self.type,
            "errors": [error.as_dict() for error in self.errors],
            "warnings": [warning.as_dict() for warning in self.warnings],
        }


def examine(
    body: bytes,
    schemas: SchemaSet,
    translator: Translator | None = None,
    *,
    fill: Mapping[str, str] | None = None,
    authorities: Collection[str] | None = None,
) -> Verdict:
    """Check a document: canonical XML or JSON, or with a `translator` one of its dialect. Nothing of it is raised.

    A dialect document is checked against its own schema, translated, and checked as the canonical message that it says;
    places in that message are told by path alone, since it has no lines. `fill` gives what the gateway fills in when a
    home authority hands a document in. With `authorities`, sender and recipient must be among them.
    """
    try:
        document = translator.to_canonical(body, fill=fill).document if translator else canonical_document(body, schemas)
    except Refused as error:
        return Verdict(type=None, errors=(error,))
    errors = schemas.problems(document) or _unknown(document, authorities)
    if translator is not None:
        errors = [_without_line(error) for error in errors]
    return Verdict(type=schemas.type_of(document), errors=tuple(errors), warnings=() if errors else tuple(warnings(document)))


def examine_file(
    path: Path,
    schemas: SchemaSet,
    translator: Translator | None = None,
    *,
    fill: Mapping[str, str] | None = None,
    authorities: Collection[str] | None = None,
    row: int | None = None,
) -> Verdict:
    """Check the document in a file; a file that cannot be read as one is refused too. `row` chooses a message of a table."""
    try:
        body = read_file(path)
        if translator is not None and row is not None:
            body = translator.message_of(body, row)
    except Refused as error:
        return Verdict(type=None, errors=(error,))
    return examine(body, schemas, translator, fill=fill, authorities=authorities)


def canonical_document(body: bytes, schemas: SchemaSet) -> Tree:
    """Return the canonical message; which of its two forms it has, XML or JSON, shows in its first character.

    Raises what `parse_xml`, `parse_json` and `SchemaSet.from_json` raise.
    """
    if body.lstrip()[:1] in {b"{", b"["}:
        return schemas.from_json(parse_json(body))
    return parse_xml(body)


def _unknown(document: Tree, authorities: Collection[str] | None) -> list[Refused]:
    """Name sender and recipient that no partner folder knows."""
    found: list[Refused] = []
    for name in ("Sender", "Recipient") if authorities is not None else ():
        element = document.find(f"{_R}Header/{_R}{name}")
        if element is not None and (element.text or "").strip() not in (authorities or ()):
            found.append(
                UnknownAuthority(
                    f"the {name.lower()} is an authority that no partner folder names",
                    path=path_of(element),
                    line=element.sourceline,
                )
            )
    return found


def _without_line(error: Refused) -> Refused:
    return type(error)(error.message, path=error.path)
