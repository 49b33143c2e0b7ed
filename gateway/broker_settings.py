"""What an installation says about authorities that are reached elsewhere: `[routes.<AUTHORITY>]` of the settings file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.errors import SettingsInvalid
from gateway.setting_tables import read_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings:
    """Where one authority is reached. Files that are not named are those of our own broker."""

    url: str | None = field(default=None, repr=False)  # its virtual host, on our broker or on another
    url_file: Path | None = None  # a file that holds the url, where it has a password in it
    ca_file: Path | None = None  # roots (PEM) that may vouch for the broker
    certificate_file: Path | None = None  # our client certificate (PEM)
    key_file: Path | None = None  # its key

    def __post_init__(self) -> None:
        if (self.url is None) == (self.url_file is None):
            raise SettingsInvalid("a route names either url or url_file")
        require_pair(self.certificate_file, self.key_file, "certificate_file and key_file of a route")


NO_ROUTES: Mapping[str, RouteSettings] = MappingProxyType({})


def read_routes(given: Any, folder: Path) -> Mapping[str, RouteSettings]:
    """Read the table `routes`; `folder` anchors relative paths. Raises `SettingsInvalid`."""
    return read_tables(given, folder, name="routes", kind=RouteSettings)


def require_pair(certificate: Path | None, key: Path | None, names: str) -> None:
    """Raise `SettingsInvalid` when one of the two files is named and the other is not."""
    if (certificate is None) != (key is None):
        raise SettingsInvalid(f"{names} go together")
