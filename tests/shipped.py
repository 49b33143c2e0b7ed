"""What is shipped: schemas, partner folders and their examples, read once for the tests that go through all of them."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from gateway.partners import load
from gateway.settings import data_folder
from gateway.wire.allowed import AllowedFields
from gateway.wire.documents import parse_xml
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
PARTNERS = load(data_folder("partners"))
FIRST = frozenset({"at", "ba", "pk", "rs"})  # partners whose examples are tested one by one, the others' together


@lru_cache
def schemas() -> SchemaSet:
    return SchemaSet.load(SCHEMAS)


@lru_cache
def allowed() -> AllowedFields:
    return AllowedFields.load(SCHEMAS)


@cache
def translator(dialect: str) -> Translator:
    return Translator.compile(PARTNERS.dialect(dialect), schemas())


@cache
def read(path: Path) -> Any:
    return parse_xml(path.read_bytes())


def twin_of(path: Path) -> Path:
    return path.parent / "canonical" / f"{path.stem}.xml"
