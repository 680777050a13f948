"""The state folder, `.env`, and the sharing of engines between commands."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from retention_site.embedded.leftovers import end_leftovers, note_children
from retention_site.embedded.process import EngineError
from retention_site.embedded.sharing import (
    announce_engines,
    read_owner,
    send_guests_home,
    take_ownership,
    visit_engines,
)
from retention_site.embedded.state import ROOT, State, find_state, make_secret_key, parse_dotenv, read_environment


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def test_dotenv_is_read_and_never_executed() -> None:
    text = """
    # a comment
    export PORT=9000
    SHOP_NAME="Fernweh & Fell # not a comment"
    LLM_MODEL=qwen # a comment
    EMPTY=
    ALSO_EMPTY= # nothing
    SHOP_URL='https://x.test/?a=b#c'
    SECRET_KEY=$(touch /tmp/never)
    """
    assert parse_dotenv(text) == {
        "PORT": "9000",
        "SHOP_NAME": "Fernweh & Fell # not a comment",
        "LLM_MODEL": "qwen",
        "SHOP_URL": "https://x.test/?a=b#c",
        "SECRET_KEY": "$(touch /tmp/never)",
    }


@pytest.mark.parametrize("line", ["no equals sign", "=value", "A B=c", "rm -rf=1"])
def test_bad_line_in_dotenv_is_named(line: str) -> None:
    with pytest.raises(EngineError, match="line 2"):
        parse_dotenv(f"A=1\n{line}\n")


def test_environment_wins_over_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SHOP_NAME=from file\nPORT=9000\n")
    monkeypatch.setenv("SHOP_NAME", "from environment")
    monkeypatch.delenv("PORT", raising=False)
    environment = read_environment(tmp_path)
    assert (environment["SHOP_NAME"], environment["PORT"]) == ("from environment", "9000")


def test_the_example_sets_nothing_and_each_of_its_lines_can_be_taken_in() -> None:
    """That it lists every setting is the architecture tests' to say."""
    example = (ROOT / ".env.example").read_text()
    assert parse_dotenv(example) == {}
    lines = re.findall(r"^#([A-Z_]+=.+)$", example, re.MULTILINE)
    assert len(lines) > 50
    for line in lines:
        assert parse_dotenv(line), line


def test_secret_key_is_made_once_and_private(state: State) -> None:
    key = make_secret_key(state)
    assert len(key) >= 50
    assert make_secret_key(state) == key
    assert stat.S_IMODE((state.folder / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in state.folder.iterdir()] == ["secret_key"]


def test_state_folder_that_cannot_be_made_gets_a_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="set REKINDLE_VAR"):
        find_state({"REKINDLE_VAR": str(tmp_path / "file" / "var")})


def test_only_one_owns_the_engines(state: State) -> None:
    first = take_ownership(state)
    assert first is not None
    assert take_ownership(state) is None
    os.close(first)
    second = take_ownership(state)
    assert second is not None
    os.close(second)


def test_guest_gets_the_addresses_and_keeps_the_owner_waiting(state: State) -> None:
    handle = take_ownership(state)
    assert handle is not None
    announce_engines(state, "run", {"DATABASE_URL": "postgresql:///x", "PATH": "/bin"})
    said: list[str] = []
    with visit_engines(state) as owner:
        assert owner is not None
        assert (owner.command, owner.environment) == ("run", {"DATABASE_URL": "postgresql:///x"})
        with send_guests_home(state, 0.2, said.append):
            assert said[-1].startswith("the other command goes on too long")
    with send_guests_home(state, 0.2, said.append), visit_engines(state) as late:
        assert late is None
    os.close(handle)
    assert stat.S_IMODE(state.guests.stat().st_mode) == 0o600


def test_addresses_of_a_killed_owner_are_not_used(state: State) -> None:
    announce_engines(state, "run", {"DATABASE_URL": "postgresql:///x"})
    with visit_engines(state) as owner:
        assert owner is None
    handle = take_ownership(state)
    assert handle is not None
    assert read_owner(state) is None
    os.close(handle)


def test_leftovers_are_ended_and_strangers_left_alone(state: State) -> None:
    left, stranger = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    try:
        note_children(state.children, {"worker": left.pid, "web": stranger.pid})
        noted = json.loads(state.children.read_text())
        noted["web"]["born"] = "1"  # the number now belongs to a program that was born at another time
        state.children.write_text(json.dumps(noted))
        said: list[str] = []
        end_leftovers(state.children, said.append)
        assert left.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert [line.split()[1] for line in said] == ["worker"]
        end_leftovers(state.children, said.append)
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()
