"""Turning a template and its values into a page."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from gateway import __version__
from gateway.errors import DatabaseUnavailable
from gateway.web import wording
from gateway.web.runtime import EvidenceOfTime
from gateway.web.wording import Tag

if TYPE_CHECKING:
    from jinja2 import Environment

PRODUCT = "Readmission Gateway"


def _time(instant: datetime | None, zone: str) -> Markup:
    """Return an absolute local time with its zone, in a <time> element."""
    if instant is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), wording.instant_text(instant, zone))


def _tag(tag: Tag) -> Markup:
    """Return a tag: words first, the tone only repeats them."""
    inner = Markup('<time datetime="{}">{}</time>').format(tag.stands_for, tag.text) if tag.stands_for else tag.text
    return Markup('<strong class="govuk-tag app-tag--{}">{}</strong>').format(tag.tone.value, inner)


def _name(text: str, script: str | None) -> Markup:
    """Return a text with its own direction and script, since one page mixes several.

    The language of a name is not known, its script is: enough for a screen reader and for the choice of a typeface.
    """
    lang = Markup(' lang="und-{}"').format(script) if script else ""
    return Markup('<bdi dir="auto"{}>{}</bdi>').format(lang, text)


def _style_version() -> str:
    """Return a short digest of the style sheet, so that a new one is fetched at once."""
    return hashlib.sha256((files("gateway.web") / "static" / "gateway.css").read_bytes()).hexdigest()[:12]


@cache
def environment() -> "Environment":
    """Return the template environment, one per process. Everything is escaped; `Markup` is made only above."""
    from jinja2 import Environment, PackageLoader, PrefixLoader  # noqa: PLC0415  # 4 MB, for the first page that is asked for
    from jinja2.loaders import ChoiceLoader  # noqa: PLC0415  # same

    made = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("gateway.web", "templates"),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        product=PRODUCT, version=__version__, style_version=_style_version(), tag=_tag, name=_name, time=_time, wording=wording
    )
    return made


class Pages:
    """Renders pages; templates are compiled once. Every page says when evidence of time runs out."""

    def __init__(self, evidence: EvidenceOfTime) -> None:
        self._evidence = evidence

    def page(
        self, request: Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> HTMLResponse:
        """Return a page. `values` must hold what the template names; the session comes from the request."""
        signed_in = getattr(request.state, "signed_in", None)
        zone = signed_in.zone if signed_in else "UTC"
        found = environment().get_template(template)
        about = {"me": signed_in, "zone": zone, "at": partial(_time, zone=zone), "path": request.url.path}
        body = found.render(about, alarm=self._alarm(zone), **(values or {}))
        return HTMLResponse(body, status_code=status)

    def _alarm(self, zone: str) -> str | None:
        """Return what stands above every page while no timestamp can be had."""
        try:
            standing = self._evidence()
        except DatabaseUnavailable:  # the page itself says that
            return None
        if standing is None or not standing.warns:
            return None
        return wording.evidence_text(standing.oldest, standing.stops_at, zone, stopped=standing.stopped)
