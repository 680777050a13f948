"""Findings are kept in English and told in the language of whoever reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import override

from campaigns.content import checks
from campaigns.content.told import WITH_VALUES, tell_finding
from campaigns.models import Variant
from tests.campaigns.arrange import NOW, make_campaign, make_cast, make_customers, make_variant

CONTENT = Path(checks.__path__[0]).parent


@pytest.mark.django_db
def test_a_chinese_reader_is_told_in_chinese_what_an_english_writer_was_told(client: Client) -> None:
    campaign = make_campaign(make_cast().marketer, make_customers(1))
    text = Variant.objects.select_related("archetype__campaign").get()
    with override("zh-hans"):
        make_variant(text.archetype, campaign.author, now=NOW, opening="Take 50% off everything.", subject="x" * 80)
    text.refresh_from_db()
    kept = [str(row["message"]) for row in text.findings]
    assert kept and all(message.isascii() for message in kept)
    client.force_login(campaign.author)
    for path in (f"/variants/{text.pk}/", f"/campaigns/{campaign.pk}/messages/"):
        for language, is_chinese in (("en", False), ("zh-hans", True)):
            page = client.get(path, headers={"accept-language": language}).content.decode()
            assert any(message.split("; ")[0] in page for message in kept) is not is_chinese, (path, language)


def test_values_are_put_into_the_sentence_of_the_other_language() -> None:
    kept = "The subject has 80 characters; mail programs show about 60."
    with override("en"):
        assert tell_finding(kept) == kept
    with override("zh-hans"):
        told = tell_finding(kept)
    assert "80" in told and "60" in told and "characters" not in told
    assert tell_finding("Nobody ever said this.") == "Nobody ever said this."
    assert tell_finding("") == ""


def test_every_finding_with_values_in_it_is_known() -> None:
    """A new one that is missing here would be told in English to everybody."""
    sources = [*CONTENT.glob("checks/*.py"), *CONTENT.glob("channels/*.py")]
    found = {
        message
        for source in sources
        for message in re.findall(r'\b_\(\s*"((?:[^"\\]|\\.)*%\((?:[^"\\]|\\.)*)"', source.read_text(encoding="utf-8"))
    }
    assert found - set(WITH_VALUES) == set()
