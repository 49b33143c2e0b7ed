"""Checks a partner folder, wherever it lies: what is broken, what is missing, in the order in which to mend it.

Every check reads the folder as a running gateway would. *Broken* keeps the folder from being used; *missing* is needed before
messages of a real person can be exchanged. A check that needs an earlier one is not reached while that is broken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from gateway.domain.calendars import Calendar
from gateway.domain.treaties import NO_AGREEMENT, Treaty
from gateway.errors import GatewayError, Misconfigured, NotAFile
from gateway.partners import Dialect, Partner
from gateway.partners.folder import load_partner
from gateway.trust.certificates import TrustStore
from gateway.trust.inspection import inspect
from gateway.wire.code_lists import ListGaps, gaps
from gateway.wire.documents import read_file
from gateway.wire.examples import check_examples, example_files
from gateway.wire.hostile import accepted_variants
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator

_EXCHANGE = ("ReadmissionApplication", "ReadmissionReply")  # the least that two authorities need
FEWEST_EXAMPLES = 6  # per dialect
HORIZON = timedelta(days=180)  # a calendar that ends earlier is to be renewed
CERTIFICATE_LEFT = timedelta(days=60)


class Weight(StrEnum):
    BROKEN = "broken"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend."""

    check: str  # one of CHECKS
    weight: Weight
    what: str  # names file and key; never a value of a document
    fix: str  # what to do


@dataclass(slots=True, kw_only=True)
class PartnerReport:
    """What was found in one folder, in the order in which to mend it."""

    code: str
    name: str = ""
    state: str = ""
    examples: int = 0
    findings: list[Finding] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)  # check -> what was looked at
    not_reached: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[Finding]:
        """Return what keeps the folder from being used."""
        return [each for each in self.findings if each.weight is Weight.BROKEN]

    @property
    def missing(self) -> list[Finding]:
        """Return what is needed before the first real message."""
        return [each for each in self.findings if each.weight is Weight.MISSING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a folder is held against."""

    schemas: SchemaSet
    treaties: Mapping[str, Treaty]
    calendars: Mapping[str, Calendar]
    trust: TrustStore | Misconfigured  # or why there is none
    now: datetime


@dataclass(slots=True, kw_only=True)
class _Folder:
    """One folder on its way through the checks."""

    path: Path
    around: Around
    report: PartnerReport
    partner: Partner | None = None
    translators: dict[str, Translator] = field(default_factory=dict)

    @property
    def dialects(self) -> Sequence[Dialect]:
        """Return the dialects that compile."""
        assert self.partner is not None, "a check is reached only after the folder was read"
        return [each for each in self.partner.dialects.values() if each.id in self.translators]


def check_partner(path: Path, around: Around) -> PartnerReport:
    """Return what there is to mend in the partner folder `path`. Raises `NotAFile` for what is none."""
    if not (path / "partner.toml").is_file():
        raise NotAFile(f"{path.name!r} is no partner folder: it holds no partner.toml")
    report = PartnerReport(code=path.name)
    folder = _Folder(path=path, around=around, report=report)
    for name, check in CHECKS.items():
        if folder.partner is None and name != "files":
            report.not_reached.append(name)
            continue
        found = list(check(folder))
        report.findings += [Finding(check=name, weight=weight, what=what, fix=fix) for weight, what, fix in found]
        if not found:
            report.passed[name] = _LOOKED_AT[name]
    report.findings.sort(key=lambda each: each.weight is not Weight.BROKEN)  # stable: within both in the order of the checks
    return report


_Found = tuple[Weight, str, str]


def _files(folder: _Folder) -> Iterator[_Found]:
    try:
        folder.partner = load_partner(folder.path)
    except GatewayError as error:
        yield (
            Weight.BROKEN,
            f"{error.code}: {error.message}",
            "mend the key that is named; partners/README.md says what each means",
        )
        return
    folder.report.name, folder.report.state = folder.partner.name, folder.partner.state
    if not folder.partner.authorities:
        yield (
            Weight.BROKEN,
            "partner.toml: there is no [[authorities]]",
            "name at least one authority with its dialect and edge",
        )


def _mappings(folder: _Folder) -> Iterator[_Found]:
    assert folder.partner is not None
    for dialect in folder.partner.dialects.values():
        try:
            folder.translators[dialect.id] = Translator.compile(dialect, folder.around.schemas)
        except GatewayError as error:
            yield Weight.BROKEN, f"{error.code}: {error.message}", "mend schema, mapping or code list where it says"
            continue
        for plan in folder.translators[dialect.id].documents.plans.values():
            if plan.unmet:
                yield (
                    Weight.BROKEN,
                    f"{dialect.id}: every {plan.type} needs what cannot_carry gives up: {', '.join(plan.unmet)}",
                    "give each a row, or the value that is always the same (fixed); until then each of them is refused",
                )


def _exchange(folder: _Folder) -> Iterator[_Found]:
    """Name what the format of an authority lacks for an application to be carried and answered."""
    assert folder.partner is not None
    for authority in folder.partner.authorities:
        if (translator := folder.translators.get(authority.dialect)) is None:
            continue
        if lacking := [kind for kind in _EXCHANGE if kind not in translator.documents.plans]:
            yield (
                Weight.MISSING,
                f"{authority.dialect}, the format of {authority.code}, has no {' and no '.join(lacking)}",
                "without them no application is carried and answered: add them (docs/joining.md, Carry further message types)",
            )


def _codes(folder: _Folder) -> Iterator[_Found]:
    for dialect in folder.dialects:
        for found in gaps(dialect, list(folder.translators[dialect.id].documents.plans.values())):
            yield from _of_list(dialect, found)


def _of_list(dialect: Dialect, found: ListGaps) -> Iterator[_Found]:
    place = f"{dialect.id}/codes.toml: list {found.name!r}"
    if found.unknown:
        yield (
            Weight.BROKEN,
            f"{place} holds what no field knows: {', '.join(found.unknown)}",
            "correct the spelling of the canonical code, or remove the line",
        )
    if found.not_allowed:
        yield (
            Weight.BROKEN,
            f"{place} writes what {dialect.schema.name} does not allow: {', '.join(found.not_allowed)}",
            "write the code as the schema has it",
        )
    if found.unread:
        yield (
            Weight.MISSING,
            f"{place} does not read what {dialect.schema.name} allows: {', '.join(found.unread)}",
            "add the code, or name it in also_read if it is retired; until then a message with it is refused",
        )
    if found.without_code:
        yield (
            Weight.MISSING,
            f"{place} has no code for: {', '.join(found.without_code)}",
            "ask the partner what it writes for these; until then a message with one of them is refused",
        )


def _examples(folder: _Folder) -> Iterator[_Found]:
    for dialect in folder.dialects:
        translator = folder.translators[dialect.id]
        run = check_examples(dialect, translator, folder.around.schemas, folder.around.now)
        folder.report.examples += run.count
        for problem in run.problems:
            yield Weight.BROKEN, problem, "mend the example, or the mapping that it shows to be wrong"
        if run.count < FEWEST_EXAMPLES:
            yield (
                Weight.MISSING,
                f"{dialect.id}: {run.count} examples, {FEWEST_EXAMPLES} are wanted",
                "ask the partner for documents of invented persons, and lay them into examples/",
            )
        if without := sorted(set(translator.documents.plans) - run.types):
            yield Weight.MISSING, f"{dialect.id}: no example of {', '.join(without)}", "add one of each"


def _hostile(folder: _Folder) -> Iterator[_Found]:
    for dialect in folder.dialects:
        translator, schemas = folder.translators[dialect.id], folder.around.schemas
        files = sorted(example_files(dialect), key=lambda path: path.stat().st_size)
        for path in files[-1:]:  # the largest one has most groups to hide something in
            for name in accepted_variants(translator, schemas, dialect.format, read_file(path)):
                yield (
                    Weight.BROKEN,
                    f"{dialect.id}/examples/{path.name}: changed by {name}, it is not refused",
                    f"make {dialect.schema.name} strict: it must not let unknown fields pass",
                )


def _treaty(folder: _Folder) -> Iterator[_Found]:
    assert folder.partner is not None
    state = folder.partner.state
    binding = [
        treaty.id
        for treaty in folder.around.treaties.values()
        if treaty.id != NO_AGREEMENT and any(state in each.states for each in treaty.parties)
    ]
    if binding and folder.partner.no_agreement:
        yield (
            Weight.BROKEN,
            f"partner.toml: no_agreement is given, but {', '.join(binding)} bind {state}",
            "remove the key no_agreement",
        )
    if not binding and not folder.partner.no_agreement:
        yield (
            Weight.MISSING,
            f"no file under treaties/ names {state}: no deadline can be counted",
            "add treaties/<id>.toml with the articles, or say in partner.toml by no_agreement why there is none",
        )


def _calendar(folder: _Folder) -> Iterator[_Found]:
    assert folder.partner is not None
    today = folder.around.now.date()
    for name in sorted({folder.partner.calendar, *(each.calendar for each in folder.partner.authorities)}):
        calendar = folder.around.calendars.get(name)
        if calendar is None:
            yield (
                Weight.MISSING,
                f"there is no calendars/{name}.toml: no working day can be counted",
                "add the file: partners/README.md, section Calendars, says how",
            )
        elif calendar.known_until < today + HORIZON:
            yield (
                Weight.MISSING,
                f"calendars/{name}.toml ends on {calendar.known_until}",
                "renew it: beyond that day no deadline is given",
            )


def _certificates(folder: _Folder) -> Iterator[_Found]:
    assert folder.partner is not None
    trust = folder.around.trust
    if isinstance(trust, Misconfigured):
        yield Weight.MISSING, f"certificates could not be looked at: {trust.message}", "run `gateway certs check`"
        return
    for authority in folder.partner.authorities:
        found = inspect(trust, authority.code, folder.around.now)
        good = [each for each in found if each.fault is None]
        if not found:
            yield (
                Weight.MISSING,
                f"no certificate of {authority.code} is pinned",
                "get it from the partner and put it into pinned/ of the key folder (docs/keys.md)",
            )
        elif not good:
            code = found[0].fault.code if found[0].fault else ""
            yield Weight.MISSING, f"no certificate of {authority.code} is trusted: {code}", "run `gateway certs check`"
        elif max(each.pinned.not_after for each in good) < folder.around.now + CERTIFICATE_LEFT:
            yield (
                Weight.MISSING,
                f"the certificate of {authority.code} ends on {max(each.pinned.not_after for each in good):%Y-%m-%d}",
                "ask the partner for the next one: two may be valid at once",
            )
        if good and not any(key.valid(folder.around.now) for key in trust.sealing_keys(authority.code)):
            yield (
                Weight.MISSING,
                f"no sealing key of {authority.code} is known: nothing can be sealed for it",
                "get its key document from the partner and put it into sealing/ of the key folder",
            )


def _offices(folder: _Folder) -> Iterator[_Found]:
    assert folder.partner is not None
    if not folder.partner.contacts:
        yield Weight.MISSING, "partner.toml: no [[contacts]]", "name the offices to call when something is stuck"
    if not folder.partner.crossing_points:
        yield Weight.MISSING, "partner.toml: no [[crossing_points]]", "name the border crossing points that were agreed on"


CHECKS: Mapping[str, Callable[[_Folder], Iterator[_Found]]] = {
    "files": _files,
    "mappings": _mappings,
    "exchange": _exchange,
    "codes": _codes,
    "examples": _examples,
    "hostile": _hostile,
    "treaty": _treaty,
    "calendar": _calendar,
    "certificates": _certificates,
    "offices": _offices,
}

_LOOKED_AT = {
    "files": "partner.toml, mapping.toml and codes.toml of every dialect",
    "mappings": "every row against both schemas",
    "exchange": "an application can be carried and answered in the format of every authority",
    "codes": "every code list against the values that both schemas list",
    "examples": "every example to canonical and back, and again",
    "hostile": "changed examples, each of them refused",
    "treaty": "an agreement binds the state, or it is said why none does",
    "calendar": "the days are known for half a year at least",
    "certificates": "signing certificate and sealing key of every authority",
    "offices": "contacts and border crossing points",
}
