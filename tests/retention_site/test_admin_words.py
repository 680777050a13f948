"""The administration speaks one language at a time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import unfold
from django.contrib.auth.models import User
from django.test import Client
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


def test_the_list_of_people_says_their_roles(admin_client: Client, marketer: User) -> None:
    page = admin_client.get("/admin/auth/user/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert marketer.username in page and "人员与角色" in page and re.search(r">\s*营销\s*<", page)
