"""The outbox in pages by key: everybody once, there and back, in any state, and counts that end."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.delivery import browsing
from campaigns.models import Archetype, Campaign, Message, Variant
from customers.models import Customer, Segment

pytestmark = pytest.mark.django_db
STATES = ["queued", "queued", "queued", "delivered", "bounced", "queued"]


@pytest.fixture
def messages(marketer: User) -> list[Message]:
    """Sixty of them in two campaigns, every sixth of which came back."""
    segment = Segment.objects.create(name="Norway", rule={"field": "country", "op": "is", "value": "Norway"})
    texts = []
    for name in ("spring", "autumn"):
        campaign = Campaign.objects.create(name=name, segment=segment, author=marketer, holdout_seed="5eed")
        archetype = Archetype.objects.create(campaign=campaign, cell="x", size=1)
        texts.append(Variant.objects.create(archetype=archetype, origin=Variant.Origin.PERSON, subject=name))
    made = []
    for number in range(60):
        customer = Customer.objects.create(external_id=f"c{number}", email=f"c{number}@x.test")
        text = texts[number % 2]
        values = {"campaign": text.archetype.campaign, "variant": text, "status": STATES[number % 6]}
        made.append(Message.objects.create(customer=customer, **values))
    return made


@pytest.mark.parametrize("counted", [1_000, 5])
@pytest.mark.parametrize("query", ["", "status=queued", "status=bounced", "campaign=1st", "campaign=1st&status=queued"])
def test_pages_show_every_message_once_there_and_back(
    client: Client, marketer: User, messages: list[Message], query: str, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "COUNTED", counted)
    monkeypatch.setattr("campaigns.views.outbox.PAGE_SIZE", 7)
    client.force_login(marketer)
    first = messages[0].campaign_id
    query = query.replace("1st", str(first))
    found = [message for message in reversed(messages) if "campaign" not in query or message.campaign_id == first]
    expected = [message.pk for message in found if "status" not in query or f"status={message.status}" in query]
    seen, pages, after = [], 0, ""
    while True:
        page = client.get(f"/outbox/?{query}&after={after}").context["page"]
        seen += [message.pk for message in page.messages]
        pages, after = pages + 1, page.later
        if not after:
            break
    assert seen == expected
    back, before = [], page.earlier
    while before:
        page = client.get(f"/outbox/?{query}&before={before}").context["page"]
        back = [message.pk for message in page.messages] + back
        before = page.earlier
    assert back == expected[: 7 * (pages - 1)]


def test_a_count_ends_where_nobody_counts_on(
    client: Client, marketer: User, messages: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(marketer)
    assert browsing.count_by_status() | {"queued": 40, "bounced": 10, "delivered": 10} == browsing.count_by_status()
    for module in ("campaigns.delivery.browsing", "campaigns.views.outbox"):
        monkeypatch.setattr(f"{module}.COUNTED", 12)
    text = client.get("/outbox/").content.decode()
    assert "Waiting (12+)" in text and "Came back (10)" in text


@pytest.mark.parametrize(
    "query", ["after=x", "before=9" * 30, "after=²", "status=none", "campaign=-1", "after=&before="]
)
def test_odd_addresses_show_a_page(client: Client, marketer: User, messages: list[Message], query: str) -> None:
    client.force_login(marketer)
    assert client.get(f"/outbox/?{query}").status_code == 200
