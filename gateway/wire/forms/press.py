"""The child process that makes a PDF of a page: `python -m gateway.wire.forms.press`.

It reads one job from standard input and writes the PDF to standard output; it fetches nothing, and its fonts are those of this
package. It is started and watched by printing.py. A page carries what people wrote, so it is laid out under limits.
"""

import io
import json
import logging
import resource
import sys
from base64 import b64decode
from typing import Any

READY, NO_LIBRARY, FAILED = 0, 3, 1  # exit codes
_SECONDS, _MEGABYTES = 60, 2048


def _limits() -> None:
    """Bound what laying out a page may take. Glib and the interpreter map far more memory than they use."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEGABYTES << 20, _MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write(job: dict[str, Any]) -> bytes:
    from weasyprint import HTML, Attachment  # noqa: PLC0415 - needs Pango; main() says what to do where it is missing
    from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415

    def nothing(url: str, *_: object, **__: object) -> Any:
        """Refuse every address: a page brings along what it shows."""
        raise FatalURLFetchingError(f"a form fetches nothing: {url.partition(':')[0]}")

    attachments = [
        Attachment(
            file_obj=io.BytesIO(b64decode(each["body"])),
            name=each["name"],
            description=each["description"],
            relationship=each["relationship"],
            url_fetcher=nothing,
        )
        for each in job["attachments"]
    ]
    page = HTML(string=job["html"], url_fetcher=nothing, base_url=None)
    options: dict[str, Any] = {"pdf_forms": True} if job["fillable"] else {"pdf_variant": "pdf/a-3u", "pdf_tags": True}
    made: bytes = page.write_pdf(attachments=attachments, pdf_identifier=bytes.fromhex(job["identifier"]), **options)
    return made


def main() -> None:
    """Do one job."""
    _limits()
    logging.disable(logging.CRITICAL)  # what a library has to say of a page may quote it
    job = json.load(sys.stdin.buffer)
    try:
        import weasyprint  # noqa: F401, PLC0415
    except (ImportError, OSError):  # OSError: the package is there, Pango is not
        sys.exit(NO_LIBRARY)
    sys.stdout.buffer.write(_write(job))


if __name__ == "__main__":
    main()
