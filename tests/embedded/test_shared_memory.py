"""Where /dev/shm cannot be written: one sentence says so, and everything works all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from retention_site.embedded.shared_memory import find_obstacle
from retention_site.embedded.state import ROOT

needs_dev_shm = pytest.mark.skipif(bool(find_obstacle()), reason="/dev/shm cannot be used on this machine at all")

#: A mount namespace of its own, in which /dev/shm is read-only; an ordinary user needs a user namespace for that.
AS_MYSELF = () if os.geteuid() == 0 else ("--user", "--map-current-user", "--keep-caps")
HARDEN = ("unshare", *AS_MYSELF, "--mount", "sh", "-c")
MOUNT = "mount -t tmpfs -o ro tmpfs /dev/shm && "


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="rk-shm-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def run_hardened(program: str, folder: Path) -> str:
    """What a Python program prints where /dev/shm is read-only."""
    if shutil.which("unshare") is None or subprocess.run([*HARDEN, MOUNT + "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a read-only /dev/shm")
    done = subprocess.run(
        [*HARDEN, MOUNT + 'exec "$@"', "sh", sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT), "FOLDER": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_sentence_says_so_and_work_runs_in_threads(folder: Path) -> None:
    program = "from retention_site.embedded.shared_memory import *; print(choose_pool(), tell_obstacle())"
    told = run_hardened(program, folder)
    assert told.startswith("('--pool', 'threads') /dev/shm cannot be used (Read-only file system): ")
    assert told.count("\n") == 1


@needs_dev_shm
def test_nothing_is_said_where_it_can_be_used() -> None:
    program = "from retention_site.embedded.shared_memory import *; print(choose_pool(), [tell_obstacle()])"
    told = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert told.stdout == "() ['']\n"


@needs_dev_shm
def test_a_cluster_that_was_made_with_it_starts_without_it(folder: Path) -> None:
    program = """
import os, pathlib, psycopg
from retention_site.embedded.postgres import Postgres
postgres = Postgres(pathlib.Path(os.environ["FOLDER"]))
postgres.start()
with psycopg.connect(postgres.url) as connection:
    print(connection.execute("show dynamic_shared_memory_type").fetchone()[0])
postgres.stop()
"""
    made = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT), "FOLDER": str(folder)},
        capture_output=True,
        text=True,
    )
    assert made.stdout == "posix\n", made.stderr
    assert run_hardened(program, folder) == "sysv\n"


@pytest.mark.slow
def test_a_worker_takes_tasks_without_it(folder: Path) -> None:
    """A whole pytest in the hardened namespace, with its real worker: the broker is cut off in mid-task."""
    program = """
import pytest, sys
sys.exit(pytest.main(["-p", "no:cacheprovider", "tests/retention_site/test_broker_loss.py", "-k", "cut_connection"]))
"""
    told = run_hardened(program, folder)
    assert "/dev/shm cannot be used (Read-only file system)" in told
    assert "1 passed" in told
