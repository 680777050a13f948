"""`check_drafts FILE`: a verdict per line, and nothing else on standard output."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

CORPUS = Path(__file__).with_name("drafts.jsonl")


def check(path: Path | str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("check_drafts", str(path), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_gets_its_verdict_without_a_database() -> None:
    entries = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    verdicts = check(CORPUS)
    assert [verdict["id"] for verdict in verdicts] == [entry["id"] for entry in entries]
    assert {verdict["verdict"] for verdict in verdicts} <= {"pass", "warn", "block"}
    assert all(verdict["findings"] for verdict in verdicts if verdict["verdict"] != "pass")


def test_a_finding_says_what_where_and_why(tmp_path: Path) -> None:
    entry = {"id": 7, "facts": {"percent": 10}, "draft": {"subject": "Hello", "preheader": "", "body": "Take 15% off."}}
    (tmp_path / "one.jsonl").write_text(json.dumps(entry))
    (verdict,) = check(tmp_path / "one.jsonl")
    assert verdict["id"] == 7 and verdict["verdict"] == "block"
    assert verdict["findings"][0].keys() == {"code", "verdict", "field", "message", "excerpt"}


def test_a_bad_line_says_so_and_the_others_are_checked(tmp_path: Path) -> None:
    good = json.dumps({"id": "good", "facts": {}, "draft": {"subject": "Hello", "body": "Good day."}}).encode()
    lines = [b"{bad", b"[]", b'{"id": 3}', b'{"id": 4, "facts": [], "draft": {}}', b"\xff\xfe", b"", good]
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join(lines))
    verdicts = check(tmp_path / "bad.jsonl")
    assert [verdict["id"] for verdict in verdicts] == [None, None, 3, 4, None, "good"]
    assert ["error" in verdict for verdict in verdicts] == [True] * 5 + [False]


def test_a_file_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        check(tmp_path / "nothing.jsonl")


def test_figures_count_what_was_expected_and_what_came(tmp_path: Path) -> None:
    false = {
        "expect": "block",
        "code": "percent",
        "facts": {"percent": 10},
        "draft": {"subject": "Hi", "body": "15% off."},
    }
    true = {
        "expect": "pass",
        "quiet": "percent",
        "facts": {"percent": 10},
        "draft": {"subject": "Hi", "body": "10% off."},
    }
    (tmp_path / "two.jsonl").write_text("\n".join(json.dumps(entry) for entry in (false, true, true)))
    out = io.StringIO()
    call_command("check_drafts", str(tmp_path / "two.jsonl"), "--figures", stdout=out)
    assert out.getvalue().splitlines() == [
        "false drafts: 1, of which blocked 1, warned 0",
        "true drafts: 2, of which blocked 0, warned 0",
        "doubtful drafts: 0, of which blocked 0, warned 0",
        "percent: found in 1 of 1, false alarms in 0 of 2 that look alike",
    ]


def test_half_a_character_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "half.jsonl").write_text(
        '{"id": "\\ud800", "facts": {}, "draft": {"subject": "\\udc00", "body": "Hello."}}'
    )
    (verdict,) = check(tmp_path / "half.jsonl")
    assert verdict["id"] == "?" and verdict["verdict"] == "block"
