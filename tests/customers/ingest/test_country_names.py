"""Countries on reports: in the reader's language, whatever the shop writes."""

from __future__ import annotations

import pytest
from django.utils import translation

from customers.ingest.country_names import name_code, name_country


@pytest.mark.parametrize(
    ("written", "english", "chinese"),
    [
        ("United Kingdom", "United Kingdom", "英国"),
        ("UK", "United Kingdom", "英国"),
        ("de", "Germany", "德国"),
        ("USA", "United States", "美国"),
        ("France", "France", "法国"),
        ("日本", "Japan", "日本"),
        ("Middle-earth", "Middle-earth", "Middle-earth"),
        ("中土", "中土", "中土"),
        ("QQ", "QQ", "QQ"),
        ("", "", ""),
    ],
)
def test_a_country_is_named_in_the_readers_language(written: str, english: str, chinese: str) -> None:
    assert name_country(written) == english
    with translation.override("zh-hans"):
        assert name_country(written) == chinese
    with translation.override(None):
        assert name_country(written) == english


def test_a_code_is_told_as_the_country_it_stands_for() -> None:
    assert [name_code(code) for code in ("AT", "QQ", "")] == ["Austria", "QQ", ""]
    with translation.override("zh-hans"):
        assert name_code("AT") == "奥地利"
