"""A signer as a child of the process that needs it: it ends with its parent, however that ends.

    python -m gateway.trust.signer_process KEYS SOCKETS [json]

It says "ready" or one JSON object {"code", "message"} on standard output, and ends when its standard input closes.
"""

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from gateway import log
from gateway.errors import GatewayError, SignerUnavailable, catalogue
from gateway.trust.held import HeldKeys
from gateway.trust.signer import Signer

_READY: Final = "ready\n"
_ENDING_SECONDS: Final = 10.0
_NOT_DUMPABLE: Final = (4, 0)  # prctl(PR_SET_DUMPABLE, 0): linux/prctl.h


def harden() -> None:
    """Keep the memory of this process from core files and, on Linux, from other processes of its own user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(*_NOT_DUMPABLE, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running signer and the folder of its sockets."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def running(self) -> bool:
        return self.process.poll() is None


@contextmanager
def own_signer(keys: Path, *, as_json: bool = False) -> Iterator[Child]:
    """Start a signer for the keys of a key folder, in a fresh folder that only we may enter; end it with the block.

    Raises what stopped it, as `KeyMissing` or `TrustInvalid`.
    """
    folder = Path(mkdtemp(prefix="gateway-signer-"))  # mode 0700
    words = [sys.executable, "-m", "gateway.trust.signer_process", str(keys), str(folder), *(["json"] if as_json else [])]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603 - our own words
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if said != _READY:
            raise _reason(said)
        yield Child(folder=folder, process=process)
    finally:
        process.stdin.close()  # it ends by that
        process.stdout.close()
        try:
            process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _reason(said: str) -> GatewayError:
    try:
        told = json.loads(said)
        return catalogue()[told["code"]](told["message"])
    except (ValueError, KeyError, TypeError):
        return SignerUnavailable("the signer ended before it was ready")


def main(keys: Path, folder: Path, *, as_json: bool) -> int:
    """Run a signer until standard input closes; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the parent, which ends us when its own work is done
    log.set_up(as_json=as_json, level=30)
    harden()
    signer = Signer(keys=HeldKeys(keys={}))
    try:
        signer = Signer(keys=HeldKeys.load(keys, os.environ))
        signer.listen(folder)
    except GatewayError as error:
        sys.stdout.write(json.dumps({"code": error.code, "message": error.message}) + "\n")
        return error.exit_code
    sys.stdout.write(_READY)
    sys.stdout.flush()
    sys.stdin.read()
    signer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), as_json=sys.argv[3:] == ["json"]))
