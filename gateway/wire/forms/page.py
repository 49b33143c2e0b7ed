"""A form as HTML: the print view, and what the PDF is made from."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from gateway.errors import NotFound, PaperToolsMissing
from gateway.wire.forms.form import Form
from gateway.wire.forms.reply_fields import Blank

if TYPE_CHECKING:
    from jinja2 import Environment

STYLE = "form.css"
FONTS = {  # file -> family and weight, as the style sheet names them
    "NotoSans-Regular.ttf": ("Noto Sans", "normal"),
    "NotoSans-Bold.ttf": ("Noto Sans", "bold"),
    "NotoNaskhArabic-Regular.ttf": ("Noto Naskh Arabic", "normal"),
    "NotoNaskhArabic-Bold.ttf": ("Noto Naskh Arabic", "bold"),
}


def style_sheet() -> str:
    """Return the style sheet of the forms."""
    return (files("gateway.wire.forms") / "templates" / STYLE).read_text(encoding="utf-8")


def screen_style(folder: str) -> str:
    """Return the style sheet for a browser, which gets the fonts from `folder`: the machine it runs on may lack them."""
    faces = (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{folder}{name}") format("truetype"); }}\n'
        for name, (family, weight) in FONTS.items()
    )
    return "".join(faces) + style_sheet()


def font(name: str) -> bytes:
    """Return a font of this package by its file name. Raises `NotFound`."""
    if name not in FONTS:
        raise NotFound("there is no such font")
    return (files("gateway.wire.forms") / "fonts" / name).read_bytes()


def html_of(form: Form, *, style_address: str | None = None, blank: Blank | None = None) -> str:
    """Return a form as a whole HTML document.

    `style_address` is where a browser finds the style sheet; without it, the sheet stands in the document. With `blank` the
    form can be filled in.
    """
    style = None if style_address else Markup(style_sheet())  # noqa: S704 - a file of this package
    name = "form.html" if blank is None else "reply.html"
    return (
        _environment()
        .get_template(name)
        .render(form=form, words=form.words, fields=blank, style=style, style_address=style_address, code=_code(form))
    )


def code_text(case_reference: str, digest: str) -> str:
    """Return what the square code says: which case, and the digest of which signed message. Nothing about a person."""
    return f"readmission-gateway:1:{case_reference}:{digest}"


def _code(form: Form) -> Markup | None:
    """Return the square code as SVG; None without the extra, or for a message that nobody has signed."""
    if not form.digest:
        return None
    try:
        return Markup(square_code(code_text(form.case_reference, form.digest)))  # noqa: S704 - made of paths, by segno
    except PaperToolsMissing:
        return None


def square_code(said: str) -> str:
    """Return a QR code as an SVG element without style or script. Raises `PaperToolsMissing`."""
    try:
        import segno  # noqa: PLC0415 - comes with the extra `pdf`
    except ImportError as error:
        raise PaperToolsMissing("square codes need the extra 'pdf': pip install 'readmission-gateway[pdf]'") from error
    return str(segno.make(said, error="m", micro=False).svg_inline(svgclass="code", lineclass=None, omitsize=True, border=2))


@cache
def _environment() -> "Environment":
    """Return the template environment, one per process. Everything is escaped; `Markup` is made only above."""
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415  # a gateway that runs seldom prints a form

    return Environment(
        loader=PackageLoader("gateway.wire.forms", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
