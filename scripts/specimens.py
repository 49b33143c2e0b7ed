"""Parts of the example messages: invented persons, names, numbers and papers from specimens.toml, as canonical fields."""

import base64
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from national_numbers import NUMBERS

from gateway.wire.specimen_files import specimen_file

Fields: TypeAlias = dict[str, Any]  # canonical element name -> text, group, or list of either; None is left out

FIRST_DAY = date(2026, 9, 7)  # a Monday; cases follow on the working days after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """One authority asking another, with the persons of its cases."""

    code: str  # its name in the keys that identifiers are made from: "ba", "al-mb xk-mpb"
    requesting: str  # "BA-MS"
    requested: str  # "PK-MOI"
    agreement: str
    facts: Mapping[str, Any]  # the corridor's table
    home: Mapping[str, Any]  # nationals of the requested state
    away: Mapping[str, Any]  # nationals of the requesting state
    authorities: Mapping[str, Any]
    answering: str  # the same for the replies

    @property
    def state(self) -> str:
        """The requested state."""
        return self.requested[:2]

    def person(self, kind: str) -> Mapping[str, Any]:
        """The invented person of one kind of case."""
        found: Mapping[str, Any] = self.facts["persons"][kind]
        return found


def corridors(path: Path) -> dict[str, Corridor]:
    """Read specimens.toml; the result is keyed by the partner that asks."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        code: Corridor(
            code=code,
            requesting=facts["requesting"],
            requested=facts["requested"],
            agreement=facts["agreement"],
            facts=facts,
            home=table["nationals"][facts["requested"][:2]],
            away=table["nationals"][facts["requesting"][:2]],
            authorities=table["authorities"],
            answering=facts["requested"],
        )
        for code, facts in table["corridors"].items()
    }


# --- numbers that are the same in every run ---------------------------------------------------------------------------------


def digest(key: str) -> str:
    """Return the SHA-256 of a made-up thing: no such envelope or file exists."""
    return hashlib.sha256(f"specimen {key}".encode()).hexdigest()


def message_id(key: str, created: datetime) -> str:
    """Return a UUIDv7 (RFC 9562) whose random bits come from `key`."""
    value = int(created.timestamp() * 1000) << 80 | int(digest(key)[:20], 16)
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def case_reference(key: str) -> str:
    """Return 26 characters of base 32, as the gateway gives them."""
    return base64.b32encode(bytes.fromhex(digest(key))).decode()[:26]


def working_day(number: int) -> date:
    """Return the day of case `number`: Monday to Friday only, national holidays not counted."""
    return FIRST_DAY + timedelta(days=number // 5 * 7 + number % 5)


def created_at(number: int) -> datetime:
    """Return when case `number` was handed in."""
    return at_hour(working_day(number), 8 + number % 6, 7 * number % 60)


def identifier(corridor: Corridor, born: str | None, sex: str, serial: int) -> list[Fields]:
    """Return the personal number of a national of the requested state, none without a whole birth date or such a number."""
    if born is None or len(born) < len("YYYY-MM-DD") or corridor.home["identifier"] == "none":
        return []
    if corridor.home["identifier"] not in NUMBERS:
        return [{"Kind": "other", "Value": f"SPECIMEN-{serial:04}", "State": corridor.state}]
    kind, make = NUMBERS[corridor.home["identifier"]]
    return [{"Kind": kind, "Value": make(date.fromisoformat(born), sex, serial), "State": corridor.state}]


# --- persons ----------------------------------------------------------------------------------------------------------------


def name(spec: Mapping[str, str]) -> Fields:
    """Return a name: `parts` is "kind VALUE, kind VALUE" in the order of the document."""
    parts = [part.partition(" ")[::2] for part in spec["parts"].split(", ")]
    return {
        "AsShown": spec.get("shown", " ".join(value for _, value in parts)),
        "Script": spec.get("script", "Latn"),
        "Latin": spec.get("latin"),
        "Part": [{"Kind": kind, "Value": value} for kind, value in parts],
    }


def birth(
    born: str | None, place: str | None, state: str | None, *, quality: str | None = None, town: str | None = None
) -> Fields:
    """Return a birth; a date that is not whole is partial, none is unknown."""
    usual = "unknown" if born is None else "exact" if len(born) == len("YYYY-MM-DD") else "partial"
    return {"Date": born, "DateQuality": quality or usual, "Place": place, "Municipality": town, "State": state}


def home_birth(corridor: Corridor, born: str, place: int, *, quality: str | None = None) -> Fields:
    """Return a birth at one of the requested state's places."""
    town, municipality = corridor.home["places"][place]
    return birth(born, town, corridor.state, quality=quality, town=municipality)


def address(spec: Mapping[str, str]) -> Fields:
    """Return an address."""
    names = {"Street": "street", "PostCode": "post_code", "Town": "town", "Region": "region", "State": "state"}
    return {element: spec.get(key) for element, key in names.items()}


def national(corridor: Corridor, who: str, sex: str, born: str, serial: int) -> Fields:
    """Return a national of the requested state whose papers are in order."""
    return {
        "Name": name(corridor.home[who]),
        "Sex": sex,
        "Birth": home_birth(corridor, born, serial % 4),
        "Nationality": [corridor.state],
        "Identifier": identifier(corridor, born, sex, serial),
        "Language": list(corridor.home["languages"]),
        "Father": name(corridor.home["father"]),
        "Mother": name(corridor.home["mother"]),
        "LastAddress": address(corridor.home["address"]),
    }


def described(corridor: Corridor, kind: str, serial: int) -> Fields:
    """Return the person that specimens.toml describes for a kind of case."""
    spec = corridor.person(kind)
    states = spec.get("nationality", [corridor.state])
    state = spec.get("birth_state", states[0] if len(states[0]) == len("AA") else corridor.state)
    other = spec.get("other")
    return {
        "Name": name(spec["name"]),
        "OtherName": [{"Kind": other["kind"], "Name": name(other["name"])}] if other else [],
        "Sex": spec["sex"],
        "Birth": birth(spec.get("born"), spec["place"], state),
        "Nationality": list(states),
        "FormerNationality": list(spec.get("former", [])),
        "Identifier": identifier(corridor, spec.get("born"), spec["sex"], serial) if states == [corridor.state] else [],
        "Language": list(spec["languages"]),
        "Father": name(spec["father"]) if "father" in spec else None,
    }


def relative(person: Fields, *keep: str) -> Fields:
    """Return those fields of a person that a form asks of a relative."""
    return {key: person[key] for key in keep if key in person}


# --- papers -----------------------------------------------------------------------------------------------------------------


def passport(corridor: Corridor, serial: int, *, issued: str = "2021-03-15", expires: str = "2031-03-14") -> Fields:
    """Return a passport of the requested state."""
    town, _ = corridor.home["places"][serial % 4]
    return {
        "Kind": "passport",
        "Number": f"{corridor.home['passport_prefix']}{serial:07}",
        "IssuingState": corridor.state,
        "IssuingAuthority": corridor.home["passport_authority"],
        "IssuePlace": town,
        "IssueDate": issued,
        "ExpiryDate": expires,
    }


def paper(kind: str, number: str, state: str, issued: str | None = None, expires: str | None = None) -> Fields:
    """Return any other document."""
    return {"Kind": kind, "Number": number, "IssuingState": state, "IssueDate": issued, "ExpiryDate": expires}


def evidence(code: str, text: str | None = None, document: Fields | None = None) -> Fields:
    """Return an element of evidence; codes are explained in docs/codes.md."""
    return {"Code": code, "Description": text, "DocumentNumber": document["Number"] if document else None}


def attachment(kind: str, file_name: str, media_type: str, size: int) -> Fields:
    """Return the record of an attachment; the file itself is made up, and made anew where it is needed."""
    return {
        "Kind": kind,
        "FileName": file_name,
        "MediaType": media_type,
        "Size": str(size),
        "Sha256": hashlib.sha256(specimen_file(file_name, media_type, size)).hexdigest(),
    }


def permit_of(corridor: Corridor, serial: int) -> Fields:
    """Return a residence permit of the requested state."""
    return paper("residence-permit", f"R{serial:07}", corridor.state, "2024-09-01", "2027-08-31")


def entry_of(corridor: Corridor, day: str) -> Fields:
    """Return the entry into the requesting state."""
    return {"Date": day, "Place": corridor.facts["border"], "Mode": corridor.facts["way"]}


def transfer_of(corridor: Corridor, document: Fields | None, *, escorts: int) -> Fields:
    """Return a proposal for the transfer."""
    return {
        "Date": "2026-11-10",
        "BorderPoint": corridor.home["arrival"],
        "Means": "air",
        "TravelDocumentNumber": document["Number"] if document else None,
        "Escorts": str(escorts),
    }


# --- what stands around the person ------------------------------------------------------------------------------------------


def header(key: str, sender: str, recipient: str, created: datetime, **more: Any) -> Fields:
    """Return a header with fixed identifiers."""
    return {
        "MessageId": message_id(key, created),
        "Sender": sender,
        "Recipient": recipient,
        "Created": f"{created:%Y-%m-%dT%H:%M:%S}Z",
        **more,
    }


def authority(corridor: Corridor, code: str) -> Fields:
    """Return an authority as it names itself."""
    spec = corridor.authorities[code]
    return {
        "Name": spec["name"],
        "Unit": spec["unit"],
        "Address": address(spec["address"]),
        "Telephone": spec["telephone"],
        "Fax": spec["fax"],
        "Email": spec["email"],
    }


def at_hour(day: date, hour: int, minute: int) -> datetime:
    """Return an instant of a day, UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)


def long_text(sentences: Sequence[str], limit: int) -> str:
    """Return numbered paragraphs up to `limit` characters: the sentences again and again, with their number."""
    text = ""
    for number in range(1, limit):
        paragraph = f"{number}. {sentences[number % len(sentences)]}"
        if len(text) + len(paragraph) + 1 > limit:
            break
        text += f"\n{paragraph}" if text else paragraph
    return text
