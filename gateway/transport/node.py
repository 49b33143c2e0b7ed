"""A private RabbitMQ node for the demo, the tests and the bench, made from the distribution's package.

Everything about it is its own: folder, node name, user and secret, and free ports on the loopback for AMQP, for
distribution and for its port mapper (epmd). Nothing shared is read or touched. It ends with `stop`, at exit, and also
when this process is killed: a supervising shell holds the other end of a pipe and ends the node when the pipe breaks.
"""

import atexit
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import BrokerUnavailable
from gateway.transport.installed import as_broker_user, broker_user, ensure_server, find_mapper

_USER = "gateway"
_LOOK_SECONDS = 0.05  # pause between two looks at a starting or dying node
_DYING_SECONDS = 10  # a large node needs a moment to give back its memory

# Standard input is the pipe to us; it breaks when we end, however we end. The node and its port mapper run beside it.
_SUPERVISOR = """
exec 3<&0 </dev/null
epmd_path=$1; epmd_port=$2; shift 2
epmd=
if [ -n "$epmd_path" ]; then
    "$epmd_path" -port "$epmd_port" -address 127.0.0.1 3<&- &
    epmd=$!
fi
"$@" 3<&- &
node=$!
( read -r _ <&3; kill -TERM "$node" ) 2>/dev/null &
watch=$!
wait "$node"
code=$?
kill $epmd "$watch" 2>/dev/null
exit "$code"
"""


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback; all are held until all are known, so that they differ."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def password_hash(password: str) -> str:
    """Hash as RabbitMQ does: 4 bytes of salt, SHA-256 over salt and password, base64 of salt and hash."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions(password: str, vhosts: Sequence[str]) -> str:
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    user = {"name": _USER, "password_hash": password_hash(password), "tags": "administrator"}
    return json.dumps(
        {
            "users": [user | {"hashing_algorithm": "rabbit_password_hashing_sha256"}],
            "vhosts": [{"name": name} for name in vhosts],
            "permissions": [{"user": _USER, "vhost": name} | rights for name in vhosts],
        }
    )


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _method(channel: int, class_id: int, method_id: int, arguments: bytes) -> bytes:
    return struct.pack(">BHIHH", 1, channel, 4 + len(arguments), class_id, method_id) + arguments + b"\xce"


def _answers(port: int, password: str, vhost: str, seconds: float) -> bool:
    """Say whether a client can open `vhost`: the ports listen before users and hosts are there."""
    login = f"\0{_USER}\0{password}".encode()
    start_ok = struct.pack(">I", 0) + _short("PLAIN") + struct.pack(">I", len(login)) + login + _short("en_US")
    steps = (  # what we say, and the method the broker answers with
        (b"AMQP\0\0\x09\x01", (10, 10)),
        (_method(0, 10, 11, start_ok), (10, 30)),
        (_method(0, 10, 31, struct.pack(">HIH", 2047, 131072, 0)) + _method(0, 10, 40, _short(vhost) + b"\0\0"), (10, 41)),
        (_method(0, 10, 50, struct.pack(">H", 200) + _short("") + b"\0\0\0\0"), (10, 51)),
    )
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire, wire.makefile("rb") as replies:
            for said, wanted in steps:
                wire.sendall(said)
                kind, _, length = struct.unpack(">BHI", replies.read(7))
                frame = replies.read(length + 1)
                if kind != 1 or struct.unpack(">HH", frame[:4]) != wanted:
                    return False
    except (OSError, struct.error):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a node has in common with the others of its cluster; without one it stands alone."""

    name: str  # of this node
    first: str  # name of the node that the others join at their first start
    epmd_port: int  # of a port mapper that outlives each single node
    cookie: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTls:
    """Files (PEM) by which a node speaks TLS, and knows its clients: it asks each for a certificate of `ca`."""

    ca: Path
    certificate: Path
    key: Path


class PrivateNode:
    """One RabbitMQ node of our own.

    `start` and `stop` may be repeated: messages stay. `close`, or leaving the `with` block, removes everything.
    """

    def __init__(
        self,
        *,
        vhosts: Sequence[str] = ("gateway",),
        plugins: Sequence[str] = (),
        member: Membership | None = None,
        tls: NodeTls | None = None,
        install: bool = True,
        start_seconds: float = 90,
    ) -> None:
        """Prepare a node with these virtual hosts and plugins. Nothing is touched before `start`.

        With `tls` it listens for TLS too, and a client may log in by the name in its certificate (auth=external).

        Raises `BrokerMissing` when RabbitMQ is missing and cannot be installed.
        """
        self._server = ensure_server(install=install)
        self._vhosts = tuple(vhosts)
        self._start_seconds = start_seconds
        self._plugins = (*plugins, *(["rabbitmq_auth_mechanism_ssl"] if tls else []))
        self._tls = tls
        self._tls_port = 0
        self._member = member
        self._password = member.password if member else secrets.token_urlsafe(18)
        self._name = member.name if member else f"gateway-{secrets.token_hex(4)}@localhost"
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = self._dist_port = self._epmd_port = 0

    @property
    def url(self) -> str:
        """AMQP URL of the first virtual host."""
        return self.url_of(self._vhosts[0])

    def url_of(self, vhost: str) -> str:
        """Return the AMQP URL of one virtual host."""
        return f"amqp://{_USER}:{self._password}@127.0.0.1:{self._port}/{vhost}"

    @property
    def tls_port(self) -> int:
        """Port of the loopback for TLS; known once the node was started with it."""
        return self._tls_port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients find the node; known once it was started."""
        return "127.0.0.1", self._port

    @property
    def running(self) -> bool:
        """Whether the node's process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the node and wait until a client can log in.

        Raises `BrokerUnavailable` when it does not answer in time.
        """
        if self.running:
            return
        folder = self._prepare()
        mapper = "" if self._member else find_mapper()
        script = ["/bin/sh", "-c", _SUPERVISOR, "supervisor", mapper, str(self._epmd_port)]
        with (folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell text from outside
                [*as_broker_user(), *script, str(self._server)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=self._environment(folder),
                start_new_session=True,  # one group to signal; an interrupt at the keyboard is for us alone
            )
        atexit.register(self.close)
        until = time.monotonic() + self._start_seconds
        while not all(_answers(self._port, self._password, vhost, 2) for vhost in self._vhosts):
            ended = self._process.poll()
            if ended is not None or time.monotonic() > until:
                tail = (folder / "output.txt").read_text(errors="replace")[-800:]
                self.kill()
                what = "did not answer in time" if ended is None else f"ended with code {ended}"
                raise BrokerUnavailable(f"the private RabbitMQ node {what}; its last words: {tail}")
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """Stop the node in order; its messages stay for the next `start`."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the supervisor ends the node
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            _end_at_once(process)

    def kill(self) -> None:
        """End the node at once, as a power cut would; its confirmed messages stay."""
        process, self._process = self._process, None
        if process is None:
            return
        _end_at_once(process)
        if process.stdin is not None:
            process.stdin.close()

    def pause(self) -> None:
        """Freeze the node: connections stay open and nothing answers."""
        if self._process is not None:
            _signal(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen node go on."""
        if self._process is not None:
            _signal(self._process, signal.SIGCONT)

    def control(self, *words: str, said: str = "") -> str:
        """Give the running node an order through `rabbitmqctl`, with `said` on its standard input; return what it printed.

        Raises `BrokerUnavailable` when the order fails.
        """
        assert self._folder is not None, "the node was never started"
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [*as_broker_user(), str(self._server.parent / "rabbitmqctl"), "--quiet", *words],
            cwd=self._folder,
            env=self._environment(self._folder),
            capture_output=True,
            encoding="utf-8",
            check=False,
            input=said,
            timeout=self._start_seconds,
        )
        if done.returncode != 0:
            raise BrokerUnavailable(f"rabbitmqctl {words[0]} ended with code {done.returncode}: {done.stderr[-800:]}")
        return done.stdout

    def close(self) -> None:
        """Stop the node and remove its folder."""
        self.resume()
        self.stop()
        atexit.unregister(self.close)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _prepare(self) -> Path:
        """Make folder, ports and configuration once; a second start uses the same."""
        if self._folder is not None:
            return self._folder
        folder = Path(tempfile.mkdtemp(prefix="gateway-rabbitmq-"))
        self._port, self._dist_port, own_mapper, self._tls_port = free_ports(4)
        self._epmd_port = self._member.epmd_port if self._member else own_mapper
        (folder / "definitions.json").write_text(_definitions(self._password, self._vhosts))
        (folder / "enabled_plugins").write_text(f"[{','.join(self._plugins)}].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self._port}\n"
            f"load_definitions = {folder}/definitions.json\n"
            f"default_vhost = {self._vhosts[0]}\n"
            "log.file.level = warning\n"
            "log.console = false\n"
            "disk_free_limit.absolute = 50MB\n"
            + (_joining(self._member) if self._member else "")
            + (_speaking_tls(self._tls, folder, self._tls_port) if self._tls else "")
        )
        if self._member:
            cookie = folder / ".erlang.cookie"
            cookie.write_text(self._member.cookie)
            cookie.chmod(0o400)
        owner = broker_user()
        if owner is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._folder = folder
        return folder

    def _environment(self, folder: Path) -> dict[str, str]:
        return {
            "PATH": f"{self._server.parent}:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin:/opt/homebrew/bin",
            "HOME": str(folder),  # Erlang keeps its cookie there
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node instead of a parent that waits for it
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-such-file"),  # not the shared one under /etc
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "no-such-file.config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # Of rabbitmqctl, which is a node of its own for a moment: away from the ports that everybody's uses.
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
            "RABBITMQ_CTL_DIST_PORT_MIN": "40000",
            "RABBITMQ_CTL_DIST_PORT_MAX": "60000",
        }


def _joining(member: Membership) -> str:
    """Return the lines of a node's configuration by which it finds its cluster.

    A node that sees less than half of the others stops serving until it sees them again: it could confirm nothing.
    """
    return (
        "cluster_formation.peer_discovery_backend = classic_config\n"
        f"cluster_formation.classic_config.nodes.1 = {member.first}\n"
        "cluster_partition_handling = pause_minority\n"
    )


def _speaking_tls(tls: NodeTls, folder: Path, port: int) -> str:
    """Copy the files to where the node may read them; return the lines of its configuration."""
    lines = [f"listeners.ssl.local = 127.0.0.1:{port}", "ssl_options.verify = verify_peer"]
    for option, file in (("cacertfile", tls.ca), ("certfile", tls.certificate), ("keyfile", tls.key)):
        lines.append(f"ssl_options.{option} = {shutil.copy(file, folder / f'{option}.pem')}")
    lines += ["ssl_options.fail_if_no_peer_cert = true", "ssl_cert_login_from = common_name"]
    lines += [f"auth_mechanisms.{number} = {name}" for number, name in enumerate(("PLAIN", "AMQPLAIN", "EXTERNAL"), 1)]
    return "\n".join(lines) + "\n"


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the group that `start` made: supervisor, node and port mapper, and nothing else."""
    if process.poll() is None:
        os.killpg(process.pid, number)


def _end_at_once(process: subprocess.Popen[bytes]) -> None:
    """Kill the group and wait until its ports and files are free again; only the supervisor is ours to reap."""
    _signal(process, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + _DYING_SECONDS
    while time.monotonic() < until:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(_LOOK_SECONDS)
