"""How each kind of field is written on a form: a name with its script and Latin form, a date, an address, a document.

A writer takes the elements of one row and returns lines; each line is text of one direction of its own. `*` as the wanted kind
of document means those that have no row of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.forms.labels import Words
from gateway.wire.reading import text, texts

_R = f"{{{NS}}}"
_SURNAMES = frozenset({"family", "tribal"})  # what the form asks to underline
_OWN_ROWS = frozenset({"passport", "identity-card", "driving-licence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text."""

    text: str
    underlined: bool = False
    quiet: bool = False  # said beside the value: a unit, the meaning of a code in the other language
    script: str | None = None  # ISO 15924


Line: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What the writers need beside the element."""

    words: Words
    states: Mapping[str, str]  # names of states in English, by code
    codes: frozenset[str] = frozenset()  # every code of the schema, for layouts that do not say what is one
    wanted: str | None = None


def plain(value: str | None, *, quiet: bool = False) -> list[Line]:
    """Return text as lines; none for nothing."""
    return [(Piece(text=part, quiet=quiet),) for part in (value or "").splitlines() if part.strip()]


def date_text(value: str | None) -> str | None:
    """Return a date as forms write it: "24.11.2026", "11.2026", "2026"."""
    return ".".join(reversed(value.split("-"))) if value else None


def instant_words(value: str | None) -> str | None:
    """Return an instant as forms write it: "24.11.2026, 08:05 UTC"."""
    if not value:
        return None
    day, _, time = value.partition("T")
    return f"{date_text(day)}, {time[:5]} UTC"


def code_line(writer: Writer, value: str | None) -> list[Line]:
    """Return what a code means, in English and in the other language."""
    if not value:
        return []
    both = writer.words.code(value)
    return [_meaning(both.english, both.own)]


def state_text(writer: Writer, value: str | None) -> str | None:
    """Return a state by its code, with its name where it is known; "stateless" and "unknown" in words."""
    if value is None or len(value) > 2:  # noqa: PLR2004 - a code of a state has two letters
        return writer.words.code(value).english if value else None
    return f"{value} ({writer.states[value]})" if value in writer.states else value


def _meaning(english: str, own: str | None) -> Line:
    return (
        (Piece(text=english),)
        if own in {None, english}
        else (Piece(text=english), Piece(text="/", quiet=True), Piece(text=f"{own}", quiet=True))
    )


def _joined(parts: Sequence[str | None], sign: str = ", ") -> list[Line]:
    return plain(sign.join(part for part in parts if part))


def name_lines(element: Tree) -> list[Line]:
    """Return a name as the document shows it, then in Latin letters where that is another form."""
    shown, script, latin = text(element, "AsShown"), text(element, "Script"), text(element, "Latin")
    surnames = [text(part, "Value") or "" for part in element.iterfind(_R + "Part") if (text(part, "Kind") or "") in _SURNAMES]
    lines = [_underlined(shown or "", surnames, script)]
    if latin and latin != shown:
        lines.append(_underlined(latin, surnames, "Latn"))
    return lines


def _underlined(name: str, surnames: Sequence[str], script: str | None) -> Line:
    found = next((part for part in surnames if part and part.casefold() in name.casefold()), None)
    start = name.casefold().rfind(found.casefold()) if found else -1
    if found is None or len(name.casefold()) != len(name):  # folding changed the length: places do not match
        return (Piece(text=name, script=script),)
    end = start + len(found)
    pieces = (name[:start], False), (name[start:end], True), (name[end:], False)
    return tuple(Piece(text=part, underlined=under, script=script) for part, under in pieces if part)


def _person_name(writer: Writer, element: Tree) -> list[Line]:
    name = element.find(_R + "Name")
    if name is not None:
        return name_lines(name)
    return [(Piece(text=text(element, "NameUnknown") or writer.words.code("unknown").english),)]


def _other_name(writer: Writer, element: Tree) -> list[Line]:
    inner = element.find(_R + "Name")
    if inner is None:
        return name_lines(element)  # a maiden name in a table of names
    first, *rest = name_lines(inner)
    return [(*first, Piece(text=f"({writer.words.code(text(element, 'Kind') or '').english})", quiet=True)), *rest]


def _birth(writer: Writer, element: Tree) -> list[Line]:
    day, quality = date_text(text(element, "Date")), text(element, "DateQuality") or ""
    said = "" if quality == "exact" else f"({writer.words.code(quality).english})"
    when = [part for part in (day, said) if part]
    return [
        *([(Piece(text=" ".join(when)),)] if when else []),
        *_joined([text(element, "Place"), text(element, "Municipality"), state_text(writer, text(element, "State"))]),
    ]


def _description(writer: Writer, element: Tree) -> list[Line]:
    height = text(element, "PhysicalDescription/HeightCm")
    eyes = text(element, "PhysicalDescription/EyeColour")
    label = writer.words.label("EyeColour")
    return [
        *code_line(writer, text(element, "Sex")),
        *plain(f"{height} cm" if height else None),
        *([(Piece(text=f"{label.english}: "), *code_line(writer, eyes)[0])] if eyes else []),
        *plain(text(element, "PhysicalDescription/Marks")),
    ]


def _nationality(writer: Writer, element: Tree) -> list[Line]:
    former = writer.words.label("FormerNationality").english
    return [
        *_joined([state_text(writer, code) for code in texts(element, "Nationality")]),
        *_joined([f"{former}: {state_text(writer, code)}" for code in texts(element, "FormerNationality")]),
        *_joined([writer.words.language(tag) for tag in texts(element, "Language")]),
    ]


def _civil_status(writer: Writer, element: Tree) -> list[Line]:
    """Return the civil status; if married, the spouse's name, then names and years of birth of the children."""
    lines = code_line(writer, text(element, "Person/CivilStatus"))
    spouse = element.find(f"{_R}Spouse/{_R}Name")
    if spouse is not None:
        lines += name_lines(spouse)[:1]
    for child in element.iterfind(_R + "Child"):
        name, year = child.find(_R + "Name"), (text(child, "Birth/Date") or "")[:4]
        lines.append((*name_lines(name)[0], *([Piece(text=f"({year})", quiet=True)] if year else [])))
    return lines


def _address(writer: Writer, element: Tree) -> list[Line]:
    town = " ".join(part for part in (text(element, "PostCode"), text(element, "Town")) if part)
    return _joined([text(element, "Street"), town, text(element, "Region"), state_text(writer, text(element, "State"))])


def _authority(writer: Writer, element: Tree) -> list[Line]:
    address = element.find(_R + "Address")
    return [
        *plain(text(element, "Name")),
        *plain(text(element, "Unit")),
        *(_address(writer, address) if address is not None else []),
        *_joined([text(element, "Telephone"), text(element, "Fax"), text(element, "Email")]),
    ]


def _identifier(writer: Writer, element: Tree) -> list[Line]:
    kind = writer.words.code(text(element, "Kind") or "").english
    return [
        (
            Piece(text=text(element, "Value") or ""),
            Piece(text=f"{kind}, {state_text(writer, text(element, 'State'))}", quiet=True),
        )
    ]


def _document(writer: Writer, element: Tree) -> list[Line]:
    kind = text(element, "Kind") or ""
    if writer.wanted not in {kind, "*"} or (writer.wanted == "*" and kind in _OWN_ROWS and _has_own_row(element)):
        return []
    named = code_line(writer, kind) if writer.wanted == "*" else []
    issued = [date_text(text(element, "IssueDate")), text(element, "IssuePlace"), text(element, "IssuingAuthority")]
    until = text(element, "ExpiryDate")
    expiry = f"{writer.words.label('ExpiryDate').english}: {date_text(until)}" if until else None
    return [
        *named,
        *_joined([text(element, "Number"), state_text(writer, text(element, "IssuingState"))]),
        *_joined([*issued, expiry]),
    ]


def _has_own_row(element: Tree) -> bool:
    return bool(element.getparent().tag == f"{_R}ReadmissionApplication")


def _evidence(writer: Writer, element: Tree) -> list[Line]:
    code = text(element, "Code") or ""
    said = [text(element, "Description"), text(element, "DocumentNumber")]
    return [(Piece(text=f"{code} "), *code_line(writer, code)[0]), *_joined(said)]


def _attachment(writer: Writer, element: Tree) -> list[Line]:
    kind = writer.words.code(text(element, "Kind") or "").english
    size, media = text(element, "Size"), text(element, "MediaType")
    return [
        (
            Piece(text=text(element, "FileName") or ""),
            Piece(text=f"({kind}, {media}, {size} B, SHA-256 {text(element, 'Sha256')})", quiet=True),
        )
    ]


def _health(writer: Writer, element: Tree) -> list[Line]:
    return _said_of(writer, element, ("CareNeeded", "ConsentGiven"))


def _danger(writer: Writer, element: Tree) -> list[Line]:
    return _said_of(writer, element, ("Indicated",))


def _said_of(writer: Writer, element: Tree, flags: Sequence[str]) -> list[Line]:
    lines: list[Line] = []
    for flag in flags:
        both, answer = writer.words.label(flag), code_line(writer, text(element, flag))
        lines += [(Piece(text=f"{both.english}: "), *line) for line in answer]
    return [*lines, *plain(text(element, "Description"))]


def _entry(writer: Writer, element: Tree) -> list[Line]:
    means = text(element, "Mode")
    over = ", ".join(texts(element, "StopOver"))
    return [
        *_joined([date_text(text(element, "Date")), text(element, "Place")]),
        *code_line(writer, means),
        *plain(f"{writer.words.label('StopOver').english}: {over}" if over else None),
    ]


def _apprehension(writer: Writer, element: Tree) -> list[Line]:
    del writer
    return _joined([instant_words(text(element, "At")), text(element, "Place")])


def _transfer(writer: Writer, element: Tree) -> list[Line]:
    escorts, number = text(element, "Escorts"), text(element, "TravelDocumentNumber")
    return [
        *_joined([date_text(text(element, "Date")), text(element, "BorderPoint")]),
        *code_line(writer, text(element, "Means")),
        *plain(f"{writer.words.label('Escorts').english}: {escorts}" if escorts else None),
        *plain(f"{writer.words.label('TravelDocumentNumber').english}: {number}" if number else None),
    ]


def _crossing(writer: Writer, element: Tree) -> list[Line]:
    leaves = text(element, "Transit/ExitPoint")
    lines = _joined([text(element, "Transit/EntryPoint"), instant_words(text(element, "Transit/At"))])
    lines += plain(f"{writer.words.label('ExitPoint').english}: {leaves}" if leaves else None)
    for escort in element.iterfind(_R + "Escort"):
        kind = text(escort, "DocumentKind")
        said = [text(escort, "Name"), text(escort, "Rank"), writer.words.code(kind).english if kind else None]
        lines += _joined([*said, text(escort, "DocumentNumber")])
    return lines


def _care(writer: Writer, element: Tree) -> list[Line]:
    return [
        *code_line(writer, text(element, "SpecialCare/Reason")),
        *plain(text(element, "SpecialCare/Explanation")),
        *plain(text(element, "Protection")),
        *plain(text(element, "AssistanceRequested")),
    ]


def _reason(writer: Writer, element: Tree) -> list[Line]:
    return [*code_line(writer, text(element, "Code")), *plain(text(element, "Text"))]


def _place_and_date(writer: Writer, element: Tree) -> list[Line]:
    del writer
    return _joined([text(element, "Place"), date_text(text(element, "Date"))])


def _reference(writer: Writer, element: Tree) -> list[Line]:
    del writer
    return _joined([text(element, "Number"), date_text(text(element, "Date"))])


def _signatory(writer: Writer, element: Tree) -> list[Line]:
    del writer
    return _joined([text(element, "Name"), text(element, "Rank")])


def _name(writer: Writer, element: Tree) -> list[Line]:
    del writer
    return name_lines(element)


WRITERS: Mapping[str, Callable[[Writer, Tree], list[Line]]] = {
    "text": lambda _, element: plain(element.text),
    "code": lambda writer, element: code_line(writer, element.text),
    "date": lambda _, element: plain(date_text(element.text)),
    "state": lambda writer, element: plain(state_text(writer, element.text)),
    "name": _name,
    "person-name": _person_name,
    "other-name": _other_name,
    "birth": _birth,
    "description": _description,
    "nationality": _nationality,
    "civil-status": _civil_status,
    "address": _address,
    "authority": _authority,
    "identifier": _identifier,
    "document": _document,
    "evidence": _evidence,
    "attachment": _attachment,
    "health": _health,
    "danger": _danger,
    "entry": _entry,
    "apprehension": _apprehension,
    "transfer": _transfer,
    "crossing": _crossing,
    "care": _care,
    "reason": _reason,
    "place-and-date": _place_and_date,
    "reference": _reference,
    "signatory": _signatory,
}
