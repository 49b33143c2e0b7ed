"""RabbitMQ as it is installed on this machine: where its programs lie, how it gets there, and as whom it runs."""

import functools
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from gateway.errors import BrokerMissing
from gateway.log import logger

_PLACES = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/local/sbin/rabbitmq-server", "/opt/homebrew/sbin/rabbitmq-server")
_PATIENT = ("-o", "DPkg::Lock::Timeout=300")  # seconds; another process of ours may be installing too


def find_server() -> Path | None:
    """Return the server's own start script, None when RabbitMQ is not installed.

    Debian's wrapper in /usr/sbin changes user and folder by itself, so the script behind it is looked for first.
    """
    for place in (*_PLACES, shutil.which("rabbitmq-server")):
        if place and os.access(place, os.X_OK):
            return Path(place)
    return None


def ensure_server(*, install: bool = True) -> Path:
    """Return the server's start script, installing the distribution's package where that is possible.

    Raises `BrokerMissing` with one sentence when RabbitMQ is missing and cannot be installed.
    """
    if (found := find_server()) is not None:
        return found
    apt = shutil.which("apt-get")
    if not install or apt is None or os.geteuid() != 0:
        raise BrokerMissing("RabbitMQ is not installed: install your distribution's package 'rabbitmq-server' and try again")
    logger("node").info("broker.installing")
    order = [apt, "install", "-y", "--no-install-recommends", *_PATIENT, "rabbitmq-server"]
    # Run level 1 keeps the package's scripts from starting the shared service: only private nodes are wanted.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (order, [apt, "update"], order):
        done = subprocess.run(command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - fixed words
        if command is order and done.returncode == 0 and (found := find_server()) is not None:
            return found
    raise BrokerMissing("RabbitMQ is not installed and its package 'rabbitmq-server' could not be installed by apt-get")


def find_mapper() -> str:
    """Return the path of Erlang's port mapper."""
    return shutil.which("epmd") or "epmd"


@functools.cache
def broker_user() -> pwd.struct_passwd | None:
    """Return the package's own user when we are root: the node refuses nothing, but it should own nothing either."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("rabbitmq")
    except KeyError:
        return None


def as_broker_user() -> list[str]:
    """Return the words before a command that run it as the package's own user; none unless we are root."""
    owner, setpriv = broker_user(), shutil.which("setpriv")
    if owner is None or setpriv is None:
        return []
    return [setpriv, f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
