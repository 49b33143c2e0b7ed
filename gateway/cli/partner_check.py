"""`gateway partner check`: what is broken and what is missing in a partner folder, in the order in which to mend it."""

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.domain.calendars import Calendar
from gateway.domain.treaties import Treaty
from gateway.errors import Misconfigured
from gateway.flow.partner_check import Around, PartnerReport, Weight, check_partner
from gateway.partners import load
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.calendars import load_calendars
from gateway.partners.treaties import load_treaties
from gateway.settings import Settings, data_folder
from gateway.settings import load as load_settings
from gateway.trust.certificates import TrustStore
from gateway.web.partner_report import as_html
from gateway.wire.schema import SchemaSet

_FEW = 4  # folders: to start more processes takes as long as to check so many

HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page, too.")]
PathsArgument = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Partner folders; default: all known.")]


def check(
    paths: PathsArgument = None,
    html: HtmlOption = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check partner folders: files, mappings, code lists, examples both ways, hostile variants of them, treaty, calendar, keys.

    A PATH may lie outside the repository; treaties/ and calendars/ beside it are read as well. What is broken keeps a folder
    from being used: exit code 1. What is missing is needed before the first real message.

    Example: `gateway partner check partners/ba ../elsewhere/xa --html report.html`
    """
    settings = load_settings(config, overrides={"partners": partners})
    folders = [path.resolve() for path in paths or sorted(path.parent for path in settings.partners.glob("*/partner.toml"))]
    now = datetime.now(UTC)
    reports = _reports(folders, config, partners, now)
    if html is not None:
        html.write_text(as_html(reports, now), encoding="utf-8")
    if json:
        print_json({"partners": [_as_dict(report) for report in reports]})
    else:
        for report in reports:
            _print(report)
    if any(report.broken for report in reports):
        raise typer.Exit(1)


def report_on(folder: Path, settings: Settings) -> dict[str, Any]:
    """Return the report about one folder; `broken` and `missing` say what and what to do."""
    report = check_partner(folder, _beside(folder, _around(settings, datetime.now(UTC)), settings))
    told = {
        word: [f"{each.what}: {each.fix}" for each in found]
        for word, found in (("broken", report.broken), ("missing", report.missing))
    }
    return {**_as_dict(report), **told}


def _reports(folders: list[Path], config: Path | None, partners: Path | None, now: datetime) -> list[PartnerReport]:
    """Return the reports in the order of the folders; of many folders as many at once as there are processors."""
    if len(folders) <= _FEW:
        return [_report(folder, config, partners, now) for folder in folders]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_report, folders, repeat(config), repeat(partners), repeat(now)))


def _report(folder: Path, config: Path | None, partners: Path | None, now: datetime) -> PartnerReport:
    settings, around = _installed(config, partners, now)
    return check_partner(folder, _beside(folder, around, settings))


@lru_cache(maxsize=1)
def _installed(config: Path | None, partners: Path | None, now: datetime) -> tuple[Settings, Around]:
    """Return settings, and what every folder is held against; read once in a process."""
    settings = load_settings(config, overrides={"partners": partners})
    return settings, _around(settings, now)


def _around(settings: Settings, now: datetime) -> Around:
    trust: TrustStore | Misconfigured
    try:
        rules = load(settings.partners).trust_rules()
        trust = TrustStore.load(settings.keys, revocation=settings.revocation, rules=rules)
    except Misconfigured as error:
        trust = error
    return Around(
        schemas=SchemaSet.load(settings.schemas / "readmission" / "1.0"),
        treaties=load_treaties(_own_or_shipped(settings, "treaties"), settings.overrides),
        calendars=CalendarBook(_own_or_shipped(settings, "calendars"), settings.calendar_changes),
        trust=trust,
        now=now,
    )


def _own_or_shipped(settings: Settings, name: str) -> Path:
    """Return the folder of that name beside the partner folders, or the one that was shipped: a partner is tried without it."""
    own = settings.partners / name
    return own if own.is_dir() else data_folder("partners") / name


def _beside(folder: Path, known: Around, settings: Settings) -> Around:
    """Return what a folder is held against, with the treaties and calendars that lie beside it where it is kept elsewhere."""
    beside = folder.parent
    if beside == settings.partners.resolve():
        return known
    treaties: dict[str, Treaty] = dict(known.treaties)
    calendars: dict[str, Calendar] = dict(known.calendars)
    if (beside / "treaties").is_dir():
        treaties |= load_treaties(beside / "treaties")
    if (beside / "calendars").is_dir():
        calendars |= load_calendars(beside / "calendars")
    return Around(schemas=known.schemas, treaties=treaties, calendars=calendars, trust=known.trust, now=known.now)


def _as_dict(report: PartnerReport) -> dict[str, Any]:
    return {
        "code": report.code,
        "ok": not report.broken,
        "ready": not report.findings,
        "problems": [each.what for each in report.broken],
        "examples": report.examples,
        "missing": [each.what for each in report.missing],
        "findings": [
            {"order": order, "check": each.check, "weight": str(each.weight), "what": each.what, "fix": each.fix}
            for order, each in enumerate(report.findings, 1)
        ],
        "passed": list(report.passed),
        "not_reached": report.not_reached,
    }


def _print(report: PartnerReport) -> None:
    screen = console()
    verdict = "[bold red]not ok[/]" if report.broken else "[green]ok[/]"
    counts = f"{report.examples} examples both ways"
    if report.missing:
        counts += f", {len(report.missing)} to do before the first real message"
    screen.print(f"{report.code}: {verdict}, {counts}")
    for order, found in enumerate(report.findings, 1):
        mark = "[bold red]broken[/]" if found.weight is Weight.BROKEN else "[yellow]missing[/]"
        screen.print(f"  {order}. {mark} ({found.check}) {escape(found.what)}")
        screen.print(f"     {escape(found.fix)}")
    if report.not_reached:
        screen.print(f"  not reached: {', '.join(report.not_reached)}")


def register(group: typer.Typer) -> None:
    """Add the command to the group `partner`."""
    group.command("check")(check)
