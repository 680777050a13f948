"""`check_drafts FILE`: a JSON line for every line, whatever is in it, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

CORPUS = Path(__file__).parent / "drafts.jsonl"
ENTRY = json.loads(CORPUS.read_text("utf-8").splitlines()[0])


def run(path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    call_command("check_drafts", str(path))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_draft_gets_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(CORPUS, capsys)
    entries = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    assert [row["id"] for row in printed] == [entry["id"] for entry in entries]
    assert all(set(row) == {"id", "verdict", "findings"} for row in printed)
    assert {row["verdict"] for row in printed} <= {"pass", "warn", "block"}
    assert {row["verdict"] for row in printed if "-false-" in row["id"]} == {"block"}


def test_a_bad_line_is_an_error_object_and_the_rest_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(ENTRY).encode()
    bad = [
        b"{not json", b"[1, 2]", b'{"id": "no-facts", "draft": {}}', b'{"id": 7, "facts": {}, "draft": "text"}',
        b"\xff\xfe\x00", b'{"id": NaN}', b"[" * 100_000, b'"' + b"x" * 1_100_000 + b'"',
    ]  # fmt: skip
    path = tmp_path / "drafts.jsonl"
    path.write_bytes(b"\n".join([good, b"", *bad, good]))
    printed = run(path, capsys)
    assert len(printed) == len(bad) + 2
    assert [row["verdict"] for row in (printed[0], printed[-1])] == ["pass", "pass"]
    assert all(row["error"] and row["verdict"] == "block" for row in printed[1:-1])
    assert [row["id"] for row in printed[3:5]] == ["no-facts", 7]


def test_an_empty_file_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert run(tmp_path / "empty", capsys) == []


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("check_drafts", str(tmp_path / "none"))


def test_no_database_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(ENTRY) + "\n", encoding="utf-8")
    nowhere = {
        "DATABASE_URL": "postgresql://postgres@/none?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=1",
        "SECRET_KEY": "a-key-of-the-tests",
    }
    done = subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "check_drafts", str(path)],
        env=os.environ | nowhere, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["pass"]
