"""The administration speaks one language at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
import unfold
from django.utils import translation
from django.utils.translation import gettext

from retention_site.admin_words import UNFOLD_WORDS

SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for path in Path(unfold.__file__).parent.rglob("*")
    if path.suffix in {".html", ".py"}
)


@pytest.mark.parametrize("words", UNFOLD_WORDS)
def test_what_the_library_says_in_english_alone_is_translated(words: str) -> None:
    assert words[:40] in SOURCES, "the library does not say it any more"
    with translation.override("zh-hans"):
        assert gettext(words) != words
