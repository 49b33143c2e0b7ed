"""The documents that the national systems hand in: one application and the answers to it, with places for case and number."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.settings import Settings, data_folder
from gateway.wire.documents import parse_xml, serialize
from gateway.wire.reading import without_header
from gateway.wire.reply import Decision, write_reply
from gateway.wiring import build
from soak.installation import SILENT

EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
_CASE = "U6LEWJ2FHT4ZQRC7NOYBX5ADMS"  # of the example; stands where a case reference goes
_FILLED = ("MessageId", "Sequence", "Created")


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Bodies in the formats of the two authorities, and canonical ones where their formats have no such document."""

    application: bytes  # in Austria's own JSON, to Serbia
    to_the_silent: bytes  # canonical
    _reply: bytes  # in Serbia's own XML
    _question: bytes  # canonical

    def reply(self, case: str) -> bytes:
        return self._reply.replace(_grouped(_CASE), _grouped(case))

    def question(self, case: str) -> bytes:
        return self._question.replace(_CASE.encode(), case.encode())


def _grouped(case: str) -> bytes:
    """Return a case reference as Serbia writes it: in groups of four."""
    return "-".join(case[place : place + 4] for place in range(0, len(case), 4)).encode()


def papers(keys: Path) -> Papers:
    """Make the documents."""
    rt = build(Settings(keys=keys, database="sqlite:///:memory:", broker="memory"), prepare_database=True)
    example = parse_xml((EXAMPLES / "ReadmissionApplication-third-country-entry.xml").read_bytes())
    fresh = without_header(deepcopy(example), (*_FILLED, "CaseReference"))
    reply = write_reply(example, Decision(agreed=True, on=date(2026, 11, 25), signatory="SPECIMEN OFFICER"))
    question = without_header(parse_xml((EXAMPLES / "InformationRequest-by-requested.xml").read_bytes()), _FILLED)
    for place in question.iter("{*}CaseReference"):
        place.text = _CASE
    silent = deepcopy(fresh)
    for name, value in (("Recipient", SILENT), ("Agreement", "eu-ba")):
        for place in silent.iter(f"{{*}}{name}"):
            place.text = value
    try:
        return Papers(
            application=rt.translators["at/bmi-json"].from_canonical(fresh).body,
            to_the_silent=serialize(silent),
            _reply=rt.translators["rs/mup-xml"].from_canonical(reply).body,
            _question=serialize(question),
        )
    finally:
        rt.engine.dispose()
