"""The small commands: what they refuse, and what they need no engines for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

from retention_site.embedded.commands import catalogues
from retention_site.embedded.state import ROOT


def run_command(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_URL")}
    return subprocess.run(
        [sys.executable, "-P", "-m", f"retention_site.embedded.commands.{name}", *arguments],
        env=environment | {"REKINDLE_VAR": str(folder / "var"), "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_unknown_benchmark_is_told_the_known_ones(tmp_path: Path) -> None:
    done = run_command("bench", "nonsense", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: ./rekindle bench NAME" in done.stderr


def test_check_takes_no_arguments(tmp_path: Path) -> None:
    done = run_command("check", "nonsense", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "usage: ./rekindle check    (it takes no arguments)\n"


@pytest.mark.parametrize(("command", "answer"), [("version", "5.2"), ("check", "System check identified no issues")])
def test_command_without_database_starts_no_engine_and_no_module_of_the_callers_folder(
    tmp_path: Path, command: str, answer: str
) -> None:
    (tmp_path / "django.py").write_text("raise SystemExit('the wrong django')")
    done = run_command("manage", command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(answer)
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["secret_key"]


def write_catalogue(folder: Path, entries: dict[str, str], compiled: dict[str, str] | None) -> Path:
    folder = folder / "app" / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    for name, writer, messages in (("django.po", write_po, entries), ("django.mo", write_mo, compiled)):
        if messages is not None:
            catalogue = Catalog(locale="zh_Hans")
            for key, value in messages.items():
                catalogue.add(key, value)
            with (folder / name).open("wb") as file:
                writer(file, catalogue)
    return folder / "django.po"


@pytest.mark.parametrize(
    ("written", "compiled", "fault"),
    [
        ({"Home": "首页"}, {"Home": "首页"}, ""),
        ({"Home": "首页"}, {"Home": "主页"}, "not compiled as it stands"),
        ({"Home": ""}, {}, "not translated"),
        ({"Home": "首页"}, None, "not compiled; run"),
    ],
)
def test_catalogue_faults_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: dict[str, str],
    compiled: dict[str, str] | None,
    fault: str,
) -> None:
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    faults = list(catalogues.find_faults(write_catalogue(tmp_path, written, compiled)))
    assert len(faults) == (1 if fault else 0)
    assert not fault or fault in faults[0]
