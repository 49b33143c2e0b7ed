"""One frozen `Settings`, read and checked once at start.

Order: built-in default, then the TOML file, then `GATEWAY_<NAME>` in the environment. A secret may be given as
`GATEWAY_<NAME>_FILE`, the path of a file that holds it; an unreadable file stops the start.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from inspect import formatannotation
from pathlib import Path
from typing import Any

from gateway.broker_settings import NO_ROUTES, RouteSettings, read_routes
from gateway.edge_settings import DEFAULT, NONE, EdgeSettings, read_edges
from gateway.errors import SettingsInvalid

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_IN_CHECKOUT = (_CHECKOUT / "schemas" / "readmission").is_dir() and (_CHECKOUT / "pyproject.toml").is_file()


def data_folder(name: str) -> Path:
    """Return `schemas` or `partners`: the repository's in a checkout, the installed copy otherwise."""
    return _CHECKOUT / name if _IN_CHECKOUT else _PACKAGE / "_data" / name


def state_folder() -> Path:
    """Return the git-ignored folder for development keys and the embedded database."""
    return (_CHECKOUT if _IN_CHECKOUT else Path.cwd()) / ".gateway"


MAX_BATCH = 500  # a receipt names at most so many messages
_CHOICES = {
    "environment": ("development", "production"),
    "revocation": ("required", "when-offered", "off"),
    "ocsp_nonce": ("required", "optional"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an installation decides. Paths are absolute after loading."""

    name: str = "gateway"  # name of this installation; stands in receipts of hosted authorities
    home: tuple[str, ...] = ()  # authorities this gateway is home to
    # "development": every partner in the folder is usable. "production": only those that were admitted and switched to it.
    environment: str = "development"
    pass_days: int = 365  # so long a conformance pass is valid
    partners: Path = field(default_factory=lambda: data_folder("partners"))
    schemas: Path = field(default_factory=lambda: data_folder("schemas"))
    keys: Path = field(default_factory=lambda: state_folder() / "dev")  # key folder: private keys, pinned certificates
    case_keys: Path | None = None  # folder of the case keys and deletion records; default: case-keys/ in the key folder
    # Folder with the sockets of `gateway run sign`, which then signs for every other process. None: a process that runs the API
    # starts a signer of its own, any other reads the signing keys itself.
    signer: Path | None = None
    signer_group: str | None = None  # members may reach the signer's socket for API and pages; None: its own user only
    service_role: str = ""  # PostgreSQL role that the migrations let run the gateway, and not change its journal
    # Addresses may hold a password: they are left out when settings are printed.
    database: str = field(default_factory=lambda: f"sqlite:///{state_folder() / 'gateway.sqlite3'}", repr=False)
    # "embedded", "memory", or an amqp:// or amqps:// URL; it may name several hosts: amqps://user:secret@one,two,three/vhost
    broker: str = field(default="embedded", repr=False)
    broker_ca_file: Path | None = None  # roots (PEM) that may vouch for an amqps:// broker; default: those of this machine
    broker_certificate_file: Path | None = None  # our client certificate (PEM), where the broker asks for one
    broker_key_file: Path | None = None  # its key
    broker_plain: bool = False  # whether amqp:// without TLS may go to other machines, the routes' brokers included
    # Authorities that are reached in a virtual host or at a broker of their own: tables [routes.XX-NAME]; in the environment
    # the same as text, [XX-NAME]. Every other one is reached through `broker`.
    routes: Mapping[str, RouteSettings] = field(default_factory=lambda: NO_ROUTES, hash=False)
    revocation: str = (
        "when-offered"  # "required", "when-offered" (by the certificate), "off": what must be known not to be revoked
    )
    revocation_private_addresses: bool = False  # whether lists and responders at addresses that are not public are asked
    ocsp_nonce: str = "required"  # "required" or "optional": whether an answer without the nonce that was sent is taken
    overrides: Path | None = None  # operator's own treaty figures (TOML)
    drop_folder: Path | None = None  # root of the file edge; one folder per home authority below it
    # How the systems of home authorities are reached: tables [edges.XX-NAME]; in the environment the same as text, [XX-NAME].
    edges: Mapping[str, EdgeSettings] = field(default_factory=lambda: NONE, hash=False)
    host: str = "127.0.0.1"
    port: int = 8080
    share_port: bool = False  # several processes with the part api listen on this port; the system shares the connections out
    batch: int = 100  # most messages taken as one batch; a lone message is never delayed
    retry_seconds: tuple[int, ...] = (30, 300, 3600, 21600)  # waits between deliveries of one message; parked after the last
    line_failures: int = 5  # so many in a row, and nothing more is tried for that recipient until a pause is over
    line_first_seconds: int = 2  # the first pause; doubled with each probe that fails
    line_most_seconds: int = 60  # the longest
    paper_days: int = 2  # working days before a deadline at which what cannot be delivered is set aside for paper
    replay_alone: int = 20  # most parked messages that one person may have tried again at once; more need a second person
    watch_seconds: int = 30  # pause between two looks at the clock
    hints: bool = True  # whether cases of one authority are compared with each other; False also removes what they are found by
    remind_days: tuple[int, ...] = (5, 2)  # working days before the end at which a deadline is brought up
    # Days of calendars that this installation confirmed, added or removed (TOML); every process reads the same file.
    calendar_changes: Path = field(default_factory=lambda: state_folder() / "calendar-changes.toml")
    parse_isolated: bool = False  # foreign bytes are read first by a child process without files or network (Linux)
    unclaimed_megabytes: int = 500  # attachments without their message: most that lie here, by home authority and by sender
    # Timestamp authorities in the order they are asked: http:// or https:// addresses, or "development". While none is named,
    # evidence of time rests on the gateway's own clock (in development: on a development authority that proves nothing).
    timestamp_authorities: tuple[str, ...] = ()
    root_seconds: int = 60  # a signed and timestamped root over the new entries of the journal is made this often
    evidence_hours: int = 4  # so long without a good timestamp, and nothing new is sent out
    log_json: bool = False
    secure_cookies: bool = True  # False only for pages over plain http on the loopback

    @property
    def case_key_folder(self) -> Path:
        """Return the folder of which no old copy may be kept: what is destroyed in it must stay destroyed."""
        return self.case_keys or self.keys / "case-keys"

    def __post_init__(self) -> None:
        self._require_choices()
        if not 1 <= self.batch <= MAX_BATCH:
            raise SettingsInvalid(f"batch must be from 1 to {MAX_BATCH}")
        if not 0 <= self.port <= 65535:  # noqa: PLR2004  # the ports there are
            raise SettingsInvalid("port must be a number from 0 to 65535")
        if not self.retry_seconds or min(self.retry_seconds) < 0:
            raise SettingsInvalid("retry_seconds must name at least one pause, none of them negative")
        if any(lead < 1 for lead in self.remind_days):
            raise SettingsInvalid("remind_days must be whole numbers of working days, each at least 1")
        small = (
            *("watch_seconds", "root_seconds", "evidence_hours", "unclaimed_megabytes", "pass_days"),
            *("line_failures", "line_first_seconds", "line_most_seconds", "paper_days", "replay_alone"),
        )
        if any(getattr(self, name) < 1 for name in small):
            raise SettingsInvalid(f"{', '.join(small[:-1])} and {small[-1]} must be at least 1")
        _check_addresses(self.database, self.broker)
        for folder in (self.partners, self.schemas):
            if not folder.is_dir():
                raise SettingsInvalid(f"there is no folder {folder.name!r} where the settings point")

    def edge(self, authority: str) -> EdgeSettings:
        """Return how an authority's system is reached; the defaults where nothing is said."""
        return self.edges.get(authority, DEFAULT)

    def _require_choices(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SettingsInvalid(f"{name} must be one of {', '.join(map(repr, allowed))}")


def _check_addresses(database: str, broker: str) -> None:
    if broker not in {"embedded", "memory"} and not broker.startswith(("amqp://", "amqps://")):
        raise SettingsInvalid("broker must be 'embedded', 'memory', or an amqp:// or amqps:// URL")
    if "no_verify_ssl" in broker:  # the library would take any certificate for the broker's
        raise SettingsInvalid("broker must not switch off the check of the broker's certificate (no_verify_ssl)")
    if not database.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise SettingsInvalid("database must be a sqlite:/// or postgresql:// URL")


def _whole(value: Any) -> int:
    if isinstance(value, bool | float):  # int() would take them and cut what does not fit
        raise TypeError
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _convert(name: str, wanted: str, value: Any, folder: Path) -> Any:
    """Turn a TOML value or an environment string into the field's type; `folder` anchors relative paths."""
    try:
        if "Mapping" in wanted:
            read = read_edges if name == "edges" else read_routes
            return read(tomllib.loads(value) if isinstance(value, str) else value, folder)
        if wanted.startswith("tuple"):
            items = [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
            return tuple(_convert(name, "int" if "int" in wanted else "str", item, folder) for item in items)
        if wanted.startswith("Path"):
            return (folder / Path(value).expanduser()).resolve()
        if wanted == "bool":
            if isinstance(value, bool):
                return value
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(value).lower()]
        return _whole(value) if wanted == "int" else _text(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise SettingsInvalid(f"setting {name!r} has a value that is not {wanted}") from None  # the cause quotes the value


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's values by the names of the settings: `parse.isolated` is the setting `parse_isolated`."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        flat = not isinstance(value, dict) or name in {"edges", "routes"}
        found |= {name: value} if flat else {f"{name}_{inner}": each for inner, each in value.items()}
    return found


def load(
    file: Path | None = None, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings. `overrides` are values given on the command line.

    Raises `SettingsInvalid` for an unknown key, a wrong type, or a file that cannot be read.
    """
    environment = os.environ if environment is None else environment
    if file is None and Path("gateway.toml").is_file():
        file = Path("gateway.toml")
    found: dict[str, Any] = {}
    kinds = {item.name: formatannotation(item.type).replace("pathlib.", "") for item in fields(Settings)}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsInvalid(f"the settings file {file.name!r} cannot be read: {error}") from error
        given = _flat(given)
        unknown = sorted(set(given) - set(kinds))
        if unknown:
            raise SettingsInvalid(f"unknown setting {unknown[0]!r} in {file.name!r}")
        found |= {key: _convert(key, kinds[key], value, file.resolve().parent) for key, value in given.items()}
    for key, kind in kinds.items():
        variable = f"GATEWAY_{key.upper()}"
        if f"{variable}_FILE" in environment:
            try:
                secret = Path(environment[f"{variable}_FILE"]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SettingsInvalid(f"the file named by {variable}_FILE cannot be read") from None  # the cause may quote it
            found[key] = _convert(key, kind, secret, Path.cwd())
        elif variable in environment:
            found[key] = _convert(key, kind, environment[variable], Path.cwd())
    found |= {key: value for key, value in (overrides or {}).items() if value is not None}
    return Settings(**found)
