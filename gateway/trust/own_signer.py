"""Starting and ending a signer of one's own (gateway/trust/signer_process.py)."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from gateway.error_lines import heard
from gateway.errors import SignerUnavailable
from gateway.trust.signer_process import READY

_ENDING_SECONDS: Final = 10.0


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
        if said != READY:
            raise heard(said, SignerUnavailable("the signer ended before it was ready"))
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
