"""Write the folder of a new partner: partner.toml, a first dialect, an example that translates both ways, what was guessed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lxml import etree
from rapidfuzz import fuzz

from gateway.errors import Refused
from gateway.partners.dialects import load_dialect
from gateway.partners.formats import FORMATS
from gateway.stages import Tree
from gateway.wire.documents import NS, parse_xml
from gateway.wire.drafting.canonical import Canonical, read_canonical
from gateway.wire.examples import there_and_back
from gateway.wire.guessing.answers import Answers, partner_text
from gateway.wire.guessing.building import Builder, Built
from gateway.wire.guessing.candidates import ONLY, bare
from gateway.wire.guessing.dialect_files import dialect_files
from gateway.wire.guessing.guesses import guesses, guesses_text
from gateway.wire.guessing.matching import THRESHOLD, Matcher
from gateway.wire.guessing.sample import Sample
from gateway.wire.guessing.thesaurus import Thesaurus
from gateway.wire.guessing.words import lean, words_of
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

_TYPE_KNOWN = 80  # of 100: a name or value of the sample that tells the message type
_USUAL_TYPE = "ReadmissionApplication"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFolder:
    """What was written."""

    folder: Path
    type: str
    example: str  # a sentence about the example
    guesses: Mapping[str, Any]


def message_type(sample: Sample, canonical: Canonical, thesaurus: Thesaurus) -> str:
    """Return the message type that a sample most likely is: by its root element or by a value at its top."""
    said = [sample.tree.name] if sample.tree.name else []
    said += [
        value for node in sample.tree.children.values() if node.leaf for value in node.values[:1] if isinstance(value, str)
    ]
    best = (_TYPE_KNOWN - 1.0, _USUAL_TYPE)
    for one in said:
        for kind, phrases in thesaurus.types.items():
            if kind in canonical.messages:
                score = max(fuzz.token_sort_ratio(lean(words_of(one)), phrase) for phrase in phrases)
                best = max(best, (score, kind), key=lambda pair: pair[0])
    return best[1]


def write_folder(
    folder: Path, answers: Answers, sample: tuple[bytes, Sample], schemas: SchemaSet, thesaurus: Thesaurus, now: datetime
) -> NewFolder:
    """Write everything below `folder`, which must be there and may be empty. The same input gives the same files.

    Raises `MappingInvalid` should what was guessed not compile: that is a fault of the guess, and no folder to work with.
    """
    body, read = sample
    canonical = read_canonical(schemas.folder)
    kind = message_type(read, canonical, thesaurus)
    scope = Matcher(canonical, thesaurus).scope(read.tree, canonical.messages[kind])
    built = Builder(read, canonical, thesaurus, _usual(answers)).build(kind, scope)
    (folder / "partner.toml").write_text(partner_text(folder.name, answers), encoding="utf-8", newline="\n")
    place = folder / "dialects" / answers.dialect
    (place / "examples" / "canonical").mkdir(parents=True, exist_ok=True)
    for name, text in dialect_files(kind, read, built, now.date()).items():
        (place / name).write_text(text, encoding="utf-8", newline="\n")
    dialect = load_dialect(place, folder.name)
    translator = Translator.compile(dialect, schemas)
    found = guesses(scope, built, THRESHOLD)
    specimen = _Specimen(sender=answers.authorities[0]["code"], built=built)
    example = _example(place, kind, (body, FORMATS[read.format].suffix), translator, schemas, specimen, now)
    (folder / "GUESSES.md").write_text(guesses_text(found, example), encoding="utf-8", newline="\n")
    told = json.dumps({"type": kind, "example": example, **found}, ensure_ascii=False, indent=2)
    (folder / "guesses.json").write_text(f"{told}\n", encoding="utf-8", newline="\n")
    return NewFolder(folder=folder, type=kind, example=example, guesses=found)


def _usual(answers: Answers) -> dict[str, str]:
    return {"Identifier/State": answers.texts["state"]} | (
        {"Request/Agreement": answers.agreement} if answers.agreement else {}
    )


def _example(
    place: Path,
    kind: str,
    sample: tuple[bytes, str],
    translator: Translator,
    schemas: SchemaSet,
    fit: "_Specimen",
    now: datetime,
) -> str:
    """Write one example that translates both ways: the sample where it does, a canonical specimen otherwise. Say which."""
    body, suffix = sample
    try:
        first = there_and_back(translator, schemas, body, now)
    except Refused as error:
        where = f" at {error.path}" if error.path else ""
        why = f"{error.code}{where}: {error.message}"
    else:
        _write(place, "sample", suffix, body, first.body)
        return "the sample document, which translates both ways"
    for path in sorted((schemas.folder / "examples").glob(f"{kind}-*.xml")):
        specimen = fit.of(parse_xml(path.read_bytes()))
        try:
            here = translator.from_canonical(specimen).body
            first = there_and_back(translator, schemas, here, now)
        except Refused:  # this specimen says something that the format cannot carry: another one may
            continue
        _write(place, f"specimen-{path.stem.partition('-')[2]}", suffix, here, first.body)
        return f"a specimen, because the sample does not translate yet ({why})"
    return f"none: neither the sample nor a specimen translates both ways yet ({why})"


def _write(place: Path, name: str, suffix: str, here: bytes, canonical: bytes) -> None:
    (place / "examples" / f"{name}{suffix}").write_bytes(here)
    (place / "examples" / "canonical" / f"{name}.xml").write_bytes(canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Specimen:
    """What a canonical specimen must be for the format to carry it."""

    sender: str
    built: Built

    def of(self, document: Tree) -> Tree:
        """Return a specimen sent by the partner, with the values that are fixed, and one where there is room for one."""
        copy = etree.fromstring(etree.tostring(document))
        for path, value in (("Header/Sender", self.sender), *self.built.fixed):
            for element in copy.findall(_steps(path)):
                element.text = value
        for path in self.built.one_of_several:
            for _, *others in _siblings(copy.findall(_steps(bare(path.partition(ONLY)[0])))):
                for element in others:
                    element.getparent().remove(element)
        return copy


def _steps(path: str) -> str:
    return "/".join(f"{{{NS}}}{step}" for step in path.split("/"))


def _siblings(elements: Iterable[Tree]) -> Iterator[list[Tree]]:
    """Yield elements by their parent."""
    by_parent: dict[Tree, list[Tree]] = {}
    for element in elements:
        by_parent.setdefault(element.getparent(), []).append(element)
    yield from by_parent.values()
