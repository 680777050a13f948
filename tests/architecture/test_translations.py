"""The Chinese catalogue: complete, compiled as it stands, and no text in the code that it does not know."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.utils import translation
from pytest_django import Settings

from retention_site.embedded.commands.catalogues import find_faults
from retention_site.management.commands.makemessages import LEFT_OUT

WHERE = Path("retention_site/locale/zh_Hans/LC_MESSAGES/django.po")
CATALOGUE = Path(settings.BASE_DIR) / WHERE
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{\{.*?\}\}|\{%.*?%\}|\{\w*\}|</?\w[^>]*>")


def test_everything_is_translated_and_compiled_as_it_stands() -> None:
    assert list(find_faults(CATALOGUE)) == []


def test_placeholders_and_tags_are_the_same_on_both_sides() -> None:
    with CATALOGUE.open("rb") as file:
        written = read_po(file)
    wrong = []
    for message in written:
        # Chinese has one form for all numbers, so it answers the plural.
        source = message.id if isinstance(message.id, str) else message.id[-1]
        strings = [message.string] if isinstance(message.string, str) else message.string
        if source and any(sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(s)) for s in strings):
            wrong.append((source, strings))
    assert wrong == []


def test_every_text_in_the_code_is_in_the_catalogue(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("xgettext") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("xgettext is missing: install gettext, or a text without translation goes unseen")
        pytest.skip("xgettext is missing; with gettext installed this finds texts without translation")
    _copy_sources(Path(settings.BASE_DIR), tmp_path)
    settings.LOCALE_PATHS = [tmp_path / "retention_site" / "locale"]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", verbosity=0)
    extracted, known = _read_ids(tmp_path / WHERE), _read_ids(CATALOGUE)
    hint = "run ./rekindle manage makemessages, translate, then ./rekindle manage compilemessages"
    assert not extracted - known, f"not in the catalogue; {hint}"
    assert not known - extracted, f"no longer in the code; {hint}"


def test_days_are_written_in_the_readers_order() -> None:
    from datetime import date

    from django.template import Context, Template

    day = Template('{{ day|date:"j M Y" }}')
    assert day.render(Context({"day": date(2026, 9, 3)})) == "3 Sep 2026"
    with translation.override("zh-hans"):
        assert day.render(Context({"day": date(2026, 9, 3)})) == "2026年9月3日"


def _copy_sources(root: Path, target: Path) -> None:
    """The packages and templates; extraction writes working files beside what it reads."""
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in LEFT_OUT and not folder.name.startswith("."):
            shutil.copytree(folder, target / folder.name, ignore=shutil.ignore_patterns("__pycache__", "static"))


def _read_ids(path: Path) -> set[tuple[str, str]]:
    with path.open("rb") as file:
        messages = list(read_po(file))
    return {(m.context or "", m.id if isinstance(m.id, str) else m.id[0]) for m in messages if m.id}
