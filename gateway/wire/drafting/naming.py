"""How a partner's words become names: "broj isprave" as BrojIsprave, brojIsprave, broj_isprave or BROJ_ISPRAVE."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

_SIGNS = re.compile(r"[\s_\-]+")
# XML names without the colon; more than XML 1.0 needs is allowed by the last range only for letters of living scripts.
_XML_NAME = re.compile(r"[^\W\d][\w.\-]*")


def _words(text: str) -> list[str]:
    return [word for word in _SIGNS.split(text.strip()) if word]


def _first_up(word: str) -> str:
    return word[:1].upper() + word[1:]


def _pascal(text: str) -> str:
    return "".join(_first_up(word) for word in _words(text))


def _camel(text: str) -> str:
    first, *others = _words(text)
    return first + "".join(_first_up(word) for word in others)


STYLES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "pascal": _pascal,
        "camel": _camel,
        "snake": lambda text: "_".join(_words(text)),
        "kebab": lambda text: "-".join(_words(text)),
        "upper-snake": lambda text: "_".join(_words(text)).upper(),
        "as-is": str.strip,
    }
)


def is_xml_name(name: str) -> bool:
    """Tell whether `name` can be the name of an element or an attribute."""
    return _XML_NAME.fullmatch(name) is not None


def kebab(name: str) -> str:
    """Turn a canonical name into the one that tables of a vocabulary use: "DocumentKind" into "document-kind"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def snake(name: str) -> str:
    """Turn a canonical name into the name of a row set: "NamePart" into "name_part"."""
    return kebab(name).replace("-", "_")


def plain(name: str) -> str:
    """Turn a canonical name into English words: "IssuingState" into "issuing state"."""
    return kebab(name).replace("-", " ")
