"""`gateway sign`, `verify`, `seal`, `open` and `keys`, as scripts outside the repository use them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import keys as key_commands
from gateway.cli import trust as commands
from gateway.errors import GatewayError
from gateway.trust.devca import make_development_keys
from gateway.wire.documents import NS, canonicalize, parse_xml

AUTHORITIES = ["AT-BMI", "BA-MS", "PK-MOI"]
MESSAGE_ID = "0193a000-0000-7000-8000-000000000001"


def _receipt(*, sender="BA-MS", recipient="PK-MOI", outcome="accepted"):
    """A receipt is the smallest message of the family."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Receipt xmlns="{NS}" schemaVersion="1.0">\n  <Header>'
        f"<MessageId>{MESSAGE_ID}</MessageId><Sender>{sender}</Sender><Recipient>{recipient}</Recipient>"
        "<Created>2026-11-24T10:00:00Z</Created></Header>\n"
        f"  <Item><MessageId>0193a000-0000-7000-8000-000000000002</MessageId><Sha256>{'0' * 64}</Sha256>"
        f"<ReceivedAt>2026-11-24T09:59:59Z</ReceivedAt><Outcome>{outcome}</Outcome></Item>\n</Receipt>\n"
    ).encode()


@dataclass
class Desk:
    """A folder to work in, with keys, settings, and the command line."""

    folder: Path
    app: typer.Typer

    def path(self, name):
        return str(self.folder / name)

    def has(self, name):
        return (self.folder / name).exists()

    def write(self, name, content):
        (self.folder / name).write_bytes(content)
        return self.path(name)

    def run(self, *arguments, config="gateway.toml"):
        """Return exit code and JSON; an error of ours becomes its exit code as in `gateway.cli.main`."""
        result = CliRunner().invoke(self.app, [*arguments, "--json", "--config", self.path(config)])
        if isinstance(result.exception, GatewayError):
            return result.exception.exit_code, {"error": result.exception.as_dict()}
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else {"text": result.output}

    def tell(self, *arguments):
        """Return what a person is shown."""
        result = CliRunner().invoke(self.app, [*arguments, "--config", self.path("gateway.toml")])
        return result.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    make_development_keys(folder, AUTHORITIES, datetime.now(UTC))
    return folder


@pytest.fixture
def desk(tmp_path, keys):
    app = typer.Typer()
    commands.register(app)
    key_commands.register(app)
    made = Desk(tmp_path, app)
    made.write("gateway.toml", f"keys = {json.dumps(str(keys))}\n".encode())
    made.write("message.xml", _receipt())
    return made


@pytest.fixture
def signed(desk):
    code, _ = desk.run("sign", desk.path("message.xml"), "--as", "BA-MS", "--out", desk.path("signed.xml"))
    assert code == 0
    return desk.path("signed.xml")


@pytest.fixture
def sealed(desk):
    out = desk.path("message.sealed")
    code, _ = desk.run("seal", desk.path("message.xml"), "--as", "BA-MS", "--to", "PK-MOI", "--out", out)
    assert code == 0
    return out


# --- sign and verify


def test_sign_writes_an_envelope_that_verifies(desk):
    code, made = desk.run("sign", desk.path("message.xml"), "--as", "BA-MS", "--out", desk.path("signed.xml"))
    assert (code, made["verdict"], made["signer"]) == (0, "signed", "BA-MS")
    code, found = desk.run("verify", desk.path("signed.xml"))
    assert (code, found["verdict"], found["signer"]) == (0, "valid", "BA-MS")
    assert (found["sha256"], found["signed_at"]) == (made["sha256"], made["signed_at"])


def test_a_valid_envelope_has_no_code(desk, signed):
    assert desk.run("verify", signed)[1]["code"] is None


def test_verify_lists_each_step(desk, signed):
    steps = desk.run("verify", signed)[1]["steps"]
    assert [step["step"] for step in steps] == list(range(1, 12))
    assert all(step["ok"] and step["name"] for step in steps)


def test_an_altered_envelope_is_refused_at_its_step(desk, signed):
    altered = desk.write("altered.xml", Path(signed).read_bytes().replace(b"accepted", b"refused"))
    code, found = desk.run("verify", altered)
    assert (code, found["verdict"], found["code"]) == (1, "refused", "signature-invalid")
    assert (found["signer"], found["signed_at"]) == (None, None)
    assert [step["ok"] for step in found["steps"]] == [True] * 7 + [False]


def test_a_message_without_a_signature_is_refused(desk):
    code, found = desk.run("verify", desk.path("message.xml"))
    assert (code, found["code"]) == (1, "signature-missing")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty-document"),
        (b"<a", "malformed-xml"),
        (b"\x00\x01\x02", "not-text"),
        (b"<!DOCTYPE a><a/>", "doctype-forbidden"),
    ],
)
def test_a_file_that_is_no_envelope_is_refused_by_code(desk, content, expected):
    code, found = desk.run("verify", desk.write("bad", content))
    assert (code, found["verdict"], found["code"]) == (1, "refused", expected)


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_what_is_not_a_file_is_refused(desk, name):
    code, found = desk.run("verify", desk.path(name))
    assert (code, found["code"]) == (1, "not-a-file")


def test_verify_judges_as_of_the_instant_given(desk, signed):
    assert desk.run("verify", signed, "--at", "2020-01-01T00:00:00Z")[1]["code"] == "signing-time-invalid"
    assert desk.run("verify", signed, "--at", "2040-01-01T00:00:00+01:00")[1]["code"] == "certificate-not-valid"


def test_the_last_instant_there_is_can_be_judged(desk, signed):
    assert desk.run("verify", signed, "--at", "9999-12-31T23:59:59Z")[1]["code"] == "certificate-not-valid"


@pytest.mark.parametrize(
    "instant",
    [
        "tomorrow",
        "2026-11-24T12:00:00",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_an_instant_that_is_none_is_wrong_usage(desk, signed, instant):
    assert desk.run("verify", signed, "--at", instant)[0] == 2


@pytest.mark.parametrize(
    ("content", "authority", "expected"),
    [
        (_receipt(sender="PK-MOI"), "BA-MS", "signer-mismatch"),
        (_receipt(outcome="perhaps"), "BA-MS", "schema-violation"),
        (b"<Receipt/>", "BA-MS", "unknown-message-type"),
        (b"", "BA-MS", "empty-document"),
    ],
)
def test_what_must_not_be_signed_leaves_no_file(desk, content, authority, expected):
    bad = desk.write("bad.xml", content)
    code, found = desk.run("sign", bad, "--as", authority, "--out", desk.path("out.xml"))
    assert (code, found["error"]["code"]) == (1, expected)
    assert not desk.has("out.xml")


def test_signing_for_an_authority_without_a_key_is_misconfigured(desk):
    message = desk.write("rs.xml", _receipt(sender="RS-MUP"))
    code, found = desk.run("sign", message, "--as", "RS-MUP", "--out", desk.path("out.xml"))
    assert (code, found["error"]["code"]) == (4, "key-missing")


def test_a_refused_command_keeps_the_file_that_was_there(desk):
    out = desk.write("out.xml", b"earlier")
    desk.run("sign", desk.write("bad.xml", b"<Receipt/>"), "--as", "BA-MS", "--out", out)
    assert Path(out).read_bytes() == b"earlier"


def test_a_place_that_cannot_be_written_is_wrong_usage(desk):
    (desk.folder / "taken").mkdir()
    assert desk.run("sign", desk.path("message.xml"), "--as", "BA-MS", "--out", desk.path("taken"))[0] == 2
    assert list((desk.folder / "taken").iterdir()) == []


# --- seal and open


def test_the_recipient_reads_what_was_sealed(desk, sealed):
    code, found = desk.run("open", sealed, "--as", "PK-MOI", "--out", desk.path("read.xml"))
    assert (code, found["verdict"], found["signer"], found["recipient"]) == (0, "opened", "BA-MS", "PK-MOI")
    assert found["message_id"] == MESSAGE_ID
    read = parse_xml((desk.folder / "read.xml").read_bytes())
    assert canonicalize(read) == canonicalize(parse_xml(_receipt()))


def test_the_envelope_inside_can_be_kept_as_evidence(desk, sealed):
    desk.run("open", sealed, "--as", "PK-MOI", "--out", desk.path("read.xml"), "--envelope", desk.path("kept.xml"))
    assert desk.run("verify", desk.path("kept.xml"))[1]["verdict"] == "valid"


def test_a_sealed_file_shows_nothing_of_the_message(sealed):
    assert b"Receipt" not in Path(sealed).read_bytes()


def test_another_authority_cannot_open_it(desk, sealed):
    code, found = desk.run("open", sealed, "--as", "AT-BMI", "--out", desk.path("read.xml"))
    assert (code, found["error"]["code"]) == (1, "wrong-recipient")
    assert not desk.has("read.xml")


def test_a_damaged_sealed_file_is_refused_and_nothing_is_written(desk, sealed):
    body = Path(sealed).read_bytes()
    damaged = desk.write("damaged", body[:-1] + bytes([body[-1] ^ 1]))
    code, found = desk.run("open", damaged, "--as", "PK-MOI", "--out", desk.path("read.xml"))
    assert (code, found["error"]["code"]) == (1, "cannot-open")
    assert not desk.has("read.xml")


def test_a_signed_file_is_not_a_sealed_file(desk, signed):
    code, found = desk.run("open", signed, "--as", "PK-MOI", "--out", desk.path("read.xml"))
    assert (code, found["error"]["code"]) == (1, "cannot-open")


def test_opening_for_an_authority_that_is_not_at_home_is_misconfigured(desk, sealed):
    code, found = desk.run("open", sealed, "--as", "RS-MUP", "--out", desk.path("read.xml"))
    assert (code, found["error"]["code"]) == (4, "key-missing")


def test_a_message_is_sealed_only_for_the_recipient_its_header_names(desk):
    out = desk.path("out")
    code, found = desk.run("seal", desk.path("message.xml"), "--as", "BA-MS", "--to", "AT-BMI", "--out", out)
    assert (code, found["error"]["code"]) == (1, "wrong-recipient")
    assert not desk.has("out")


# --- keys


def test_development_keys_make_every_command_work(desk):
    desk.write("fresh.toml", b'keys = "fresh"\n')
    code, found = desk.run("keys", "new", "--development", config="fresh.toml")
    assert code == 0
    assert {"BA-MS", "PK-MOI"} <= set(found["authorities"])
    out = desk.path("signed.xml")
    assert desk.run("sign", desk.path("message.xml"), "--as", "BA-MS", "--out", out, config="fresh.toml")[0] == 0
    assert desk.run("verify", out, config="fresh.toml")[0] == 0


def test_an_envelope_of_another_certificate_authority_is_not_trusted(desk, signed):
    desk.write("fresh.toml", b'keys = "fresh"\n')
    desk.run("keys", "new", "--development", config="fresh.toml")
    code, found = desk.run("verify", signed, config="fresh.toml")
    assert (code, found["code"]) == (1, "signer-not-trusted")


def test_keys_for_production_are_not_made_by_accident(desk):
    assert desk.run("keys", "new")[0] == 2


def test_the_list_names_what_ends_and_what_is_only_for_development(desk):
    code, found = desk.run("keys", "list")
    listed = {each["authority"]: each for each in found["authorities"]}
    assert (code, sorted(listed)) == (0, AUTHORITIES)
    assert listed["BA-MS"]["signs_here"]
    assert listed["BA-MS"]["certificates"][0]["development"]
    assert listed["BA-MS"]["sealing_keys"][0]["opens_here"]


def test_an_empty_key_folder_says_what_to_do(desk):
    desk.write("fresh.toml", b'keys = "fresh"\n')
    code, found = desk.run("keys", "list", config="fresh.toml")
    assert (code, found["error"]["code"]) == (4, "key-missing")
    assert "gateway keys new" in found["error"]["message"]


# --- for people


def test_people_are_shown_the_steps(desk, signed):
    shown = desk.tell("verify", signed)
    assert "read again from the verified bytes" in shown
    assert "valid: signed by BA-MS" in shown


def test_people_are_shown_why_it_was_refused(desk):
    assert "signature-missing" in desk.tell("verify", desk.path("message.xml"))


@pytest.mark.parametrize("command", ["sign", "verify", "seal", "open"])
def test_help_shows_an_example(desk, command):
    assert f"gateway {command}" in CliRunner().invoke(desk.app, [command, "--help"]).stdout


def test_people_are_told_where_a_signed_and_a_sealed_file_lie(desk):
    message = desk.path("message.xml")
    assert "signed by BA-MS" in desk.tell("sign", message, "--as", "BA-MS", "--out", desk.path("a"))
    assert "sealed for PK-MOI" in desk.tell("seal", message, "--as", "BA-MS", "--to", "PK-MOI", "--out", desk.path("b"))
    assert "opened for PK-MOI" in desk.tell("open", desk.path("b"), "--as", "PK-MOI", "--out", desk.path("c"))


def test_people_are_shown_the_keys(desk):
    shown = desk.tell("keys", "list")
    assert "development only" in shown
    assert "mlkem768" in shown
