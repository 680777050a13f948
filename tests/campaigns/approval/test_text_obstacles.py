"""Missing texts: each by its name, or many in one sentence."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from campaigns.approval.text_obstacles import find_text_obstacles
from campaigns.models import Archetype, Variant
from tests.campaigns import arrange

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("more", "sentences"), [(2, 3), (5, 1)])
def test_many_missing_texts_are_one_sentence(marketer: User, more: int, sentences: int) -> None:
    campaign = arrange.make_campaign(marketer, arrange.make_customers(2))
    Variant.objects.all().delete()
    for number in range(more):
        Archetype.objects.create(campaign=campaign, cell=f"overdue|tents{number}|en", language="en", size=2)
    told = find_text_obstacles(campaign)
    assert len(told) == sentences
    assert ("no text yet" if sentences > 1 else f"{more + 1} texts are missing") in told[0]
