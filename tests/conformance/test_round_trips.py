"""Every dialect under partners/ carries every canonical message there and back, apart from what it declares."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Refused
from gateway.partners import Dialect, load
from gateway.settings import data_folder
from gateway.wire.documents import parse_xml
from gateway.wire.examples import example_files, flat, there_and_back
from gateway.wire.report import Report
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator, canonical_shapes
from tests.canonical_strategies import Messages

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
PARTNERS = load(data_folder("partners"))
MESSAGES = Messages(SCHEMAS)
XSD = etree.XMLSchema(etree.parse(str(SCHEMAS / "readmission.xsd")))
# These four are tested message by message; the others together, at the end and in test_partner_examples.py.
FIRST = [dialect for dialect in PARTNERS.dialects.values() if dialect.partner in {"at", "ba", "pk", "rs"}]
DIALECTS = sorted(dialect.id for dialect in FIRST)
OTHERS = sorted(set(PARTNERS.dialects) - set(DIALECTS))
# A table refuses what its cells cannot hold (line ends, texts longer than a column, more members than columns); it never cuts.
TREES = [name for name in OTHERS if not PARTNERS.dialect(name).form.table]
EXAMPLES = [pytest.param(dialect, path, id=f"{dialect.id}-{path.name}") for dialect in FIRST for path in example_files(dialect)]
CANONICAL_EXAMPLES = sorted((SCHEMAS / "examples").glob("*.xml"))


@lru_cache
def translator(dialect: str) -> Translator:
    return Translator.compile(PARTNERS.dialect(dialect), schemas())


@lru_cache
def schemas() -> SchemaSet:
    return SchemaSet.load(SCHEMAS)


def carried(document: Any, report: Report) -> list[tuple[str, str]]:
    declared = {field.path for field in report.dropped}
    return [field for field in flat(document) if field[0] not in declared]


@pytest.mark.parametrize("kind", ["ReadmissionApplication", "ReadmissionReply"])
@pytest.mark.parametrize("dialect", DIALECTS)
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(data=st.data())
def test_a_message_comes_back_from_a_dialect_without_loss(dialect: str, kind: str, data: Any) -> None:
    document = data.draw(MESSAGES.message(kind))
    XSD.assertValid(document)
    there = translator(dialect).from_canonical(document)
    back = translator(dialect).to_canonical(there.body)
    XSD.assertValid(back.document)
    assert list(flat(back.document)) == carried(document, there.report)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_a_report_names_every_field_that_was_there_and_no_value(dialect: str, data: Any) -> None:
    document = data.draw(MESSAGES.message("ReadmissionReply"))
    report = translator(dialect).from_canonical(document).report
    named = {field.path for field in report.fields}
    assert {path for path, _ in flat(document)} - {"/ReadmissionReply/@schemaVersion"} <= named
    text = report.as_json().decode()
    assert not [value for _, value in flat(document) if len(value) > 12 and json.dumps(value, ensure_ascii=False)[1:-1] in text]


@pytest.mark.parametrize(("dialect", "path"), EXAMPLES)
def test_an_example_of_a_partner_goes_there_and_back(dialect: Dialect, path: Path) -> None:
    assert there_and_back(translator(dialect.id), schemas(), path.read_bytes(), NOW).type in dialect.mapping["messages"]


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        pytest.param(dialect, path, id=f"{dialect}-{path.name}")
        for dialect in DIALECTS
        for path in CANONICAL_EXAMPLES
        if path.name.partition("-")[0] in PARTNERS.dialect(dialect).mapping["messages"]
    ],
)
def test_a_canonical_example_goes_there_and_back(path: Path, dialect: str) -> None:
    document = parse_xml(path.read_bytes())
    there = translator(dialect).from_canonical(document)
    back = translator(dialect).to_canonical(there.body)
    assert list(flat(back.document)) == [(name, value) for name, value in carried(document, there.report) if value.strip()]


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(data=st.data())
def test_any_message_comes_back_from_every_other_dialect(data: Any) -> None:
    # One message for all: making it takes longer than carrying it through twenty formats.
    document = data.draw(MESSAGES.message(data.draw(st.sampled_from(["ReadmissionApplication", "ReadmissionReply"]))))
    for dialect in sorted(set(TREES) - {"af/morr-json"}):  # the Persian calendar ends where years of four figures go on
        there = translator(dialect).from_canonical(document)
        back = translator(dialect).to_canonical(there.body)
        assert list(flat(back.document)) == carried(document, there.report), dialect


@pytest.mark.parametrize("dialect", OTHERS)
def test_every_canonical_application_and_reply_comes_back_from_every_other_dialect(dialect: str) -> None:
    lost: list[str] = []
    for path in CANONICAL_EXAMPLES:
        if not path.name.startswith(("ReadmissionApplication-", "ReadmissionReply-")):
            continue  # the examples of the dialect itself cover the other types
        document = parse_xml(path.read_bytes())
        try:
            there = translator(dialect).from_canonical(document)
        except Refused:
            if dialect in TREES:
                raise
            continue
        back = list(flat(translator(dialect).to_canonical(there.body).document))
        if back != [(name, value) for name, value in carried(document, there.report) if value.strip()]:
            lost.append(path.name)
    assert lost == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_dialect_cannot_carry_is_little_and_never_required(dialect: str) -> None:
    declared = PARTNERS.dialect(dialect).mapping
    lost = [
        entry
        for entry in (*declared.get("cannot_carry", ()), *declared["rows"].get("cannot_carry", ()))
        if "canonical" in entry
    ]
    assert len(lost) <= 4
    for entry in lost:
        found = [shape.at(entry["canonical"]) for shape in canonical_shapes(SCHEMAS).values()]
        assert not [shape for shape in found if shape is not None and shape.required]
