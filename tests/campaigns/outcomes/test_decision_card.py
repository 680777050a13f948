"""How a message came about is told from what was stored then, whatever has changed since."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.test import Client

from campaigns.models import Approval, AudienceMember, Campaign, Message
from campaigns.outcomes.decision_card import read_draft_card, read_message_card
from customers.models import Customer, ModelVersion, Score, ScoreHistory, SegmentRevision
from customers.segments.editing import save_segment
from llm.models import LlmCall
from tests.campaigns.arrange import NOW, make_campaign, make_cast, schedule

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
RULE = {"match": "all", "rules": [{"field": "country", "op": "in", "value": ["Scotland"]}]}
REASON = {"feature": "recency_days", "theme": "rhythm", "value": 64.0, "average": 40.0, "typical": 41.0, "points": 22.0}


@pytest.fixture
def campaign() -> Campaign:
    """Scheduled; its people had a score of .8 with a reason on the day of the freeze, and .3 a day later."""
    cast = make_cast()
    campaign = make_campaign(cast.marketer)
    save_segment(user=cast.marketer, name="Scots", rule=RULE, now=NOW - DAY, segment=campaign.segment)
    model = ModelVersion.objects.create(
        version=3, estimator="blend", status="champion", horizon_days=90, trained_at=NOW, data_from=NOW,
        data_until=NOW, artifact=b"",
    )  # fmt: skip
    for customer in Customer.objects.all():
        for as_of, probability, reasons in ((NOW - DAY, 0.8, [REASON]), (NOW + DAY, 0.3, [])):
            said = {"model": model, "churn_probability": probability, "as_of": as_of, "reasons": reasons}
            ScoreHistory.objects.create(customer=customer, **said)
        Score.objects.create(customer=customer, model=model, as_of=NOW + DAY, churn_probability=0.3)
    AudienceMember.objects.filter(campaign=campaign).update(churn_probability=0.8)
    return schedule(campaign, cast)


def queue_one(campaign: Campaign) -> Message:
    variant = campaign.archetypes.get().variants.get()
    customer = Customer.objects.earliest("pk")
    return Message.objects.create(campaign=campaign, customer=customer, variant=variant)


def test_a_message_tells_the_rule_the_score_and_the_reasons_of_that_day(campaign: Campaign) -> None:
    message = queue_one(campaign)
    save_segment(
        user=make_cast().marketer, name="Scots", rule={**RULE, "match": "any"}, now=NOW + DAY, segment=campaign.segment
    )

    card = read_message_card(message)

    assert card.choice.revision == SegmentRevision.objects.get(saved_at=NOW - DAY).number
    assert "Scotland" in card.choice.rule
    assert card.person is not None
    assert (card.person.churn_probability, card.person.model) == (0.8, "churn v3")
    assert card.person.scored_at == NOW - DAY
    assert [reason.share for reason in card.person.reasons] == [0.22]
    assert "64 days" in card.person.reasons[0].sentence


def test_approvals_are_those_that_held_when_it_was_sent(campaign: Campaign) -> None:
    message = queue_one(campaign)
    message.sending_at = NOW + dt.timedelta(minutes=5)
    message.save()
    assert {each.who for each in read_message_card(message).approvals} == {"ava"}
    count = len(read_message_card(message).approvals)

    Approval.objects.update(voided_at=NOW + dt.timedelta(hours=1))
    assert len(read_message_card(message).approvals) == count == 4
    Approval.objects.update(voided_at=NOW + dt.timedelta(minutes=1))
    assert read_message_card(message).approvals == []


def test_a_draft_tells_its_prompt_and_counts_what_was_masked(campaign: Campaign) -> None:
    variant = campaign.archetypes.get().variants.get()
    call = LlmCall.objects.create(
        completion_id=uuid.uuid4(), purpose="draft", prompt_name="draft-email", prompt_version="4",
        masked_request={"messages": [{"content": "[NAME_1] asks [NAME_2] of [EMAIL_1]; [NAME_1] again"}]},
        created_at=NOW, keep_until=NOW + DAY,
    )  # fmt: skip
    variant.llm_request_id, variant.prompt_name, variant.prompt_version = call.request_id, "draft-email", "4"
    variant.drafted_text = {"subject": "Your jacket misses you", "opening": "Something else"}

    card = read_draft_card(variant)

    assert card.person is None
    assert card.text.prompt == "draft-email v4"
    assert card.text.masked == {"NAME": 2, "EMAIL": 1}
    assert card.text.changed_slots == ["opening"]
    call.delete()
    assert read_draft_card(variant).text.masked is None


def test_the_pages_show_the_card_and_only_to_those_who_may(campaign: Campaign, client: Client) -> None:
    message = queue_one(campaign)
    addresses = (f"/outbox/{message.pk}/decision/", f"/variants/{message.variant_id}/decision/")
    assert [client.get(address).status_code for address in addresses] == [302, 302]
    client.force_login(make_cast().marketer)
    pages = [client.get(address).content.decode() for address in addresses]
    assert "64 days" in pages[0]
    assert all("Scotland" in page and "BACK10" in page for page in pages)
    assert addresses[0] in client.get(f"/outbox/{message.pk}/").content.decode()
