"""Days in the reader's own order: every format that a template uses is one that is translated."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.defaultfilters import date as write_date
from django.utils import translation

from retention_site.templatetags.dates import FORMATS, date

WHEN = dt.datetime(2026, 11, 29, 10, 36, 38, tzinfo=dt.UTC)


def test_every_format_with_a_month_or_a_weekday_is_translated() -> None:
    used: set[str] = set()
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        used |= set(re.findall(r'\bdate:"([^"]+)"', path.read_text(encoding="utf-8")))
    assert len(used) > 10
    words = {form for form in used if re.search(r"[DlMFN]", form) and not form.isupper()}
    assert words <= set(FORMATS), words - set(FORMATS)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_chinese_days_are_in_their_order(form: str) -> None:
    with translation.override("zh-hans"):
        shown = date(WHEN, form)
    assert "十一月" not in shown and shown != write_date(WHEN, form)
    assert "年" in shown or "Y" not in form
