"""What tests of forms need: the extra `pdf` with Pango, an authority on paper, a filled form."""

import io
import os
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gateway.errors import PaperToolsMissing
from gateway.wire.forms.printing import print_pdf

LIBRARIES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
NO_PANGO = "PDF forms cannot be printed here: "


@cache
def _why_not() -> str | None:
    """Return why no form can be printed here, None when it can. Pango is installed if it is missing and that is possible."""
    try:
        print_pdf("<p>x</p>", identifier="00" * 16)
    except PaperToolsMissing:
        apt = shutil.which("apt-get")
        if apt is None or os.geteuid() != 0:
            return "Pango is missing, and its packages cannot be installed by this user"
        order = [apt, "install", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", *LIBRARIES]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (order, [apt, "update"], order):
            subprocess.run(command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        try:
            print_pdf("<p>x</p>", identifier="00" * 16)
        except PaperToolsMissing as error:
            return error.message
    return None


def require_pango() -> None:
    """Skip a test, with the reason, where forms cannot be printed."""
    if (why := _why_not()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_PANGO + why)
        pytest.skip(NO_PANGO + why)


def on_paper(rt: Any, authority: str = "PK-MOI") -> Any:
    """Return a gateway one of whose authorities gets its messages on paper."""
    from gateway.flow.directory import Directory, Known

    changed = replace(rt.partners.authorities[authority], edge="paper")
    now = rt.directory.known
    partners = replace(now.partners, authorities={**now.partners.authorities, authority: changed})
    other = Known(partners=partners, treaties=now.treaties, translators=now.translators, versions=now.versions)
    return replace(rt, directory=Directory(rt.directory.folder, other, lambda: other, rt.schemas))


def fill(pdf: bytes, values: dict[str, str]) -> bytes:
    """Return a form as somebody's reader of PDF saves it."""
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    for page in writer.pages:
        for note in page.get("/Annots", ()):
            field = note.get_object()
            if field.get("/T") in values:
                field[NameObject("/V")] = TextStringObject(values[str(field["/T"])])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
