"""Personal numbers whose check digit fails: a warning for a human, never a refusal. People state wrong numbers."""

from lxml import etree
from stdnum.pk import cnic
from stdnum.si import emso

from gateway.stages import Tree
from gateway.wire.documents import NS

_R = f"{{{NS}}}"

# EMSO of Slovenia and JMBG of the other successor states are one number with one check digit.
_CHECKS = {"jmbg": emso.is_valid, "cnic": cnic.is_valid}


def warnings(document: Tree) -> list[tuple[str, str]]:
    """Return (path, text) for each personal number of a canonical document that does not check out.

    The text names the kind of number, never the number.
    """
    found: list[tuple[str, str]] = []
    for number, identifier in enumerate(document.iterfind(f"{_R}Person/{_R}Identifier"), 1):
        kind = (identifier.findtext(f"{_R}Kind") or "").strip()
        check = _CHECKS.get(kind)
        if check is not None and not check((identifier.findtext(f"{_R}Value") or "").strip()):
            path = f"/{etree.QName(document).localname}/Person/Identifier[{number}]/Value"
            found.append((path, f"the number does not check out as a {kind.upper()}; ask whether it was stated correctly"))
    return found
