"""Personal numbers that do not check out, or say another birth or sex than the message: warnings for a human.

Never a refusal: people state wrong numbers, and officers mistype right ones. Algorithms are python-stdnum's. A state without
one there (Afghanistan, Albania, Armenia, Bangladesh, Georgia, Kosovo's own number, Sri Lanka ...) is not checked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from types import ModuleType

from lxml import etree
from stdnum.exceptions import ValidationError

from gateway.stages import Tree
from gateway.wire.documents import NS

_R = f"{{{NS}}}"

# The kinds that the message names: JMBG of the successor states is the EMSO of Slovenia, one number with one check digit.
_KINDS: Mapping[str, str] = {"jmbg": "si.emso", "cnic": "pk.cnic"}

# Numbers of the kind "other", by the state that gave them. Numbers of persons only: tax numbers of companies say nothing here.
_STATES: Mapping[str, str] = {
    "BE": "be.nn",
    "BG": "bg.egn",
    "CN": "cn.ric",
    "CZ": "cz.rc",
    "DE": "de.idnr",
    "DK": "dk.cpr",
    "EE": "ee.ik",
    "ES": "es.dni",
    "FI": "fi.hetu",
    "FR": "fr.nir",
    "GR": "gr.amka",
    "HR": "hr.oib",
    "IN": "in_.aadhaar",
    "IT": "it.codicefiscale",
    "LT": "lt.asmens",
    "MD": "md.idno",
    "MY": "my.nric",
    "NL": "nl.bsn",
    "NO": "no.fodselsnummer",
    "PL": "pl.pesel",
    "RO": "ro.cnp",
    "SE": "se.personnummer",
    "SI": "si.emso",
    "SK": "sk.rc",
    "TR": "tr.tckimlik",
    "UA": "ua.rntrc",
}

# Where a JMBG was given out, by its digits 8 and 9 (Law on the personal number of 1976): the tens say the republic.
_REGIONS: Mapping[str, str] = {
    "0": "foreigners and citizens abroad",
    "1": "Bosnia and Herzegovina",
    "2": "Montenegro",
    "3": "Croatia",
    "4": "North Macedonia",
    "5": "Slovenia",
    "7": "Serbia",
    "8": "Serbia, Vojvodina",
    "9": "Kosovo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWarning:
    """One thing about a number that an officer should ask about."""

    code: str  # "check-digit", "birth-differs", "sex-differs"
    path: str  # of the number, in the canonical message
    text: str  # names the kind of number, never the number


def warnings(document: Tree) -> list[tuple[str, str]]:
    """Return (path, text) of what `number_warnings` finds."""
    return [(each.path, each.text) for each in number_warnings(document)]


def number_warnings(document: Tree) -> list[NumberWarning]:
    """Return what there is to ask about the personal numbers of a canonical document, in its order."""
    root = etree.QName(document).localname
    return [
        found
        for person in document.iterchildren(tag=etree.Element)
        for number, identifier in enumerate(person.iterfind(f"{_R}Identifier"), 1)
        for found in _of(identifier, person, f"/{root}/{etree.QName(person).localname}/Identifier[{number}]/Value")
    ]


def jmbg_region(number: str) -> str | None:
    """Return where a JMBG was given out; None for digits that no republic has."""
    return _REGIONS.get(number[7:8])


def _of(identifier: Tree, person: Tree, path: str) -> Iterator[NumberWarning]:
    kind, state = _text(identifier, "Kind"), _text(identifier, "State")
    scheme = _KINDS.get(kind) or (_STATES.get(state) if kind == "other" else None)
    if scheme is None:
        return
    rules, value = import_module(f"stdnum.{scheme}"), _text(identifier, "Value")
    name = kind.upper() if kind != "other" else f"personal number of {state}"
    if not rules.is_valid(value):
        yield NumberWarning(
            code="check-digit",
            path=path,
            text=f"the number does not check out as a {name}; ask whether it was stated correctly",
        )
        return
    born = _text(person, "Birth/Date")
    said = _said(rules, "get_birth_date", value)
    if isinstance(said, date) and born and not said.isoformat().startswith(born):
        yield NumberWarning(
            code="birth-differs", path=path, text=f"the {name} says another date of birth than the message; ask which is right"
        )
    sex = {"male": "M", "female": "F"}.get(_text(person, "Sex"))
    said = _said(rules, "get_gender", value)
    if sex and said in {"M", "F"} and said != sex:
        yield NumberWarning(
            code="sex-differs", path=path, text=f"the {name} says another sex than the message; ask which is right"
        )


def _said(rules: ModuleType, what: str, value: str) -> object:
    """Return what a valid number says, None where its kind says nothing of it."""
    read: Callable[[str], object] | None = getattr(rules, what, None)
    try:
        return read(value) if read else None
    except ValidationError:
        return None


def _text(element: Tree, path: str) -> str:
    return (element.findtext("/".join(f"{_R}{step}" for step in path.split("/"))) or "").strip()
