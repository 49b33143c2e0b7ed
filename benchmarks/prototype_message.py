"""The message that is carried: a filled-in application of about 6 KB whose persons are specimens, under ever new ids."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "readmission" / "1.0"
NAMESPACE = "urn:readmission-gateway:readmission:1.0"
_FOUND = "The person was found in the cargo space of a lorry and stated identity and nationality orally. "


def _tag(name: str, *content: str) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def _address(state: str) -> str:
    return _tag(
        "Address",
        _tag("Street", "Trg uzoraka 14 B"),
        _tag("PostCode", "71000"),
        _tag("Town", "Sarajevo"),
        _tag("Region", "Kanton Sarajevo"),
        _tag("State", state),
    )


def _authority(element: str, state: str, name: str) -> str:
    unit = _tag("Unit", "Readmission and Returns Unit")
    reach = _tag("Telephone", "+387 33 000 000") + _tag("Email", f"readmission@{state.lower()}.example")
    return _tag(element, _tag("Name", name), unit, _address(state), reach)


def _name(element: str, given: str, family: str) -> str:
    parts = [_tag("Part", _tag("Kind", kind), _tag("Value", value)) for kind, value in (("given", given), ("family", family))]
    shown = f"{given} {family}"
    return _tag(element, _tag("AsShown", shown), _tag("Script", "Latn"), _tag("Latin", shown), *parts)


def _birth(date: str) -> str:
    place = _tag("Place", "Lahore") + _tag("Municipality", "Lahore District") + _tag("State", "PK")
    return _tag("Birth", _tag("Date", date), _tag("DateQuality", "exact"), place)


def _person() -> str:
    return _tag(
        "Person",
        _name("Name", "Namuna", "Specimen"),
        _tag("OtherName", _tag("Kind", "alias"), _tag("Name", _tag("AsShown", "Uzorak"), _tag("Script", "Latn"))),
        _tag("Sex", "male"),
        _birth("1989-04-17"),
        _tag("Nationality", "PK"),
        _tag("FormerNationality", "unknown"),
        _tag("Identifier", _tag("Kind", "cnic"), _tag("Value", "00000-0000000-0"), _tag("State", "PK")),
        _tag("Language", "ur"),
        _tag("Language", "en"),
        _tag("CivilStatus", "married"),
        _name("Father", "Muster", "Specimen"),
        _name("Mother", "Mustera", "Specimen"),
        _tag(
            "PhysicalDescription",
            _tag("HeightCm", "181"),
            _tag("EyeColour", "brown"),
            _tag("Marks", "scar, left forearm, 4 cm"),
        ),
    )


def _relative(element: str, given: str, date: str, sex: str) -> str:
    return _tag(element, _name("Name", given, "Specimen"), _tag("Sex", sex), _birth(date), _tag("Nationality", "PK"))


def _document(kind: str, number: str) -> str:
    issue = (
        _tag("IssuingAuthority", "Passport Office, Lahore") + _tag("IssueDate", "2019-03-02") + _tag("ExpiryDate", "2029-03-02")
    )
    return _tag("Document", _tag("Kind", kind), _tag("Number", number), _tag("IssuingState", "PK"), issue)


def _application(message_id: str) -> str:
    return "".join(
        (
            _tag(
                "Header",
                _tag("MessageId", message_id),
                _tag("CaseReference", "BENCHMARKCASE234"),
                _tag("Sender", "BA-MS"),
                _tag("Recipient", "PK-MOI"),
                _tag("Sequence", "1"),
                _tag("Created", "2026-11-23T10:15:30Z"),
                _tag("NationalReference", "MS-2026-00012345"),
            ),
            _tag(
                "Request",
                _tag("Agreement", "ba-pk"),
                _tag("Ground", "national"),
                _tag("Procedure", "accelerated"),
                _tag("InterviewRequested", "true"),
                _tag("Place", "Sarajevo"),
                _tag("Date", "2026-11-23"),
            ),
            _authority("RequestingAuthority", "BA", "Ministry of Security"),
            _authority("RequestedAuthority", "PK", "Ministry of Interior"),
            _person(),
            _relative("Spouse", "Namunah", "1991-08-03", "female"),
            _tag(
                "Health", _tag("CareNeeded", "true"), _tag("ConsentGiven", "true"), _tag("Description", "insulin twice a day")
            ),
            _document("passport", "AB0000001"),
            _document("identity-card", "AB0000002"),
            _tag("Evidence", _tag("Code", "N1-01"), _tag("Description", "passport"), _tag("DocumentNumber", "AB0000001")),
            _tag("Entry", _tag("Date", "2026-11-20"), _tag("Place", "Zvornik"), _tag("Mode", "land")),
            _tag("Apprehension", _tag("Place", "Tuzla"), _tag("At", "2026-11-21T04:30:00Z")),
            _tag("Transfer", _tag("Date", "2026-12-10"), _tag("BorderPoint", "Sarajevo Airport"), _tag("Means", "air")),
            _tag("Observations", (_FOUND * 18).strip()),
        )
    )


@dataclass(frozen=True, slots=True)
class Template:
    """A message cut at its id, so that a new one costs no parsing."""

    before: bytes
    after: bytes

    def fresh(self) -> bytes:
        """Return the message under a new id."""
        return self.before + str(uuid4()).encode() + self.after


def template() -> Template:
    root = f'<ReadmissionApplication xmlns="{NAMESPACE}" schemaVersion="1.0">{_application("*id*")}</ReadmissionApplication>'
    before, after = f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode().split(b"*id*")
    return Template(before, after)
