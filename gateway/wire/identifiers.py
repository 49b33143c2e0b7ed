"""National personal numbers: whether they check out, what they say of a person, and whether that fits the application.

A number that does not check out, or says something else than the application, is a warning for a human and never a refusal:
people state wrong numbers, registers hold wrong dates, and some numbers were given out before their check digit was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

from lxml import etree
from stdnum.exceptions import ValidationError

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.jmbg import region_of

_R = f"{{{NS}}}"
_SEX = {"M": "male", "F": "female"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the numbers of one kind are checked."""

    name: str  # as officers know it
    module: str  # of python-stdnum
    sex: Callable[[str], str] | None = None  # of a valid compact number, where the library does not tell
    century: bool = True  # whether the number itself says in which century its date lies
    first: str | None = None  # figures that a person's number may begin with, where companies share the form


def _sex_by(place: int, male: str) -> Callable[[str], str]:
    """Return a function that tells the sex by the figure at `place`: one of `male`, or female."""
    return lambda number: "M" if number[place] in male else "F"


_ODD, _EVEN = "13579", "02468"

# The schema's own kinds, by kind. EMSO of Slovenia and JMBG of the other successor states are one number.
BY_KIND: Mapping[str, Rule] = {"jmbg": Rule(name="JMBG", module="si.emso"), "cnic": Rule(name="CNIC", module="pk.cnic")}

# Numbers of kind "other", by the state that gave them out. For the states that are not named there is no rule that could be
# checked (AF, AL, AM, AZ, BD, DZ, EG, GE, LK, MA, TN, XK among them): such numbers are told to be "not checked".
BY_STATE: Mapping[str, Rule] = {
    "BE": Rule(name="national number", module="be.nn"),
    "BG": Rule(name="EGN", module="bg.egn", sex=_sex_by(8, _EVEN)),
    "CN": Rule(name="resident identity number", module="cn.ric", sex=_sex_by(16, _ODD)),
    "CZ": Rule(name="rodné číslo", module="cz.rc", sex=lambda number: "F" if number[2] in "5678" else "M"),
    "DE": Rule(name="tax identification number", module="de.idnr"),
    "DK": Rule(name="CPR", module="dk.cpr", sex=_sex_by(9, _ODD)),
    "EE": Rule(name="isikukood", module="ee.ik"),
    "ES": Rule(name="DNI", module="es.dni"),
    "FI": Rule(name="HETU", module="fi.hetu"),
    "FR": Rule(name="NIR", module="fr.nir", sex=_sex_by(0, "137")),
    "GR": Rule(name="AMKA", module="gr.amka", century=False),
    "HR": Rule(name="OIB", module="hr.oib"),
    "IN": Rule(name="Aadhaar", module="in_.aadhaar"),
    "IT": Rule(name="codice fiscale", module="it.codicefiscale", century=False),
    "LT": Rule(name="asmens kodas", module="lt.asmens", sex=_sex_by(0, _ODD)),
    "MD": Rule(name="IDNP", module="md.idno", first="029"),  # the library has it for companies; one check digit for all
    "MY": Rule(name="NRIC", module="my.nric", sex=_sex_by(11, _ODD), century=False),
    "NL": Rule(name="BSN", module="nl.bsn"),
    "NO": Rule(name="fødselsnummer", module="no.fodselsnummer"),
    "PL": Rule(name="PESEL", module="pl.pesel"),
    "RO": Rule(name="CNP", module="ro.cnp", sex=_sex_by(0, _ODD)),
    "SE": Rule(name="personnummer", module="se.personnummer", century=False),
    "SI": Rule(name="EMSO", module="si.emso"),
    "SK": Rule(name="rodné číslo", module="cz.rc", sex=lambda number: "F" if number[2] in "5678" else "M"),
    "TR": Rule(name="T.C. kimlik", module="tr.tckimlik"),
    "UA": Rule(name="RNTRC", module="ua.rntrc"),
}
# Loaded here: a process that may open no file any more judges numbers, too.
_MODULES: Mapping[str, Any] = {
    rule.module: import_module(f"stdnum.{rule.module}") for rule in (*BY_KIND.values(), *BY_STATE.values())
}

NOT_VALID, BIRTH_DIFFERS, SEX_DIFFERS = "check-digit", "birth-differs", "sex-differs"
MESSAGES: Mapping[str, str] = {
    NOT_VALID: "the number does not check out as a {name}; ask whether it was stated correctly",
    BIRTH_DIFFERS: "the {name} says another date of birth than the message; ask which is right",
    SEX_DIFFERS: "the {name} says another sex than the message; ask which is right",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWarning:
    """Something about a personal number that a human should look at. It names the kind of number, never the number."""

    code: str  # a key of MESSAGES
    path: str  # of the number in the document
    name: str  # of the kind of number

    @property
    def message(self) -> str:
        """Return the sentence for people."""
        return MESSAGES[self.code].format(name=self.name)

    def as_dict(self) -> dict[str, str]:
        """Return what commands and API say of it."""
        return {"code": self.code, "path": self.path, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One personal number of a document, without the number."""

    path: str
    state: str
    name: str | None  # of the kind of number; None when there is no rule for it
    valid: bool | None  # None: not checked
    born: date | None = None  # what a valid number says
    sex: str | None = None  # male | female
    region: tuple[str | None, str | None] = (None, None)  # state and place where a JMBG was given out
    warnings: tuple[NumberWarning, ...] = ()


def warnings(document: Tree) -> list[NumberWarning]:
    """Return what a human should look at in the personal numbers of a canonical document, in their order."""
    return [warning for one in examine_numbers(document) for warning in one.warnings]


def examine_numbers(document: Tree) -> list[Examined]:
    """Return what is found of each personal number of the person a canonical document is about."""
    person = document.find(f"{_R}Person")
    if person is None:
        return []
    root = etree.QName(document).localname
    return [
        _examine(identifier, person, f"/{root}/Person/Identifier[{number}]/Value")
        for number, identifier in enumerate(person.iterfind(f"{_R}Identifier"), 1)
    ]


def _examine(identifier: Tree, person: Tree, path: str) -> Examined:
    kind, state, value = (_text(identifier, name) for name in ("Kind", "State", "Value"))
    rule = BY_KIND.get(kind) or BY_STATE.get(state)
    if rule is None:
        return Examined(path=path, state=state, name=None, valid=None)
    module = _MODULES[rule.module]
    number = module.compact(value)
    if not module.is_valid(value) or (rule.first is not None and number[:1] not in rule.first):
        wrong = NumberWarning(code=NOT_VALID, path=path, name=rule.name)
        return Examined(path=path, state=state, name=rule.name, valid=False, warnings=(wrong,))
    born, sex = _born(module, number), _sex(module, number, rule)
    codes = (
        (BIRTH_DIFFERS, born is not None and not _same_birth(born, _text(person, "Birth/Date"), century=rule.century)),
        (SEX_DIFFERS, sex is not None and _text(person, "Sex") in _SEX.values() and _text(person, "Sex") != sex),
    )
    return Examined(
        path=path,
        state=state,
        name=rule.name,
        valid=True,
        born=born,
        sex=sex,
        region=region_of(number) if kind == "jmbg" else (None, None),
        warnings=tuple(NumberWarning(code=code, path=path, name=rule.name) for code, holds in codes if holds),
    )


def _text(parent: Tree, path: str) -> str:
    found: str = parent.findtext("/".join(_R + step for step in path.split("/"))) or ""
    return found.strip()


def _born(module: Any, number: str) -> date | None:
    try:
        found: date | None = module.get_birth_date(number) if hasattr(module, "get_birth_date") else None
    except ValidationError:  # some valid numbers hold no date that is known
        return None
    return found


def _sex(module: Any, number: str, rule: Rule) -> str | None:
    try:
        said = rule.sex(number) if rule.sex else module.get_gender(number) if hasattr(module, "get_gender") else None
    except ValidationError:
        return None
    return _SEX.get(said or "")


def _same_birth(born: date, said: str, *, century: bool) -> bool:
    """Whether a full date agrees with a partial one as far as that goes; without its century if the number does not say it."""
    mine = born.isoformat()
    return (mine if century else mine[2:]).startswith(said if century else said[2:])
