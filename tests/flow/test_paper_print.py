"""Forms as PDF: the signed message inside, the authority's signature over all of it, and the form that comes back filled in."""

# ruff: noqa: RUF001 - texts in Cyrillic letters are what a form must carry

import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import FormMismatch, PaperToolsMissing, PdfActive, PdfUnreadable, Refused, SignatureInvalid
from gateway.flow.forms import Paper, Printable
from gateway.partners import load
from gateway.settings import data_folder
from gateway.trust import purposes
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import KeyRing
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import parse_xml
from gateway.wire.forms import pdf_fields
from gateway.wire.forms.filled import read_filled
from gateway.wire.forms.printing import print_pdf
from gateway.wire.forms.reply_fields import REASONS, filled
from gateway.wire.reading import text
from tests.paper import fill, require_pango

SCHEMA = data_folder("schemas") / "readmission" / "1.0"
FIELDS = {"outcome": "agreed", "decision_date": "2026-06-03", "name": "SPECIMEN OFFICIAL"}


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime(2026, 6, 1, 8, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def trust(keys) -> TrustStore:
    return TrustStore.load(keys)


@pytest.fixture(scope="module")
def made(keys, now):
    """The application of the examples, signed; what prints it; and the key of its sender."""
    key = KeyRing.load(keys).signing("BA-MS", now)
    document = parse_xml((SCHEMA / "examples" / "ReadmissionApplication-own-national.xml").read_bytes())
    signed = sign(document, key, now)
    paper = Paper(partners=load(data_folder("partners")), partners_folder=data_folder("partners"), schema=SCHEMA)
    return Printable(document=document, envelope=signed.body, digest=signed.digest, signer="BA-MS"), paper, key


@pytest.fixture(scope="module")
def pdf(made, now) -> bytes:
    require_pango()
    message, paper, key = made
    return paper.pdf(message, "sr-Cyrl", key=key, at=now)


@pytest.fixture(scope="module")
def blank(made) -> bytes:
    require_pango()
    message, paper, _ = made
    return paper.reply_pdf(message, "sq")


def test_signed_message_lies_inside_the_pdf_as_it_was_signed(made, pdf, trust) -> None:
    from pypdf import PdfReader

    message, _, _ = made
    reader = PdfReader(io.BytesIO(pdf))
    assert list(reader.attachments) == ["message.xml"]
    (body,) = reader.attachments["message.xml"]
    assert body == message.envelope
    assert verify(body, trust).digest == message.digest
    assert reader.trailer["/Root"]["/AF"][0].get_object()["/AFRelationship"] == "/Source"


def test_pdf_says_that_it_is_pdf_a_3(pdf) -> None:
    from pypdf import PdfReader

    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    metadata = root["/Metadata"].get_data()
    assert re.search(rb"pdfaid:part.{1,4}3", metadata)
    assert re.search(rb"pdfaid:conformance.{1,4}U", metadata)


def test_pdf_carries_its_fonts_and_only_ours(pdf) -> None:
    from pypdf import PdfReader

    names = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            names.add(str(font.get_object()["/BaseFont"]).partition("+")[2])
    assert names
    assert all(name.startswith("Noto") for name in names)


def test_signature_is_the_authoritys_and_covers_the_whole_file(pdf, trust, now) -> None:
    from gateway.trust.pdf_signature import verify_pdf

    found = verify_pdf(pdf, trust, now)
    assert (found.authority, found.at) == ("BA-MS", now.replace(microsecond=0))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_changed_byte_breaks_the_signature(pdf, trust, now, part) -> None:
    from gateway.trust.pdf_signature import verify_pdf

    changed = bytearray(pdf)
    changed[int(pdf.rindex(b"/Contents") * part)] ^= 1
    with pytest.raises(Refused):
        verify_pdf(bytes(changed), trust, now)


def test_what_is_added_behind_the_signature_is_told(pdf, trust, now) -> None:
    from pyhanko.pdf_utils.generic import NameObject, pdf_string
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    from gateway.trust.pdf_signature import verify_pdf

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[NameObject("/Added")] = pdf_string("later")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(SignatureInvalid):
        verify_pdf(out.getvalue(), trust, now)


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7\n", b"<a/>"])
def test_what_is_no_signed_pdf_is_refused(body, trust, now) -> None:
    from gateway.trust.pdf_signature import verify_pdf

    with pytest.raises(PdfUnreadable):
        verify_pdf(body, trust, now)


def test_signer_knows_what_it_signs_in_a_pdf(pdf) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    signed = signature.signer_info["signed_attrs"].untag().dump()
    assert purposes.purpose_of(signed, ECDSA_P256) == purposes.PDF_FORM
    for changed in (signed + b"\0", signed[:-1], b"\x31\x00", signed.replace(bytes.fromhex("2a864886f70d010903"), b"\x2a" * 9)):
        assert purposes.purpose_of(changed, ECDSA_P256) is None


def test_page_fetches_nothing_while_it_is_printed() -> None:
    require_pango()
    from gateway.errors import FormNotPrinted

    for address in ("http://127.0.0.1:9/x.png", "file:///etc/passwd", "data:text/css,p{}"):
        with pytest.raises(FormNotPrinted):
            print_pdf(f'<link rel="stylesheet" href="{address}"><p>x</p>', identifier="00" * 16)


def test_machine_without_pango_is_told_in_one_sentence(tmp_path) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libgobject')\n", encoding="utf-8")
    from gateway.wire.forms import printing

    real = subprocess.run

    def without_pango(words, **options):
        return real(
            [sys.executable, *words[2:]], **{**options, "env": {**options["env"], "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}}
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printing.subprocess, "run", without_pango)
        with pytest.raises(PaperToolsMissing) as found:
            print_pdf("<p>x</p>", identifier="00" * 16)
    assert "Pango" in found.value.message


# --- the form that comes back ---------------------------------------------------------------------------------------------


def test_filled_form_says_what_was_written_in_any_script(made, blank) -> None:
    message, paper, _ = made
    written = FIELDS | {"remarks": "ĐORĐEVIĆ محمد\nдруга линија", "transfer_place": "Изварино", "transfer_means": "/air"}
    found = read_filled(fill(blank, written))
    assert (found.outcome, found.remarks, found.transfer_means) == ("agreed", "ĐORĐEVIĆ محمد\nдруга линија", "air")
    draft = paper.reply_draft(message, found)
    assert text(draft, "Decision/Outcome") == "agreed"
    assert text(draft, "Transfer/BorderPoint") == "Изварино"
    assert text(draft, "Person/Name/AsShown") == text(message.document, "Person/Name/AsShown")


@pytest.mark.parametrize("changed", [{"case": "A" * 26}, {"digest": "0" * 64}])
def test_form_with_another_case_or_digest_is_no_answer(made, blank, changed) -> None:
    message, paper, _ = made
    with pytest.raises(FormMismatch):
        paper.reply_draft(message, read_filled(fill(blank, FIELDS | changed)))


def test_reply_form_offers_the_reasons_of_the_schema() -> None:
    found = re.search(
        r'name="RefusalReason">(.*?)</xs:simpleType>', (SCHEMA / "common.xsd").read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    assert re.findall(r'value="([^"]+)"', found[1]) == list(REASONS)


def acting(blank: bytes, key: str, value: str) -> bytes:
    """Return the form with something in it that acts."""
    from pypdf import PdfWriter
    from pypdf.generic import DictionaryObject, NameObject, TextStringObject

    writer = PdfWriter(clone_from=io.BytesIO(blank))
    action = DictionaryObject({NameObject("/S"): NameObject(value), NameObject("/JS"): TextStringObject("app.alert(1)")})
    if key == "orphan":  # that nothing refers to
        writer._add_object(action)
    else:
        writer._root_object[NameObject(key)] = writer._add_object(action)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(("key", "value"), [("/OpenAction", "/JavaScript"), ("/AA", "/JavaScript"), ("orphan", "/Launch")])
def test_pdf_that_acts_is_refused(blank, key, value) -> None:
    with pytest.raises(PdfActive):
        read_filled(acting(blank, key, value))


def test_encrypted_pdf_is_refused(blank) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(blank))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(PdfUnreadable):
        read_filled(out.getvalue())


def test_pdf_of_too_many_pages_is_refused(blank) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(blank))
    for _ in range(pdf_fields.MOST_PAGES):
        writer.add_blank_page(10, 10)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(PdfUnreadable):
        read_filled(out.getvalue())


def test_printed_application_is_no_reply_form(pdf) -> None:
    with pytest.raises(PdfUnreadable):
        read_filled(pdf)


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "perhaps"},
        {"reason_1": "because"},
        {"decision_date": "31.2.2026"},
        {"decision_date": "tomorrow"},
        {"name": "x" * 251},
        {"remarks": "x" * 4001},
        {"interview": "maybe"},
        {"case": None},
    ],
)
def test_field_that_is_not_as_the_form_has_it_is_refused(fields) -> None:
    given_ = {"case": "A" * 26, "digest": "0" * 64, **FIELDS, **fields}
    with pytest.raises(PdfUnreadable):
        filled({name: value for name, value in given_.items() if value is not None})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_are_fields_or_our_own_refusal(blank, data) -> None:
    """In this process, as the child does it behind its walls: the walls are for what libraries do, not for what they raise."""
    body = bytearray(blank)
    for _ in range(data.draw(st.integers(1, 30))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(body) // 2, len(body)))
    answer = pdf_fields._answer(bytes(body[:cut]))
    assert set(answer) in ({"fields"}, {"refused"})
    json.dumps(answer)


def test_process_that_reads_pdfs_can_open_no_file(blank) -> None:
    if not pdf_fields.supported():
        pytest.skip("this machine has no filter of calls")
    code = (
        "import sys; from gateway.wire.forms import pdf_fields as p\n"
        "def spy(body):\n    open('/etc/hostname')\n"
        "real = p._answer\n"
        "p._answer = lambda body: real(body) if len(body) < 1000 else spy(body)\n"
        "sys.argv = ['x', '300']\np.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=blank, capture_output=True, check=False, env={**os.environ})
    assert done.returncode != 0
    assert b"PermissionError" in done.stderr
