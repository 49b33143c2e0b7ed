"""A log line is an event with fields, and never a person."""

import ast
import io
import json
import re
from pathlib import Path

import pytest
import structlog

from gateway import log
from gateway.errors import GatewayError
from gateway.flow.draft import Held, Sent
from gateway.settings import data_folder
from gateway.store import journal
from gateway.store.database import reading
from gateway.wire.documents import parse_json, parse_xml, read_file
from tests.gateways import AUTHORITIES, example

ROOT = Path(__file__).resolve().parents[2]
CANARY = "KANARINAC"  # stands for a person's name
PARTNERS = data_folder("partners")


@pytest.fixture(autouse=True)
def lines():
    """Everything that is logged during a test, at every level."""
    stream = io.StringIO()
    log.set_up(as_json=True, level=0, stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def only(lines: io.StringIO) -> dict:
    (line,) = lines.getvalue().splitlines()
    return json.loads(line)


# --- the allow-list ---------------------------------------------------------------------------------------------------


def test_fields_on_the_list_are_written(lines) -> None:
    log.logger("inbound").warning("message.refused", code="schema-violation", partner="pk", count=3)
    found = only(lines)
    assert (found["event"], found["level"], found["part"]) == ("message.refused", "warning", "inbound")
    assert (found["code"], found["partner"], found["count"]) == ("schema-violation", "pk", 3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", found["timestamp"])


@pytest.mark.parametrize("field", ["name", "surname", "born", "message", "body", "error", "exc_info", "exception", "value"])
def test_field_that_is_not_on_the_list_is_redacted(lines, field) -> None:
    log.logger("inbound").error("message.refused", **{field: f"{CANARY} 1991-03-02"})
    assert only(lines)[field] == "[redacted]"
    assert CANARY not in lines.getvalue()


def test_field_bound_to_the_context_passes_the_same_list(lines) -> None:
    structlog.contextvars.bind_contextvars(name=CANARY, case=7)
    log.logger("inbound").info("case.read")
    assert (only(lines)["name"], only(lines)["case"]) == ("[redacted]", 7)


def test_traceback_is_redacted_too(lines) -> None:
    try:
        int(CANARY)
    except ValueError:
        log.logger("inbound").exception("message.failed")
    assert CANARY not in lines.getvalue()


def test_logger_that_was_made_before_the_set_up_passes_the_list_too() -> None:
    structlog.reset_defaults()
    early, stream = log.logger("outbound"), io.StringIO()
    log.set_up(as_json=True, stream=stream)
    early.info("message.refused", name=CANARY)
    assert only(stream)["name"] == "[redacted]"


@pytest.mark.parametrize(
    "name", ["name", "surname", "born", "birth", "nationality", "address_of_person", "body", "text", "value"]
)
def test_list_holds_no_field_that_would_carry_a_person(name) -> None:
    assert name not in log.ALLOWED_FIELDS


def test_plain_lines_pass_the_same_list() -> None:
    stream = io.StringIO()
    log.set_up(stream=stream)
    log.logger("inbound").info("message.refused", name=CANARY, code="bad-value")
    assert "bad-value" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_lines_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    log.set_up(stream=stream)
    log.logger("inbound").debug("message.seen")
    assert stream.getvalue() == ""


# --- what the code logs -----------------------------------------------------------------------------------------------


def logged() -> list[tuple[str, str, set[str]]]:
    """Return file, event and field names of every log call in the code."""
    found = []
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}
                and "log" in ast.unparse(node.func.value)
            ):
                event = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
                found.append((path.name, event, {keyword.arg or "**" for keyword in node.keywords}))
    return found


def test_every_event_in_the_code_is_a_noun_and_a_verb() -> None:
    assert len(logged()) > 10
    assert [place for place in logged() if not re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+([_-][a-z]+)*", place[1])] == []


def test_every_field_that_the_code_logs_is_on_the_list() -> None:
    assert [(file, event, fields) for file, event, fields in logged() if not fields <= log.ALLOWED_FIELDS] == []


# --- a name on every way to a refusal ---------------------------------------------------------------------------------


def application(old: str = "", new: str = "") -> bytes:
    """Return the example application of a person named CANARY, with one more change."""
    text = example("ReadmissionApplication-own-national").decode()
    text = re.sub("<Created>.*?</Created>", "", text)  # the gateway fills it: the clock of the tests is another one
    text = text.replace("NAMUNA AHMED KHAN", CANARY)
    assert old in text
    return text.replace(old, new, 1).encode()


BROKEN_FORM = {
    "cut off": application()[:2500],
    "tags do not fit": f"<a>{CANARY}</{CANARY}>".encode(),
    "unknown prefix": f"<{CANARY}:a/>".encode(),
    "attribute twice": f'<a {CANARY}="1" {CANARY}="1"/>'.encode(),
    "unknown entity": f"<a>&{CANARY};</a>".encode(),
    "document type": f"<!DOCTYPE {CANARY}><a/>".encode(),
    "comment": f"<a><!-- {CANARY} --></a>".encode(),
    "instruction": f"<a><?{CANARY} ?></a>".encode(),
    "other encoding": f'<?xml version="1.0" encoding="{CANARY}"?><a/>'.encode(),
    "not UTF-8": b"<a>" + CANARY.encode() + b"\xff</a>",
    "zero byte": CANARY.encode() + b"\x00",
    "too many attributes": ("<a " + " ".join(f'{CANARY}{n}="1"' for n in range(40)) + "/>").encode(),
    "after the end": f"<a/>{CANARY}".encode(),
    "no markup": CANARY.encode(),
}
BROKEN_JSON = {
    "no quotes": f'{{"a": {CANARY}}}',
    "key twice": f'{{"{CANARY}": 1, "{CANARY}": 2}}',
    "open": f'{{"{CANARY}": ',
    "half a pair": f'{{"{CANARY}": "\\ud800"}}',
    "not a number": f'{{"{CANARY}": NaN}}',
    "too deep": "[" * 70 + f'"{CANARY}"' + "]" * 70,
    "too long": f'{{"{CANARY}": {"9" * 5000}}}',
}
# What is wrong inside, and the canonical document that has it. The value that is refused is the canary itself.
BROKEN_CONTENT = {
    "unknown root": f'<{CANARY} xmlns="urn:readmission-gateway:readmission:1.0"/>'.encode(),
    "unknown version": application('schemaVersion="1.0"', f'schemaVersion="{CANARY}"'),
    "bad date": application("<Date>1991-03</Date>", f"<Date>{CANARY}</Date>"),
    "bad code": application("<Sex>male</Sex>", f"<Sex>{CANARY}</Sex>"),
    "unknown field": application("<Sex>male</Sex>", f"<{CANARY}>male</{CANARY}>".replace(CANARY, "Religion")),
    "text between": application("<Person>", f"<Person>{CANARY}"),
    "bad header": application("<Sequence>1<", f"<Sequence>{CANARY}<"),
    "unknown recipient": application("<Recipient>PK-MOI<", "<Recipient>XA-MOI<"),
    "unknown treaty": application("<Agreement>ba-pk<", "<Agreement>xa-yb<"),
    "other sender": application("<Sender>BA-MS<", "<Sender>AT-BMI<"),
    "broken rule": application("<ExpiryDate>2021-05-09<", "<ExpiryDate>2001-05-09<"),
    "no evidence": re.sub(rb"<Evidence>.*</Evidence>", b"", application()),
    "not allowed": application(
        "<Language>ur</Language>\n  </Spouse>", "<Language>ur</Language><CivilStatus>married</CivilStatus></Spouse>"
    ),
    "xsi": application("<Person>", f'<Person xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{CANARY}">'),
}


def refusal(act) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        act()
    return refused.value


@pytest.mark.parametrize("name", BROKEN_FORM)
def test_refusal_of_broken_xml_names_no_person(name) -> None:
    error = refusal(lambda: parse_xml(BROKEN_FORM[name]))
    assert CANARY not in json.dumps(error.as_dict())


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_refusal_of_broken_json_names_no_person(name) -> None:
    error = refusal(lambda: parse_json(BROKEN_JSON[name].encode()))
    assert CANARY not in json.dumps(error.as_dict())


def test_refusal_of_a_file_does_not_repeat_its_name(tmp_path) -> None:
    assert CANARY not in str(refusal(lambda: read_file(tmp_path / f"{CANARY}.xml")))


def everything(gateway, lines: io.StringIO, result: object) -> str:
    """Return all that a refusal leaves behind in clear: result, log and journal."""
    with reading(gateway.rt.engine) as tx:
        entries = tx.exec_driver_sql("SELECT event, actor, authority, message_id, detail FROM journal").all()
        assert journal.verify(tx)[1] == []
    return f"{result!r} {getattr(result, 'message', '')} {getattr(result, 'path', '')} {lines.getvalue()} {entries}"


@pytest.mark.anyio
@pytest.mark.parametrize("name", [*BROKEN_FORM, *BROKEN_CONTENT])
async def test_refused_message_leaves_no_name_in_log_or_journal(gateway, lines, name) -> None:
    result = gateway.hand_in((BROKEN_FORM | BROKEN_CONTENT)[name], authority="BA-MS")
    assert isinstance(result, GatewayError), result
    assert result.code in lines.getvalue()
    assert CANARY not in everything(gateway, lines, result)


def dialect_documents() -> list[tuple[str, str, str]]:
    """Return dialect, authority and one complete example of each partner."""
    found = []
    for authority in AUTHORITIES:
        (folder,) = (PARTNERS / authority[:2].lower() / "dialects").iterdir()
        files = sorted(path for path in (folder / "examples").iterdir() if path.is_file() and "reply" not in path.name)
        found.append((f"{authority[:2].lower()}/{folder.name}", authority, files[0].read_text("utf-8")))
    return found


def refused(translator, body: str) -> GatewayError | None:
    try:
        translator.to_canonical(body.encode())
    except GatewayError as error:
        return error
    return None


@pytest.mark.anyio
@pytest.mark.parametrize(("dialect", "authority", "body"), dialect_documents(), ids=AUTHORITIES)
async def test_refusal_of_any_value_of_a_dialect_leaves_no_name(gateway, lines, dialect, authority, body) -> None:
    """Each value of the document in turn becomes the canary; whatever is refused is refused without repeating it."""
    values = list(re.finditer(r">([^<>\s][^<>]*)</" if body.startswith("<") else r':\s*"([^"]+)"', body))
    spoiled = [body[: value.start(1)] + CANARY + body[value.end(1) :] for value in values]
    errors = [error for error in (refused(gateway.rt.translators[dialect], text) for text in spoiled) if error]
    assert len(errors) > 5
    assert CANARY not in json.dumps([error.as_dict() for error in errors])
    result = gateway.hand_in(body[: values[-1].start(1)].encode() + CANARY.encode(), authority=authority, dialect=dialect)
    assert isinstance(result, GatewayError)
    assert CANARY not in everything(gateway, lines, result)


@pytest.mark.anyio
async def test_message_that_is_held_and_then_sent_leaves_no_name_in_log_or_journal(gateway, lines) -> None:
    held = gateway.hand_in(application(), authority="BA-MS")
    assert isinstance(held, Held)
    sent = gateway.release(held.case_id)
    assert isinstance(sent, Sent)
    await gateway.deliver()
    await gateway.take_in()
    assert CANARY not in everything(gateway, lines, sent)
