"""PostgreSQL and Valkey as children: they start, hold data, come back after a kill, and leave nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from retention_site.embedded.leftovers import read_birth
from retention_site.embedded.milestones import MIGRATED, forget, is_noted, note
from retention_site.embedded.postgres import Postgres
from retention_site.embedded.process import LONGEST_SOCKET_PATH, EngineError, make_socket_folder, read_command_line
from retention_site.embedded.state import ROOT, State
from retention_site.embedded.throwaway import sweep_abandoned, throwaway_engines
from retention_site.embedded.valkey import Valkey


@pytest.fixture
def folder() -> Iterator[Path]:
    """As root, PostgreSQL's user has to pass through; pytest's own folders are closed to others and long."""
    made = Path(tempfile.mkdtemp(prefix="rk-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def count_rows(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
    assert row is not None
    return int(row[0])


def keep_a_row(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("create table if not exists kept (id int)")
        connection.execute("insert into kept values (1)")


def test_throwaway_engines_answer_and_leave_nothing() -> None:
    with throwaway_engines() as engines:
        with psycopg.connect(engines.environment["DATABASE_URL"]) as connection:
            assert connection.execute("show fsync").fetchone() == ("off",)
            assert connection.execute("select lower('ÄÖ')").fetchone() == ("äö",)
        assert redis.from_url(engines.environment["REDIS_URL"]).ping()
        made = engines.folder
    assert not made.exists()


def test_folders_of_killed_runs_are_swept_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    for name, owner in (("rk-dead", f"{os.getpid()} 1"), ("rk-alive", f"{os.getpid()} {read_birth(os.getpid())}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "owner").write_text(owner)
    (tmp_path / "rk-unknown").mkdir()
    sweep_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rk-alive", "rk-unknown"]


def test_committed_rows_outlive_an_immediate_stop(folder: Path) -> None:
    postgres = Postgres(folder / "postgres")
    postgres.start()
    keep_a_row(postgres)
    postgres.crash()
    postgres.start()
    assert count_rows(postgres) == 1
    postgres.discard()


def test_rows_outlive_a_stop_and_the_second_start_makes_nothing_new(folder: Path) -> None:
    for expected in (1, 2):
        postgres = Postgres(folder / "postgres")
        postgres.start()
        assert postgres.is_new == (expected == 1)
        keep_a_row(postgres)
        assert count_rows(postgres) == expected
        postgres.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_engines_end_with_an_owner_that_is_killed_and_start_again(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from retention_site.embedded.postgres import Postgres; from retention_site.embedded.valkey import Valkey\n"
        "p, v = Postgres(Path(sys.argv[1]) / 'postgres'), Valkey(Path(sys.argv[1]) / 'valkey')\n"
        "p.start(); v.start(); print(p.process.pid, v.process.pid, flush=True); time.sleep(600)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert owner.stdout is not None
    children = [int(pid) for pid in owner.stdout.readline().split()]
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_until_gone(children)
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    postgres.start()
    valkey.start()
    keep_a_row(postgres)
    assert redis.from_url(valkey.url).ping()
    postgres.discard()
    valkey.discard()


def wait_until_gone(pids: list[int], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while any(read_command_line(pid) for pid in pids):
        assert time.monotonic() < end, "the engines outlived their owner"
        time.sleep(0.05)


def test_server_that_outlived_its_owner_is_ended_before_the_next_start(folder: Path) -> None:
    first = Postgres(folder / "postgres")
    first.start()
    second = Postgres(folder / "postgres")
    second.start()
    assert first.process is not None
    assert first.process.wait(10) == 0
    keep_a_row(second)
    second.discard()


def test_valkey_that_outlived_its_owner_is_ended_before_the_next_start(folder: Path) -> None:
    first, second = Valkey(folder / "valkey"), Valkey(folder / "valkey")
    first.start()
    redis.from_url(first.url).set("kept", "1")
    second.start()
    assert not first.is_running
    assert redis.from_url(second.url).get("kept") == b"1"
    second.discard()


def test_stale_pid_file_that_names_another_program_is_dropped(folder: Path) -> None:
    postgres = Postgres(folder / "postgres")
    postgres.start()
    keep_a_row(postgres)
    pid_file, lock_file = postgres.data / "postmaster.pid", postgres.sockets / ".s.PGSQL.5432.lock"
    contents = [path.read_text().splitlines() for path in (pid_file, lock_file)]
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    other = subprocess.Popen(["sleep", "600"], user=postgres.owner.pw_uid if postgres.owner else None)
    try:
        for path, lines in zip((pid_file, lock_file), contents, strict=True):
            path.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        postgres.start()
        assert count_rows(postgres) == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
        postgres.discard()


def test_interrupted_initdb_is_begun_again(folder: Path) -> None:
    postgres = Postgres(folder / "postgres")
    (postgres.base / "data.new" / "base").mkdir(parents=True)
    (postgres.base / "data").mkdir()
    (postgres.base / "data" / "half").touch()
    postgres.start()
    keep_a_row(postgres)
    postgres.discard()


def test_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    with_long_path = Postgres(deep / "postgres")
    with_long_path.start()
    assert len(os.fsencode(with_long_path.sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    keep_a_row(with_long_path)
    with_long_path.discard()
    with_long_path.sockets.rmdir()


def test_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    if os.geteuid() == 0:
        (folder / "sock").mkdir()
        os.chown(folder / "sock", 12345, 12345)
    else:
        (folder / "sock").symlink_to("/")
    with pytest.raises(EngineError, match="belongs to somebody else"):
        make_socket_folder(folder, "x.sock")


def test_engine_that_cannot_start_says_its_last_words(folder: Path) -> None:
    postgres = Postgres(folder / "postgres")
    with pytest.raises(EngineError, match="unrecognized configuration parameter"):
        postgres.start({"no_such_setting": "1"})
    assert not postgres.is_running
    postgres.discard()


def test_migrations_are_remembered_for_this_cluster_only(folder: Path) -> None:
    state = State(folder)
    postgres = Postgres(folder / "postgres")
    postgres.start()
    assert not is_noted(MIGRATED, state, postgres)
    note(MIGRATED, state, postgres)
    assert is_noted(MIGRATED, state, postgres)
    postgres.discard()
    again = Postgres(folder / "postgres")
    again.start()
    assert not is_noted(MIGRATED, state, again)
    note(MIGRATED, state, again)
    forget(MIGRATED, state)
    assert not is_noted(MIGRATED, state, again)
    again.discard()


def test_stop_kills_what_does_not_end_by_itself(folder: Path) -> None:
    valkey = Valkey(folder / "valkey")
    valkey.start()
    assert valkey.process is not None
    process = valkey.process
    process.send_signal(signal.SIGSTOP)
    valkey.stop(seconds=0.2)
    assert process.returncode == -signal.SIGKILL
