"""A server program run as a child of its owner, and stopped with it, kill -9 of the owner included."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH = 100
LOG_LIMIT_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1

# Loaded before any fork: loading a library in the child of a threaded process can hang.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class EngineError(RuntimeError):
    """An engine that could not be started; the message says what happened and what to do."""


class Engine:
    """One server program with its files under `base`; `durable=False` trades safety for speed."""

    title = "engine"
    stop_signal = signal.SIGTERM

    def __init__(self, base: Path, *, durable: bool = True) -> None:
        self.base = base
        self.durable = durable
        self.owner: pwd.struct_passwd | None = None
        self.process: subprocess.Popen[bytes] | None = None
        base.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """Where the program writes; kept over restarts and cut when it grows past 10 MB."""
        return self.base / f"{self.title.lower()}.log"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the program and return when it answers; raises EngineError with its last words."""
        raise NotImplementedError

    def stop(self, seconds: float = 30) -> None:
        """Ask the program to end, wait, and kill it when it does not. Safe to call twice."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.stop_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def discard(self) -> None:
        """Stop the program and remove all its files."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def last_words(self, lines: int = 12) -> str:
        return "\n".join(read_tail(self.log).splitlines()[-lines:])

    def spawn(
        self, argv: Sequence[str | Path], env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()
    ) -> None:
        cut_log(self.log)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [os.fspath(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                env=env,
                start_new_session=True,
                pass_fds=pass_fds,
                preexec_fn=end_with_parent(self.stop_signal),
                **run_as(self.owner),
            )

    def wait_until(self, is_ready: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.is_running:
                code = self.process.returncode if self.process else None
                raise EngineError(f"{self.title} ended with code {code}. Its last lines:\n{self.last_words()}")
            if is_ready():
                return
            time.sleep(0.02)
        self.stop()
        raise EngineError(f"{self.title} was not ready after {seconds:.0f} s; see {self.log}")


def end_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: on Linux the kernel sends `sig` to the child when the spawning thread ends.

    Spawn from the main thread only. Elsewhere than on Linux it does nothing, and the next start
    finds and stops what was left.
    """
    parent = os.getpid()

    def ask_kernel() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
        if os.getppid() != parent:  # the owner died between fork and prctl
            os.kill(os.getpid(), sig)

    return ask_kernel


def run_as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    """The arguments of subprocess that drop root's rights to `owner`; none when there is no owner."""
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def find_in_wheel(package: str, *parts: str) -> Path:
    """A path inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(f"The package {package} is not installed: run ./rekindle again, it mends its environment.")
    return Path(spec.submodule_search_locations[0], *parts)


def make_socket_folder(base: Path, longest_name: str, owner: pwd.struct_passwd | None = None) -> Path:
    """A private folder for a Unix socket, under `base` unless its path would be too long for the system."""
    folder = base / "sock"
    if len(os.fsencode(folder / longest_name)) > LONGEST_SOCKET_PATH:
        tag = hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"rekindle-{os.geteuid()}-{tag}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    expected = {os.geteuid(), owner.pw_uid} if owner else {os.geteuid()}
    if folder.is_symlink() or folder.stat().st_uid not in expected:
        raise EngineError(f"{folder} belongs to somebody else: remove it, or set TMPDIR to a folder of yours.")
    folder.chmod(0o700)
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def read_command_line(pid: int) -> str:
    """The arguments of a running process, "" when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    found = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def read_tail(path: Path, limit_bytes: int = 8_000) -> str:
    """The end of a text file, "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def cut_log(path: Path) -> None:
    """Keep one older generation of a log that grew too long."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
