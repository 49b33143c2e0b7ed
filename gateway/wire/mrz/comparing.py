"""A machine-readable zone beside an application: what agrees, what differs, what one of them does not say."""

from dataclasses import dataclass
from datetime import date

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.mrz.dates import birth_date
from gateway.wire.mrz.reading import Mrz
from gateway.wire.mrz.suggestion import suggested
from gateway.wire.names import tokens
from gateway.wire.names.transliterate import words
from gateway.wire.reading import text, texts

_R = f"{{{NS}}}"
_NAMES = ("Person/Name", "Person/MaidenName", "Person/OtherName/Name")
_FORMS = ("AsShown", "Latin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One field of both."""

    field: str  # name | number | issuer | expiry | birth | sex | nationality
    verdict: str  # same | differs | not-said
    zone: tuple[str, ...]  # what the zone says
    application: tuple[str, ...]  # what the application says, all values that were looked at


def compare(mrz: Mrz, document: Tree, today: date) -> tuple[Compared, ...]:
    """Compare a zone with a canonical application. The document of the same number is looked at, else every document."""
    said = suggested(mrz, today)
    person, paper = said["person"], said["document"]
    papers = [
        {name: text(one, name) or "" for name in ("Number", "IssuingState", "ExpiryDate")}
        for one in document.iterfind(f"{_R}Document")
    ]
    same = [one for one in papers if _plain(one["Number"]) == mrz.fields.number]
    looked_at = same or papers

    def of_papers(name: str) -> tuple[str, ...]:
        return tuple(one[name] for one in looked_at if one[name])

    birth = birth_date(mrz.fields.birth, today)
    births = tuple(one for one in (birth.reading, birth.other) if one)
    return (
        _name(mrz, document),
        _compared("number", (mrz.fields.number,), of_papers("Number"), agrees=bool(same)),
        _one_of("issuer", paper["IssuingState"], of_papers("IssuingState")),
        _dated("expiry", (paper["ExpiryDate"],) if paper["ExpiryDate"] else (), of_papers("ExpiryDate")),
        _dated("birth", births, _some(text(document, "Person/Birth/Date"))),
        _one_of("sex", _known(person["Sex"]), _some(_known(text(document, "Person/Sex")))),
        _one_of("nationality", person["Nationality"], texts(document, "Person/Nationality")),
    )


def _plain(number: str) -> str:
    return "".join(sign for sign in number.upper() if sign.isalnum())


def _some(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _known(value: str | None) -> str | None:
    return None if value == "unknown" else value


def _compared(field: str, zone: tuple[str, ...], application: tuple[str, ...], *, agrees: bool) -> Compared:
    zone, application = tuple(filter(None, zone)), tuple(filter(None, application))
    verdict = "not-said" if not zone or not application else "same" if agrees else "differs"
    return Compared(field=field, verdict=verdict, zone=zone, application=application)


def _one_of(field: str, zone: str | None, application: tuple[str, ...]) -> Compared:
    return _compared(field, _some(zone), application, agrees=zone in application)


def _dated(field: str, zone: tuple[str, ...], application: tuple[str, ...]) -> Compared:
    """Partial dates agree as far as both go."""
    agrees = any(mine.startswith(other) or other.startswith(mine) for mine in zone for other in application)
    return _compared(field, zone, application, agrees=agrees)


def _name(mrz: Mrz, document: Tree) -> Compared:
    """Whether each word of the zone's name may be a word of a name in the application; the last one may have been cut."""
    wanted = words(f"{mrz.fields.primary} {mrz.fields.secondary}")
    shown: list[str] = []
    found: set[str] = set()
    for path in _NAMES:
        for form in _FORMS:
            for value in texts(document, f"{path}/{form}"):
                shown.append(value)
                found |= tokens(value)
    cut = wanted.pop() if mrz.truncated and wanted else None
    agrees = all(tokens(word) & found for word in wanted) and (cut is None or any(one.startswith(cut) for one in found))
    zone = " ".join(filter(None, (mrz.fields.primary, mrz.fields.secondary)))
    return _compared("name", (zone,), tuple(dict.fromkeys(shown)), agrees=agrees)
