"""A signer that is the child of the process that needs it: it ends with its parent, however that ends.

    python -m gateway.trust.signer_process KEYS SOCKETS [json]

It says "ready" or the line of an error (gateway/error_lines.py) on standard output, and ends when its standard input closes.
gateway/trust/own_signer.py starts it. It imports what signing needs and little else: it is a process more of each gateway.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

from gateway import log
from gateway.error_lines import told
from gateway.errors import GatewayError
from gateway.trust.held import HeldKeys
from gateway.trust.signer import Signer

READY: Final = "ready\n"
_NOT_DUMPABLE: Final = (4, 0)  # prctl(PR_SET_DUMPABLE, 0): linux/prctl.h


def harden() -> None:
    """Keep the memory of this process from core files and, on Linux, from other processes of its own user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(*_NOT_DUMPABLE, 0, 0, 0)


def main(keys: Path, folder: Path, *, as_json: bool) -> int:
    """Run a signer until standard input closes; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the parent, which ends us when its own work is done
    log.set_up_when_used(as_json=as_json, level=30)
    harden()
    signer = Signer(keys=HeldKeys(keys={}))
    try:
        signer = Signer(keys=HeldKeys.load(keys, os.environ))
        signer.listen(folder)
    except GatewayError as error:
        sys.stdout.write(told(error))
        return error.exit_code
    sys.stdout.write(READY)
    sys.stdout.flush()
    sys.stdin.read()
    signer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), as_json=sys.argv[3:] == ["json"]))
