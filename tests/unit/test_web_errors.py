"""How an error becomes a status and a page or a problem document."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from gateway.errors import (
    CannotOpen,
    DatabaseUnavailable,
    GatewayError,
    KeyMissing,
    NotFound,
    NotPermitted,
    SchemaViolation,
    TooLarge,
)
from gateway.store.database import open_engine
from gateway.web.app import create_app
from gateway.web.problems import status_of
from tests.web_seed import Seed

ERRORS: dict[str, GatewayError] = {
    "schema": SchemaViolation("a required field is missing", path="/Person/Sex", line=12),
    "key": KeyMissing("the file of a private key is not there"),
    "down": DatabaseUnavailable("the database does not answer"),
}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    router = APIRouter()

    @router.get("/api/v1/{name}")
    @router.get("/raise/{name}")
    def fail(name: str) -> None:
        raise ERRORS[name]

    @router.get("/api/v1/number/{number}")
    def number(number: int) -> int:
        return number

    made = Seed(engine=open_engine("sqlite://"), folder=tmp_path)
    return TestClient(create_app(made.runtime(), routers=[router]))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("x"), 404),
        (NotPermitted("x"), 403),
        (TooLarge("x"), 413),
        (SchemaViolation("x"), 400),
        (CannotOpen("x"), 400),
        (DatabaseUnavailable("x"), 503),
        (KeyMissing("x"), 500),
    ],
)
def test_status_follows_who_is_at_fault(error: GatewayError, status: int) -> None:
    assert status_of(error) == status


def test_refusal_below_the_api_names_code_path_and_line(client: TestClient) -> None:
    answer = client.get("/api/v1/schema")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "This did not work",
        "status": 422,
        "detail": "A required field is missing.",
        "code": "schema-violation",
        "path": "/Person/Sex",
        "line": 12,
    }


def test_fault_of_this_installation_shows_its_code_and_no_detail(client: TestClient) -> None:
    for path in ("/raise/key", "/api/v1/key"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "key-missing" in answer.text
        assert "private key" not in answer.text


def test_trouble_outside_is_no_fault_of_the_request(client: TestClient) -> None:
    assert client.get("/api/v1/down").status_code == 503
    assert "The database does not answer." in client.get("/raise/down").text


def test_parameter_that_does_not_fit_is_named_without_its_value(client: TestClient) -> None:
    answer = client.get("/api/v1/number/SPECIMEN")
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad-value"
    assert "path.number" in answer.json()["detail"]
    assert "SPECIMEN" not in answer.text


def test_method_that_a_page_does_not_take_is_a_page(client: TestClient) -> None:
    answer = client.post("/flow")
    assert answer.status_code == 405
    assert "does not take this kind of request" in answer.text
