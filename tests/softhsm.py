"""A PKCS#11 token for tests: SoftHSM from the distribution's package, with tokens in a folder of their own.

Installed when it is missing and that is possible, as RabbitMQ is; otherwise its tests are skipped with the reason.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.trust.places import TokenPlace

PIN = "4711-specimen"
LABEL = "gateway"
NO_SOFTHSM = "SoftHSM is not there: "
_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


class SoftHsmMissingError(Exception):
    """SoftHSM is not installed and cannot be installed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftHsm:
    """One token in a folder."""

    library: Path
    folder: Path  # holds the tokens, the configuration and the PIN file

    @property
    def configuration(self) -> Path:
        return self.folder / "softhsm2.conf"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def place(self, key_id: bytes, **changes: object) -> TokenPlace:
        """Return the place of a key in the token."""
        place = TokenPlace(module=self.library, token=LABEL, key_id=key_id, label=None, pin_file=self.pin_file, pin_env=None)
        return replace(place, **changes)  # type: ignore[arg-type]


def _find() -> Path | None:
    return next((Path(each) for each in _LIBRARIES if Path(each).is_file()), None)


def _library() -> Path:
    """Return the library, installing the package where that is possible. Raises `SoftHsmMissingError`."""
    if (found := _find()) is not None and shutil.which("softhsm2-util"):
        return found
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise SoftHsmMissingError("install your distribution's package 'softhsm2'")
    order = [apt, "install", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", "softhsm2"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (order, [apt, "update"], order):
        done = subprocess.run(command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if command is order and done.returncode == 0 and (found := _find()) is not None:
            return found
    raise SoftHsmMissingError("its package 'softhsm2' could not be installed by apt-get")


def start(folder: Path) -> SoftHsm:
    """Make a token with a PIN in `folder`. SOFTHSM2_CONF has to name its file. Raises `SoftHsmMissingError`."""
    made = SoftHsm(library=_library(), folder=folder)
    made.tokens.mkdir(parents=True)
    made.configuration.write_text(f"directories.tokendir = {made.tokens}\nlog.level = ERROR\n", encoding="utf-8")
    made.pin_file.touch(mode=0o600)
    made.pin_file.write_text(PIN + "\n", encoding="utf-8")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "8888-specimen", "--pin", PIN],
        env=os.environ | {"SOFTHSM2_CONF": str(made.configuration)},
        check=True,
        capture_output=True,
    )
    return made
