"""Nothing of any person in the bytes that reach a model: a canary in every column, every purpose that calls a model."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from campaigns import tasks as campaign_tasks
from campaigns.approval.workflow import refreeze_audience
from campaigns.content.drafting import request_drafts, request_text, request_translation
from campaigns.content.evaluation import evaluate_prompts
from campaigns.content.golden import read_golden_briefs
from campaigns.content.voice_trials import draft_for_trial
from campaigns.models import Archetype, Campaign, DraftStatus, Variant
from customers import tasks as customer_tasks
from customers.features.interests.texts import queue_texts, switch_reading
from customers.ingest.recorder import NewEvent, record_events
from customers.models import (
    Channel,
    Customer,
    ModelVersion,
    PrivacyRequest,
    Product,
    Segment,
    TextReading,
    ensure_event_partitions,
)
from customers.segments.in_words.proposing import CannotPropose, propose_rule
from llm.client.batches import hand_over_waiting, look_after_batches
from llm.models import LlmCall
from llm.status import try_connection
from retention_site.model_settings import PURPOSES
from support.answers.knowledge import save_article
from support.answers.suggesting import suggest_answer
from support.inbox.opening import Incoming
from support.models import TicketChannel
from support.triage.deciding import receive
from support.triage.reading import read_ticket
from tests.campaigns.arrange import make_campaign
from tests.llm.batch_server import BatchServer
from tests.model_server import ModelServer, Step, answer, answer_for, find_schema

from .canaries import Haystack, Planter, all_words, list_personal_models, make_canary

PEOPLE = 24
TEXT_KINDS = {
    "review_written": "text", "ticket_opened": "message", "complaint_opened": "body", "search_performed": "query",
}  # fmt: skip
INSTRUCTION = "Say that {email} and +44 20 7946 0812 may call us."


@pytest.mark.parametrize("word", ["zqkanarienv", "zqkanarienv金丝", "7391553.37", "Zoë Kanariová"])
def test_the_search_finds_every_way_of_writing(word: str) -> None:
    raw = word.encode()
    ways = [
        word, word.upper(), quote(word, safe=""), quote(word, safe="").lower(), raw.hex().upper(), json.dumps(word),
        json.dumps(json.dumps(word)), "".join(f"\\u{ord(sign):04X}" for sign in word),
        *(base64.b64encode(before + raw + after).decode() for before in (b"", b"a", b"ab") for after in (b"", b"c", b"cd")),
        base64.urlsafe_b64encode(b"a" + raw).decode(), base64.b64encode(word.upper().encode()).decode(),
    ]  # fmt: skip
    for written in ways:
        assert Haystack(f'{{"text": "hello {written}."}}'.encode()).find(word), written
    assert not Haystack(b'{"text": "zqkanarien is no canary, 7391553 neither, Zo"}').find(word)


def test_every_column_of_a_person_has_a_canary_or_a_reason() -> None:
    """The list of what has none, so that nobody adds to it unseen."""
    bare = {
        f"{model._meta.label}.{field.name}"
        for model in list_personal_models()
        for field in model._meta.concrete_fields
        if field.related_model is None
        and not field.primary_key
        and not field.choices
        and field.get_internal_type() not in ("BooleanField", "PositiveSmallIntegerField")
        and not make_canary(field, f"{model._meta.label}.{field.name}", "a", timezone.now())[1]
    }
    assert bare == {
        "customers.Customer.language", "campaigns.OptInRequest.language", "campaigns.OwnRequest.language",
        "support.Ticket.language", "customers.Order.currency", "customers.InterestProfile.price_band",
        "support.Attachment.ending",
        "customers.TextReading.sentiment", "customers.TextReading.sentiment_confidence",
    }  # fmt: skip
    assert {"CustomerEvent", "CustomerAlias", "Order", "OrderLine", "ConsentRecord", "Message"} <= {
        model.__name__ for model in list_personal_models()
    }


@pytest.fixture
def planter(marketer: User, now: dt.datetime) -> Planter:
    """Two dozen people with a canary in every column, and what they wrote, in which they quote all that says who they are."""
    ensure_event_partitions((now - dt.timedelta(days=9)).date(), now.date())
    model = ModelVersion.objects.create(
        version=1, status="champion", estimator="blend", horizon_days=60, trained_at=now, data_from=now, data_until=now,
        artifact=b"",
    )  # fmt: skip
    tent = Product.objects.create(sku="T1", name="Fjell Tent", category="Tents", price=Decimal(249), currency="EUR")
    earlier = make_campaign(marketer, [], name="earlier")
    variant = Variant.objects.get(archetype__campaign=earlier)
    segment = Segment.objects.create(name="quiet", rule={"field": "recency_days", "op": "gte", "value": 60})
    asked = PrivacyRequest.objects.create(kind="export", source="x", asked_at=now, due_at=now)
    planter = Planter(
        {
            ModelVersion: model,
            Product: tent,
            Campaign: earlier,
            Variant: variant,
            Segment: segment,
            PrivacyRequest: asked,
        },
        now,
    )
    people = [planter.plant_person(f"{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}") for n in range(PEOPLE)]
    for number, person in enumerate(people):
        # Who has an open complaint is in no audience.
        _let_write(person, now - dt.timedelta(hours=3 + number), complains=number % 4 == 0)
    return planter


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_canary_reaches_a_model_by_any_purpose(
    planter: Planter, marketer: User, site_admin: User, model_server: ModelServer, settings: Settings, now: dt.datetime
) -> None:
    settings.LLM_DAILY_TOKEN_CAP = settings.LLM_CAMPAIGN_TOKEN_CAP = 100_000_000
    model_server.answer_with(_answer_badly)
    campaign = make_campaign(marketer, [])
    _write_to_them(campaign, marketer, now)
    _read_what_they_wrote(site_admin, now)
    evaluate_prompts(now=now, briefs=list(read_golden_briefs())[:2], user=site_admin)
    archetype = Archetype.objects.filter(campaign=campaign, language="en", size__gt=0).latest("size")
    draft_for_trial(f"archetype:{archetype.pk}", "en", {"personality": "Dry as dust"}, now=now)
    assert try_connection(now).works
    with contextlib.suppress(CannotPropose):
        propose_rule("people who have gone quiet", now=now, as_of=now)
    _ask_support(list(Customer.objects.exclude(first_name="").order_by("pk")[:6]), now)
    batched = _read_again_in_batches(settings, now)

    assert set(LlmCall.objects.exclude(outcome="template").values_list("purpose", flat=True)) == set(PURPOSES)
    assert max(len(variant.earlier_calls) for variant in Variant.objects.all()) == 2, "drafts went back to the model"
    left = [request.raw for request in model_server.requests] + batched
    assert len(left) > 30
    told = [json.dumps(call.masked_request, ensure_ascii=False).encode() for call in LlmCall.objects.all()]
    everything = b"\n".join([*left, *(_open_up(raw) for raw in left), *told])
    haystack = Haystack(everything)
    assert not [(column, word, ways) for column, word in all_words(planter.words) if (ways := haystack.find(word))]
    assert b"Tents" in everything, "what they like is told"
    assert b"[NAME_" in everything and b"[ID_" in everything, "what they wrote was read, masked"


def _let_write(person: Customer, at: dt.datetime, *, complains: bool) -> None:
    """A text of each kind: names, addresses and numbers as they are, in capitals, and in the forms of links."""
    held = person.attributes
    said = [
        f"{person.first_name} {person.last_name}", person.first_name, person.last_name, person.email, person.external_id,
        *person.aliases.values_list("external_id", flat=True), *person.orders.values_list("external_id", flat=True),
        held["city"], held["phone"], held["deep"]["phone"],
    ]  # fmt: skip
    written = [*said, person.email.upper(), quote(person.email), base64.b64encode(person.email.encode()).decode()]
    record_events(
        [
            NewEvent(
                customer_id=person.pk, kind=kind, external_id=f"text-{person.pk}-{kind}", occurred_at=at,
                properties={key: f"The tent leaks ({kind}). I am {part}."},
            )
            for kind, key in TEXT_KINDS.items()
            if complains or kind != "complaint_opened"
            for part in [", ".join(written) if kind != "search_performed" else said[0]]
        ],
        source="shop",
    )  # fmt: skip


def _write_to_them(campaign: Campaign, marketer: User, now: dt.datetime) -> None:
    """Drafts for all channels and languages, sent back with their faults, once more with an instruction, translated."""
    campaign.segment.rule = {"field": "churn_probability", "op": "gte", "value": 0.5}
    campaign.segment.save()
    refreeze_audience(marketer, campaign, now=now)
    archetype = Archetype.objects.get(campaign=campaign, size__gt=0)
    assert archetype.size > PEOPLE / 2 and archetype.samples
    email = Customer.objects.earliest("pk").email
    for channel in Channel.values:
        Archetype.objects.filter(pk=archetype.pk).update(channel=channel)
        for language in ("zh", "en"):
            Archetype.objects.filter(pk=archetype.pk).update(language=language)
            archetype.refresh_from_db()
            _draft(archetype, request_drafts([archetype], user=marketer, count=2, now=now))
    asked = request_text(archetype, user=marketer, label="A", instruction=INSTRUCTION.format(email=email), now=now)
    _draft(archetype, asked)
    Archetype.objects.filter(pk=archetype.pk).update(channel="email")
    other = Archetype.objects.create(campaign=campaign, cell="zh", language="zh", size=9)
    source = Variant.objects.get(archetype=archetype, label="A")
    Variant.objects.filter(pk=source.pk).update(story=f"Write to {email} or call +44 20 7946 0812.")
    assert request_translation(source, other, user=marketer, now=now)
    campaign_tasks.draft_archetype(
        other.pk
    )  # what comes is no translation: a person has to; what was asked is looked at


def _draft(archetype: Archetype, was_asked: int | bool) -> None:
    assert was_asked
    campaign_tasks.draft_archetype(archetype.pk)
    archetype.refresh_from_db()
    assert archetype.draft_status == DraftStatus.DRAFTED, archetype.draft_error


def _read_what_they_wrote(site_admin: User, now: dt.datetime) -> None:
    switch_reading(site_admin, is_on=True, now=now)
    assert queue_texts(now) > 3 * PEOPLE
    for _round in range(40):
        customer_tasks.read_texts()


def _ask_support(people: list[Customer], now: dt.datetime) -> None:
    """A question that names its writer in every way: sorted by the model, and answered from an article."""
    article = {"title_en": "Returns", "text_en": "Underwear and opened water filters cannot be returned."}
    save_article(None, article, now=now)
    for person in people:
        order = person.orders.first()
        text = (
            f"Can I return underwear? I am {person.first_name} {person.last_name}, {person.email}, {person.external_id},"
            f" {order.external_id if order else ''}, {person.attributes['city']}, {person.attributes['phone']}."
        )
        incoming = Incoming(
            TicketChannel.WEB, f"ask-{person.pk}", f"ask-{person.pk}", text, now, customer=person, email=person.email,
            name=f"{person.first_name} {person.last_name}",
        )  # fmt: skip
        ticket = receive(incoming, now=now).ticket
        assert read_ticket(ticket, now=now)
        answered = suggest_answer(ticket, now=now)
        assert answered is not None and answered.origin == "model", answered and answered.trouble


def _read_again_in_batches(settings: Settings, now: dt.datetime) -> list[bytes]:
    """The same texts with another model, over the batch interface; what was handed over, byte for byte."""
    with BatchServer() as server:
        settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_BATCH = server.base_url, "another", True
        assert queue_texts(now) >= PEOPLE
        for _round in range(8):
            TextReading.objects.filter(model="another").update(not_before=None)
            customer_tasks.read_texts()
        hand_over_waiting(now)
        server.finish()
        look_after_batches(now + dt.timedelta(minutes=2))
        assert server.batches, "work that can wait was handed over"
        return [*server.files.values(), *(json.dumps(chat).encode() for chat in server.chats)]


def _answer_badly(request: dict[str, Any]) -> Step:
    """Promises that the guard-rails block, so that drafts go back; readings of the right number."""
    properties = find_schema(request)["properties"]
    if "readings" in properties:
        turn = request["messages"][-1]["content"]
        texts = json.loads(turn[turn.index("{") :].splitlines()[0])["texts"]
        reading = {"topics": [], "sentiment": "neutral", "confidence": "low"}
        return answer({"readings": [{"number": text["number"], **reading} for text in texts]})
    if "complaint" in properties:
        quote = {"quote": "Can I return underwear?", "sure": "high"}
        values = {"topic": "return", "intent": "return", "complaint": "no", "sentiment": "neutral", "urgency": "usual"}
        return answer({field: quote | {"value": value} for field, value in values.items()})
    if "sentences" in properties:
        return answer({"sentences": [{"text": "Underwear and opened water filters cannot be returned.", "passage": 1}]})
    if "verdicts" in properties:
        return answer({"verdicts": []})
    if "not_said" in properties:
        return answer({"name": "", "groups": [], "not_said": []})
    if "lines" in properties:
        turn = request["messages"][-1]["content"]
        lines = json.loads(turn[turn.index("{") :].splitlines()[0])["lines"]
        return answer({"lines": ["好久不见" for _line in lines]})
    return answer_for(request, "Half price on all")


def _open_up(raw: bytes) -> bytes:
    """The body's texts once more, each as JSON reads it, and the JSON that is inside of them."""
    try:
        body = json.loads(raw.split(b"\r\n\r\n", 1)[-1])
    except ValueError:
        return b""
    return "\n".join(_walk(body)).encode()


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)
    else:
        yield str(value)
