"""Write the example messages: canonical ones, and those of every partner in its own format with the canonical twin.

Everything is fixed (identifiers, days, persons), so that a second run leaves no difference. Run by `make vectors`:

    python scripts/make_examples.py [--out FOLDER]
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from example_cases import REPLIES, application, cases, receipt, reply
from follow_ups import follow_ups
from lxml import etree
from pairs import Pair, messages, pairs
from specimens import Corridor, Fields, corridors
from threads import kebab

from gateway.partners import Dialect, Partners, load
from gateway.settings import data_folder
from gateway.stages import Tree
from gateway.wire.allowed import AllowedFields
from gateway.wire.documents import NS, parse_xml
from gateway.wire.examples import flat
from gateway.wire.identifiers import warnings
from gateway.wire.schema import SchemaSet
from gateway.wire.shapes import Shape
from gateway.wire.translate import Translator, canonical_shapes

Sent: TypeAlias = tuple[str, str, Fields]  # name of the example, message type, canonical fields

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = Path("schemas/readmission/1.0/examples")

# Who answers whom: an application of "pk" is answered by "ba".
ASKED_BY: Mapping[str, str] = {"ba": "pk", "pk": "ba", "rs": "at", "at": "rs"}

# The partners whose own system sends every type from both sides; the others send what either side may send in turn.
BOTH_SIDES = {"al/mb-xml", "xk/mpb-json", "me/mup-xml", "mk/mvr-xml"}

# Canonical examples: file name after the message type -> partner that asks, kind of case.
CANONICAL: Mapping[str, tuple[str, str]] = {
    "third-country-permit": ("rs", "third-country-permit"),
    "child-with-guardian": ("ba", "child-with-guardian"),
    "family": ("pk", "family"),
    "unknown-birth-date": ("at", "unknown-birth-date"),
    "single-name": ("ba", "single-name"),
    "long-text": ("ba", "long-text"),
    "cyrillic": ("at", "cyrillic"),
    "urdu": ("ba", "urdu"),
    "expired-passport": ("ba", "expired-passport"),
    "accelerated": ("at", "accelerated"),
    "stateless": ("rs", "stateless"),
    "former-sfry-national": ("at", "former-sfry-national"),
    "no-name": ("ba", "no-name"),
    "child-with-adult": ("ba", "child-with-adult"),
}

# Canonical replies that are not written by hand: file name after the message type -> kind of reply.
CANONICAL_REPLIES: Mapping[str, str] = {
    "agreed-family": "reply-agreed-family",
    "agreed-in-part": "reply-agreed-in-part",
    "interview-proposed": "reply-interview-proposed",
}

# What all later messages of a corridor are about: a woman with a maiden name, whose passport has expired.
FOLLOWED = "expired-passport"


class Checks:
    """What every example must pass before it is written."""

    def __init__(self) -> None:
        folder = data_folder("schemas") / "readmission" / "1.0"
        self.schemas = SchemaSet.load(folder)
        self.allowed = AllowedFields.load(folder)
        self.shapes = canonical_shapes(folder)

    def build(self, kind: str, fields: Fields) -> Tree:
        """Return the canonical document of `fields`; raises `Refused` or `ValueError` when the example is at fault."""
        root: Tree = etree.fromstring(f'<{kind} xmlns="{NS}" schemaVersion="1.0"/>')
        _fill(root, fields, self.shapes[kind])
        document = parse_xml(etree.tostring(root, encoding="utf-8"))  # read as from outside, not as it was built
        self.allowed.check(self.schemas.check(document))
        if unsound := warnings(document):
            raise ValueError(f"{kind}: {unsound[0].path}: {unsound[0].message}")
        return document


def _fill(element: Tree, fields: Fields, shape: Shape) -> None:
    """Add `fields` below `element` in the order of the schema; raises `ValueError` for a field it does not know."""
    if unknown := set(fields) - set(shape.children):
        raise ValueError(f"{etree.QName(element).localname}: the schema has no {', '.join(sorted(unknown))}")
    for name, inner in shape.children.items():
        value = fields.get(name)
        for item in value if isinstance(value, list) else [] if value is None else [value]:
            child = etree.SubElement(element, f"{{{NS}}}{name}")
            if isinstance(item, dict):
                _fill(child, item, inner)
            else:
                child.text = item


def _readable(document: Tree) -> bytes:
    """Return a canonical document with one element on a line."""
    etree.indent(document, space="  ")
    body: bytes = etree.tostring(document, encoding="UTF-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _sent(dialect: Dialect, partners: Partners, found: Mapping[str, Corridor], others: Mapping[str, Pair]) -> Iterator[Sent]:
    """Yield name, type and fields of every example in the format of `dialect`: what its authority sends."""
    if dialect.partner in found:
        yield from _messages(found[dialect.partner], found[ASKED_BY[dialect.partner]])
        return
    sender = next(code for code, authority in partners.authorities.items() if authority.dialect == dialect.id)
    yield from messages(others[sender], both_sides=dialect.id in BOTH_SIDES)


def _messages(asking: Corridor, answering: Corridor) -> Iterator[Sent]:
    """Yield name, type and fields of every example that the partner of `asking` sends."""
    for number, kind in enumerate(cases(asking), 1):
        yield kind, "ReadmissionApplication", application(asking, kind, number)
    numbers = {kind: number for number, kind in enumerate(cases(answering), 1)}
    for what, kind in REPLIES.items():
        yield what, "ReadmissionReply", reply(answering, what, application(answering, kind, numbers[kind]))
    for corridor, sender in ((asking, asking.requesting), (answering, answering.requested)):
        for name, (kind, fields) in _followed(corridor).items():
            if fields["Header"]["Sender"] == sender:
                yield name, kind, fields


def _numbered(corridor: Corridor, kind: str) -> Fields:
    """Return the application of one kind with the number that it has among the cases of its corridor."""
    return application(corridor, kind, list(cases(corridor)).index(kind) + 1)


def _followed(corridor: Corridor) -> Mapping[str, tuple[str, Fields]]:
    return follow_ups(corridor, _numbered(corridor, FOLLOWED))


def _dialect_files(dialect: Dialect, checks: Checks, sent: Iterator[Sent]) -> Iterator[tuple[Path, bytes]]:
    """Yield path and bytes of a partner's examples: its own format, and the canonical twin that it translates to."""
    translator = Translator.compile(dialect, checks.schemas)
    folder = Path("partners") / dialect.partner / "dialects" / dialect.name / "examples"
    for name, kind, fields in sent:
        if kind not in dialect.mapping["messages"]:
            continue  # the partner's format has no such message
        document = checks.build(kind, _on_one_line(fields) if dialect.format == "lines" else fields)
        there = translator.from_canonical(document)
        twin = translator.to_canonical(there.body)
        # What the sender's own format cannot carry cannot come from that sender: it is not in the twin.
        lost = {field.path for field in there.report.dropped}
        if list(flat(twin.document)) != [field for field in flat(document) if field[0] not in lost]:
            raise ValueError(f"{folder / name}: a field does not come back the same")
        yield folder / f"{name}{dialect.form.suffix}", there.body
        yield folder / "canonical" / f"{name}.xml", twin.body


def _on_one_line(value: Any) -> Any:
    """Return fields whose texts have no line ends: a line of fixed width has no place for them."""
    if isinstance(value, dict):
        return {name: _on_one_line(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_on_one_line(inner) for inner in value]
    return value.replace("\n", " ") if isinstance(value, str) else value


def _canonical_files(checks: Checks, found: Mapping[str, Corridor]) -> Iterator[tuple[Path, bytes]]:
    """Yield path and bytes of the canonical examples that are not written by hand."""
    for name, (partner, kind) in CANONICAL.items():
        document = checks.build("ReadmissionApplication", _numbered(found[partner], kind))
        yield EXAMPLES / f"ReadmissionApplication-{name}.xml", _readable(document)
    asking = found["at"]
    sent: list[Any] = [application(asking, kind, number) for number, kind in enumerate(cases(asking), 1)][:4]
    for name, what in CANONICAL_REPLIES.items():
        answer = checks.build("ReadmissionReply", reply(asking, what, _numbered(asking, REPLIES[what])))
        yield EXAMPLES / f"ReadmissionReply-{name}.xml", _readable(answer)
    for name, (type_, fields) in _followed(asking).items():
        slug = name.removeprefix(f"{kebab(type_)}-")
        yield EXAMPLES / f"{type_}-{slug}.xml", _readable(checks.build(type_, fields))
    yield EXAMPLES / "Receipt-batch.xml", _readable(checks.build("Receipt", receipt(asking, sent)))


def write_all(out: Path) -> int:
    """Write every example below `out`; return how many files."""
    checks = Checks()
    found = corridors(Path(__file__).with_name("specimens.toml"))
    written = 0
    others = pairs(Path(__file__).with_name("specimens"), Path(__file__).with_name("specimens.toml"))
    partners = load(data_folder("partners"))
    for dialect in partners.dialects.values():
        sent = _sent(dialect, partners, found, others)
        written += sum(_write(out / path, body) for path, body in _dialect_files(dialect, checks, sent))
    return written + sum(_write(out / path, body) for path, body in _canonical_files(checks, found))


def _write(path: Path, body: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return 1


def main() -> None:
    """Read the options and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT, help="folder to write below (default: the repository)")
    print(f"{write_all(parser.parse_args().out)} example files")


if __name__ == "__main__":
    main()
