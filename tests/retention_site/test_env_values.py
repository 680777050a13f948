"""Settings from the environment: what is left out, what is wrong, and what that is called."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from retention_site import env_values as values
from retention_site.embedded.state import ROOT


@pytest.mark.parametrize(
    ("read", "text", "result"),
    [
        (lambda name: values.read_text(name, "x"), " Tarnside ", "Tarnside"),
        (lambda name: values.read_text(name, "x"), "", "x"),
        (lambda name: values.read_number(name, 7), "", 7),
        (lambda name: values.read_number(name, 7), "3", 3),
        (lambda name: values.read_number(name, 0.5, most=1), "0.25", 0.25),
        (lambda name: values.read_flag(name), "Yes", True),
        (lambda name: values.read_flag(name, default=True), "", True),
        (lambda name: values.read_list(name), "a.test, b.test,", ["a.test", "b.test"]),
        (lambda name: values.read_choice(name, "INFO", ("INFO", "ERROR")), "error", "ERROR"),
        (lambda name: values.read_currency(name, "EUR"), "gbp", "GBP"),
        (lambda name: values.read_time_zone(name, "UTC"), "Asia/Shanghai", "Asia/Shanghai"),
    ],
)
def test_values_that_fit(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any], text: str, result: object
) -> None:
    monkeypatch.setenv("SOMETHING", text)
    assert read("SOMETHING") == result


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (lambda name: values.read_number(name, 7), "many", "a whole number, at least 0, not “many”"),
        (lambda name: values.read_number(name, 7), "2.5", "a whole number"),
        (lambda name: values.read_number(name, 0.1, most=1), "3", "a number, from 0 to 1, not “3”"),
        (lambda name: values.read_number(name, 0.1), "nan", "a number"),
        (lambda name: values.read_flag(name), "perhaps", "1 or 0, not “perhaps”"),
        (lambda name: values.read_choice(name, "a", ("a", "b")), "c", "one of a, b"),
        (lambda name: values.read_currency(name, "EUR"), "euro", "such as EUR"),
        (lambda name: values.read_time_zone(name, "UTC"), "Mars/Base", "such as Europe/London"),
        (lambda name: values.read_time_zone(name, "UTC"), "/etc/passwd", "such as Europe/London"),
    ],
)
def test_values_that_cannot_be_right_are_named(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any], text: str, words: str
) -> None:
    monkeypatch.setenv("SOMETHING", text)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read("SOMETHING")
    assert str(refusal.value).startswith("SOMETHING must be ")
    assert words in str(refusal.value)


def test_a_wrong_setting_gets_one_sentence_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"HOLDOUT_SHARE": "a tenth"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == "rekindle: HOLDOUT_SHARE must be a number, from 0 to 1, not “a tenth”.\n"
