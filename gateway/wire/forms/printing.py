"""A page becomes a PDF in a process of its own: the libraries load slowly, and what people wrote is laid out under limits."""

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import FormNotPrinted, PaperToolsMissing
from gateway.wire.forms.press import NO_LIBRARY

SECONDS: Final = 90
MISSING = (
    "PDF forms need the extra 'pdf' (pip install 'readmission-gateway[pdf]') and Pango "
    "(libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0); the HTML print view works without them"
)
_FONTS = Path(__file__).parent / "fonts" / "fonts.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A file that lies inside a PDF."""

    name: str
    description: str
    body: bytes
    relationship: str = "Source"  # what it is to the page, as PDF/A-3 calls it


def print_pdf(html: str, *, inside: Sequence[Inside] = (), identifier: str, fillable: bool = False) -> bytes:
    """Return a page as PDF/A-3u, or as a form that can be filled in.

    `identifier` is the file's own id, hex: the same page printed again is the same file. Raises `PaperToolsMissing` where the
    extra or Pango is not installed, `FormNotPrinted` if the page could not be laid out within its limits.
    """
    job = {
        "html": html,
        "fillable": fillable,
        "identifier": identifier[:32],
        "attachments": [
            {
                "name": each.name,
                "description": each.description,
                "relationship": each.relationship,
                "body": b64encode(each.body).decode(),
            }
            for each in inside
        ],
    }
    with tempfile.TemporaryDirectory(prefix="gateway-form-") as folder:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "FONTCONFIG_FILE": str(_FONTS),
            "XDG_CACHE_HOME": folder,
            "TMPDIR": folder,
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": "0",
        }
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "gateway.wire.forms.press"],
                input=json.dumps(job).encode(),
                capture_output=True,
                check=False,
                timeout=SECONDS,
                env=environment,
                cwd=folder,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FormNotPrinted("the process that prints forms did not finish") from error
    if done.returncode == NO_LIBRARY:
        raise PaperToolsMissing(MISSING)
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise FormNotPrinted("the form could not be laid out as a PDF")
    return done.stdout
