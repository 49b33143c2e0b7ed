"""A private cluster of RabbitMQ nodes on this machine, for tests, soak and bench: each node has names and ports of its own.

The nodes share a port mapper (epmd) that none of them ends with, and a secret of their own. The first node starts alone,
the others join it; after that any of them may stop, die, freeze and come back, in any order.
"""

import atexit
import contextlib
import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from gateway.errors import BrokerUnavailable
from gateway.transport.installed import as_broker_user, find_mapper
from gateway.transport.node import Membership, PrivateNode, free_ports

_MAPPER_SECONDS = 10
_LOOK_SECONDS = 0.05

# The mapper ends when the pipe to us breaks, however we end.
_SUPERVISOR = """
exec 3<&0 </dev/null
"$1" -port "$2" -address 127.0.0.1 3<&- &
mapper=$!
read -r _ <&3
kill "$mapper"
wait "$mapper"
"""


class PrivateCluster:
    """Nodes that are one broker. `nodes` may be stopped, killed, paused and started one by one.

    `close`, or leaving the `with` block, removes everything.
    """

    def __init__(self, size: int = 3, *, vhosts: Sequence[str] = ("gateway",), install: bool = True) -> None:
        """Prepare `size` nodes. Nothing is touched before `start`. Raises `BrokerMissing` as `PrivateNode` does."""
        (self._mapper_port,) = free_ports(1)
        self._mapper: subprocess.Popen[bytes] | None = None
        family, cookie, self._password = secrets.token_hex(4), secrets.token_hex(16), secrets.token_urlsafe(18)
        names = [f"gateway-{family}-{number}@localhost" for number in range(1, size + 1)]
        self._vhosts = tuple(vhosts)
        self.nodes = tuple(
            PrivateNode(
                vhosts=vhosts,
                install=install,
                member=Membership(
                    name=name, first=names[0], epmd_port=self._mapper_port, cookie=cookie, password=self._password
                ),
            )
            for name in names
        )

    @property
    def url(self) -> str:
        """One AMQP URL that names every node, for the first virtual host."""
        return self.url_of(self._vhosts[0])

    def url_of(self, vhost: str) -> str:
        """Return the URL of one virtual host, with every node in it."""
        first, *others = [node.url_of(vhost) for node in self.nodes]
        head, _, path = first.rpartition("/")
        more = [other.rpartition("/")[0].rpartition("@")[2] for other in others]
        return f"{','.join([head, *more])}/{path}"

    def start(self) -> None:
        """Start what does not run: the first node alone, since the others join it, then the others together.

        Raises `BrokerUnavailable` when one does not answer in time.
        """
        self._start_mapper()
        first, *others = self.nodes
        first.start()
        with ThreadPoolExecutor(max_workers=max(1, len(others))) as pool:
            list(pool.map(PrivateNode.start, others))

    def close(self) -> None:
        """End every node and the mapper, and remove their folders."""
        for node in self.nodes:
            node.resume()
            node.kill()  # each would wait for the others to be told; nothing of theirs is kept
            node.close()
        mapper, self._mapper = self._mapper, None
        if mapper is not None:
            assert mapper.stdin is not None
            mapper.stdin.close()
            mapper.wait(_MAPPER_SECONDS)
            atexit.unregister(self.close)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _start_mapper(self) -> None:
        if self._mapper is not None:
            return
        self._mapper = subprocess.Popen(  # noqa: S603 - fixed words
            [*as_broker_user(), "/bin/sh", "-c", _SUPERVISOR, "supervisor", find_mapper(), str(self._mapper_port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # an interrupt at the keyboard is for us alone
        )
        atexit.register(self.close)
        until = time.monotonic() + _MAPPER_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._mapper_port), timeout=1):
                return
            time.sleep(_LOOK_SECONDS)
        raise BrokerUnavailable("the port mapper of the private cluster does not answer")
