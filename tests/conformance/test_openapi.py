"""The committed documents are what the code makes: docs/openapi.json and docs/commands.md."""

import json
from typing import Any

import pytest

from gateway import __version__
from gateway.partners.formats import document_media_types
from gateway.web.answers import Problem
from gateway.web.api import ROUTERS, openapi_document
from scripts.make_docs import DOCS, asyncapi_page, commands, commands_page, openapi_page

DOCUMENT = openapi_document()
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_committed_document_is_what_the_code_makes() -> None:
    assert (DOCS / "openapi.json").read_text(encoding="utf-8") == openapi_page()
    assert json.loads(openapi_page()) == json.loads(json.dumps(openapi_document()))


def test_the_document_of_the_broker_is_what_the_code_makes() -> None:
    assert (DOCS / "asyncapi.json").read_text(encoding="utf-8") == asyncapi_page()


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == commands_page()


def test_the_command_reference_has_a_section_for_each_command() -> None:
    text = commands_page()
    for name in commands():
        assert f"\n## `{name}" in text


def test_the_document_names_product_with_version() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert (DOCUMENT["info"]["title"], DOCUMENT["info"]["version"]) == ("Readmission Gateway", __version__)


def test_the_document_holds_every_route() -> None:
    known = {route.path for router in ROUTERS for route in router.routes}  # type: ignore[attr-defined]
    assert set(DOCUMENT["paths"]) == known
    assert known >= {"/api/v1/messages", "/api/v1/inbox/{inbox_id}/ack", "/livez", "/readyz", "/startupz"}


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_operation_says_what_it_does_with_its_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert any(status.startswith("2") for status in operation["responses"])
    if not path.startswith("/api/"):
        assert "security" not in operation
        return
    assert operation["security"] == [{"key": []}]
    for status in ("401", "403", "422", "503"):
        assert "application/problem+json" in operation["responses"][status]["content"]


def test_key_is_a_bearer_token() -> None:
    assert DOCUMENT["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}


def test_submission_takes_every_format_with_every_outcome() -> None:
    operation = DOCUMENT["paths"]["/api/v1/messages"]["post"]
    assert set(operation["requestBody"]["content"]) == set(document_media_types())
    assert {"201", "202", "409", "413", "422"} <= set(operation["responses"])
    assert {parameter["name"] for parameter in operation["parameters"]} == {"dialect", "idempotency-key"}


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert {piece.partition('"')[0] for piece in text.split('"$ref": "')[1:]} <= known


def test_problem_is_rfc_9457_with_our_code() -> None:
    assert set(Problem.model_fields) == {"type", "title", "status", "detail", "code", "path", "line"}
    assert set(DOCUMENT["components"]["schemas"]["Problem"]["required"]) == {"type", "title", "status", "detail", "code"}
