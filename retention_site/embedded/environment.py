"""Make .venv from the hash-locked requirements. Runs before anything is installed: standard library only.

`environment.py ROOT STAMP`, called by ./rekindle when .venv/.stamp is not STAMP. Safe to run twice, by
several at once (they wait for one another), and after an interruption (a half-made .venv is made anew).
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished"


def main(root: Path, stamp: str) -> int:
    """Bring .venv up to date; returns the exit code, and prints one clear sentence when it cannot."""
    if not os.access(root, os.W_OK):
        print(f"{root} cannot be written by you: clone Rekindle into a folder of your own.", file=sys.stderr)
        return 1
    with hold_setup_lock(root):
        if read_text(root / ".venv" / ".stamp") == stamp:
            return 0  # somebody else has just done it
        started = time.monotonic()
        if not has_venv_module() and not install_venv_module():
            return 1
        if not install_in_place(root) and not install_anew(root):
            print("Rekindle's environment could not be installed; what pip said stands above.", file=sys.stderr)
            return 1
        (root / ".venv" / UNFINISHED).unlink()
        (root / ".venv" / ".stamp").write_text(stamp)
        say(f"the environment stands ({time.monotonic() - started:.0f} s)")
    return 0


@contextmanager
def hold_setup_lock(root: Path) -> Iterator[None]:
    """One set-up at a time per checkout. The lock is on a folder that is there anyway, and ends with us."""
    folder = os.open(root / "requirements", os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command is setting up the environment; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def has_venv_module() -> bool:
    return importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None


def install_venv_module() -> bool:
    """Debian splits `venv` out of Python: as root we install it, otherwise we print the line that does."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    is_default = os.path.realpath("/usr/bin/python3") == os.path.realpath(sys.executable)
    package = "python3-venv" if is_default else f"python{version}-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"Python's venv module is missing. Run: sudo apt-get install -y {package}", file=sys.stderr)
        return False
    say(f"installing {package} (Debian splits it out of Python)")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Update::Error-Mode=any"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*apt, "install", "-y", "--no-install-recommends", package]
    subprocess.run([*apt, "update"], env=quiet, check=False)
    done = subprocess.run(install, env=quiet, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        print(f"apt-get could not install {package}: install it, then start again.", file=sys.stderr)
    return done.returncode == 0


def install_in_place(root: Path) -> bool:
    """Update the .venv that is there; False when there is none of this Python, or it is half-made or broken."""
    venv = root / ".venv"
    if (venv / UNFINISHED).exists() or not is_of_this_python(venv):
        return False
    (venv / ".stamp").unlink(missing_ok=True)
    (venv / UNFINISHED).touch()
    return install_requirements(root)


def install_anew(root: Path) -> bool:
    venv = root / ".venv"
    say("making .venv and installing the locked packages (half a minute or more, 1.3 GB on the disk)")
    shutil.rmtree(venv, ignore_errors=True)
    venv.mkdir()
    (venv / UNFINISHED).touch()
    made = subprocess.run([sys.executable, "-m", "venv", venv], check=False)
    return made.returncode == 0 and install_requirements(root)


def is_of_this_python(venv: Path) -> bool:
    """Whether .venv was made for this folder by this version of Python, and its pip answers."""
    ask = "import sys, pip; print(*sys.version_info[:3], sep='.')"
    try:
        answer = subprocess.run([venv / "bin" / "python", "-c", ask], capture_output=True, text=True, check=False)
        scripts_name_this_folder = read_text(venv / "bin" / "pip").startswith(f"#!{venv}/bin/")
    except OSError:
        return False
    return answer.stdout.strip() == ".".join(map(str, sys.version_info[:3])) and scripts_name_this_folder


def install_requirements(root: Path) -> bool:
    """uv with hashes, ten times as fast; pip with hashes where uv cannot reach the index that pip is set up for."""
    python, lock = os.fspath(root / ".venv" / "bin" / "python"), os.fspath(root / "requirements" / "dev.txt")
    bootstrap = os.fspath(root / "requirements" / "bootstrap.txt")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--only-binary", ":all:", "--require-hashes"]
    if subprocess.run([*pip, *locked, "-r", bootstrap], check=False).returncode == 0:
        uv = [os.fspath(root / ".venv" / "bin" / "uv"), "pip", "install", "--quiet", "--python", python]
        env = os.environ | read_pip_settings(python) | {"UV_PYTHON_DOWNLOADS": "never"}
        if subprocess.run([*uv, *locked, "-r", lock], env=env, check=False).returncode == 0:
            return True
        say("uv could not install; trying pip, which takes a few minutes")
    return subprocess.run([*pip, *locked, "-r", lock], check=False).returncode == 0


def read_pip_settings(python: str) -> dict[str, str]:
    """pip's index, links and certificates in uv's words, because uv ignores pip's own configuration."""
    asked = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    words = {"index-url": "UV_DEFAULT_INDEX", "find-links": "UV_FIND_LINKS", "cert": "SSL_CERT_FILE"}
    settings = {}
    for line in asked.stdout.splitlines():
        key, _, value = line.partition("=")
        name = words.get(key.rpartition(".")[2].lower())
        if name and name not in os.environ:
            settings[name] = value.strip().strip("'\"")
    return settings


def read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def say(text: str) -> None:
    print(f"rekindle: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit("interrupted; the next call starts the set-up again")
