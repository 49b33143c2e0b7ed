"""Reading forms: limits, wrong values, and signs that would deceive a reader."""

import pytest
from starlette.requests import Request

from gateway.errors import BadValue, TooLarge
from gateway.web.forms import LINE, MAX_FIELDS, MAX_FORM_BYTES, TEXT, Form, read_form


def form(**values: str) -> Form:
    return Form(values={name: [value] for name, value in values.items()})


def posted(body: bytes, content_type: str = "application/x-www-form-urlencoded", parts: int = 1) -> Request:
    size = max(1, len(body) // parts)
    chunks = [body[start : start + size] for start in range(0, len(body), size)] or [b""]

    async def receive() -> dict[str, object]:
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", content_type.encode())]}
    return Request(scope, receive)


@pytest.mark.anyio
async def test_fields_are_read_as_utf_8() -> None:
    read = await read_form(posted(b"name=%C5%A0EHI%C4%86&reasons=a&reasons=b", parts=3))
    assert read.one("name") == "ŠEHIĆ"
    assert read.many("reasons") == ("a", "b")
    assert read.one("missing") == ""


@pytest.mark.anyio
@pytest.mark.parametrize(
    "request_",
    [
        posted(b"{}", "application/json"),
        posted(b"--x", "multipart/form-data; boundary=x"),
        posted(b"name=%FF%FE"),
        posted("name=Š".encode()),
        posted(b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1))),
    ],
    ids=["json", "multipart", "not-utf-8", "not-ascii", "too-many-fields"],
)
async def test_what_is_no_form_is_refused(request_: Request) -> None:
    with pytest.raises(BadValue):
        await read_form(request_)


@pytest.mark.anyio
async def test_form_over_the_limit_is_refused_while_it_comes() -> None:
    with pytest.raises(TooLarge):
        await read_form(posted(b"a=" + b"x" * MAX_FORM_BYTES, parts=40))


def test_choice_outside_the_list_is_an_error_of_its_field() -> None:
    given = form(outcome="perhaps")
    assert given.choice("outcome", ("agreed", "refused"), "Select one") == ""
    assert [(error.field, error.text) for error in given.errors] == [("outcome", "Select one")]


def test_line_is_trimmed_and_composed() -> None:
    given = form(name="  S\u030cEHIC\u0301 ")
    assert given.line("name", "the name") == "ŠEHIĆ"
    assert given.errors == []


def test_missing_required_line_is_an_error() -> None:
    given = form(name="   ")
    assert given.line("name", "the name", required=True) is None
    assert given.errors[0].text == "Enter the name"


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\x00", "\x1b", "\n"])
def test_sign_that_would_change_what_a_reader_sees_is_refused_in_a_line(sign: str) -> None:
    given = form(name=f"SPECI{sign}MEN")
    given.line("name", "the name")
    assert given.errors[0].text == "The name contains invisible signs that are not allowed"


def test_text_keeps_its_line_breaks_in_one_form() -> None:
    given = form(remarks="first\r\nsecond\n\tthird")
    assert given.text("remarks", "the remarks") == "first\nsecond\n\tthird"
    assert given.errors == []


def test_directional_override_is_refused_in_a_text() -> None:
    given = form(remarks="a\u202eb")
    given.text("remarks", "the remarks")
    assert len(given.errors) == 1


@pytest.mark.parametrize(("name", "most"), [("line", LINE), ("text", TEXT)])
def test_length_is_that_of_the_schema(name: str, most: int) -> None:
    for length, errors in ((most, 0), (most + 1, 1)):
        given = form(field="x" * length)
        getattr(given, name)("field", "the field")
        assert len(given.errors) == errors


def test_right_to_left_text_is_allowed() -> None:
    given = form(name="نمونہ سپیسیمن")
    assert given.line("name", "the name") == "نمونہ سپیسیمن"
    assert given.errors == []
