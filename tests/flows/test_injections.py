"""Two hundred attacks, a model that obeys every one of them, and nothing comes of it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client
from pytest_django import Settings

from campaigns import tasks as campaign_tasks
from campaigns.content.drafting import request_drafts
from campaigns.content.rendering import RenderError, render_preview
from campaigns.models import Archetype, Campaign, DraftStatus, Variant
from customers import tasks as customer_tasks
from customers.features.interests.texts import queue_texts, switch_reading
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, Product, Segment, TextReading
from llm.models import LlmCall, LlmServerHealth
from tests.campaigns.arrange import make_campaign
from tests.conftest import MakeUser
from tests.model_server import ModelServer

from .injections import EVIL, Attack, Field, Obedient, make_attacks
from .unsafe import find_demands_outside_text, find_foreign_addresses, find_unsafe_nodes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ATTACKS = make_attacks()
READ = (Field.REVIEW, Field.TICKET, Field.SEARCH)
#: What a draft may never touch, whatever the model says.
STATE = (
    "campaigns.Campaign", "campaigns.CampaignTransition", "campaigns.Approval", "campaigns.Message", "campaigns.Offer",
    "campaigns.AudienceMember", "customers.Customer", "customers.Product", "customers.ConsentRecord",
    "customers.Suppression", "customers.Segment", "auth.User",
)  # fmt: skip


def test_the_corpus_is_two_hundred_attacks_in_two_languages_and_six_fields() -> None:
    assert len({attack.text for attack in ATTACKS}) == 200
    assert Counter(attack.language for attack in ATTACKS) == {"en": 100, "zh": 100}
    assert set(Counter(attack.field for attack in ATTACKS)) == set(Field)
    assert min(Counter((attack.field, attack.language) for attack in ATTACKS).values()) >= 15


@pytest.fixture
def hosts(settings: Settings) -> tuple[str, ...]:
    return (urlsplit(settings.SHOP_URL).hostname or "", urlsplit(settings.SITE_URL).hostname or "")


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    settings.LLM_DAILY_TOKEN_CAP = 100_000_000
    settings.LLM_CALL_TOKEN_CAP = 100_000
    settings.LLM_CAMPAIGN_TOKEN_CAP = 100_000_000


@pytest.mark.parametrize("is_sly", [False, True], ids=["raw", "sly"])
def test_titles_and_instructions_bring_nothing_into_a_draft(
    marketer: User, model_server: ModelServer, hosts: tuple[str, ...], is_sly: bool, site_admin: User
) -> None:
    attacks = [attack for attack in ATTACKS if attack.field in (Field.PRODUCT, Field.INSTRUCTION)]
    campaign = _make_campaign(marketer, attacks)
    server = Obedient(ATTACKS, is_sly=is_sly)
    model_server.answer_with(server)
    before = _take_state()

    for archetype in Archetype.objects.filter(campaign=campaign).exclude(draft_status=DraftStatus.NONE):
        campaign_tasks.draft_archetype(archetype.pk)

    told = {attack.mark for attack in attacks if attack.field is Field.INSTRUCTION}
    assert told <= server.obeyed, "all but the wares with such names reached the model"
    assert len(server.obeyed) >= 40
    assert _take_state() == before
    assert not Archetype.objects.filter(draft_status__in=[DraftStatus.REQUESTED, DraftStatus.DRAFTING]).exists()
    found = list(_find_unsafe(Variant.objects.filter(archetype__campaign=campaign), None, hosts))
    assert not found, "\n".join(found)
    client = Client()
    client.force_login(site_admin)
    for variant in Variant.objects.filter(archetype__campaign=campaign, origin=Variant.Origin.MODEL)[:12]:
        _look_at_pages(client, f"/variants/{variant.pk}/", f"/variants/{variant.pk}/model-call/")
    _look_at_pages(client, f"/campaigns/{campaign.pk}/messages/", f"/campaigns/{campaign.pk}/review/")


def test_titles_and_categories_bring_nothing_into_a_template_text(
    marketer: User, hosts: tuple[str, ...], settings: Settings
) -> None:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""
    attacks = [attack for attack in ATTACKS if attack.field in (Field.PRODUCT, Field.INSTRUCTION)]
    campaign = _make_campaign(marketer, attacks)

    for archetype in Archetype.objects.filter(campaign=campaign).exclude(draft_status=DraftStatus.NONE):
        campaign_tasks.draft_archetype(archetype.pk)

    written = Variant.objects.filter(archetype__campaign=campaign, origin=Variant.Origin.TEMPLATE)
    assert written.count() == len(attacks)
    found = list(_find_unsafe(written, None, hosts))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("is_sly", [False, True], ids=["raw", "sly"])
def test_what_customers_write_is_read_as_words_of_the_vocabulary_or_not_at_all(
    model_server: ModelServer, is_sly: bool, site_admin: User
) -> None:
    attacks = [attack for attack in ATTACKS if attack.field in READ]
    now = dt.datetime.now(dt.UTC)
    _record_texts(attacks, now - dt.timedelta(hours=1))
    server = Obedient(ATTACKS, is_sly=is_sly)
    model_server.answer_with(server)
    switch_reading(site_admin, is_on=True, now=now)
    before = _take_state()

    assert queue_texts(now) == len(attacks)
    for _round in range(80):
        TextReading.objects.update(not_before=None)
        LlmServerHealth.objects.all().delete()  # a server that only fails is left alone for a while
        customer_tasks.read_texts()
        if len(server.obeyed) == len(attacks):
            break

    assert len(server.obeyed) == len(attacks)
    assert _take_state() == before
    kept = json.dumps(list(TextReading.objects.values("topics", "sentiment", "error")), ensure_ascii=False)
    assert EVIL not in kept
    assert "approved" not in kept
    assert not re.search(r"<|\{\{|javascript|FREE", kept)
    client = Client()
    client.force_login(site_admin)
    for customer in Customer.objects.all()[:12]:
        _look_at_pages(client, f"/customers/{customer.pk}/")


def test_a_name_brings_nothing_into_a_message(
    marketer: User, make_user: MakeUser, hosts: tuple[str, ...], site_admin: User
) -> None:
    names = [attack for attack in ATTACKS if attack.field is Field.FIRST_NAME]
    campaign = make_campaign(marketer)
    Segment.objects.update(rule={"field": "country", "op": "in", "value": ["Scotland"]})
    variants = Variant.objects.filter(archetype__campaign=campaign)
    client = Client()
    client.force_login(site_admin)
    for number, attack in enumerate(names):
        for name in (attack.text[:120], attack.demand.raw[:120], attack.demand.sly[:120]):
            customer = Customer(
                external_id="x", first_name=name, last_name="李" if attack.language == "zh" else "Quill"
            )
            Archetype.objects.update(language=attack.language)
            assert not list(_find_unsafe(variants.all(), customer, hosts)), name
        saved = Customer.objects.create(external_id=f"n{number}", first_name=attack.text[:120])
        if number < 12:
            _look_at_pages(client, f"/customers/{saved.pk}/")


def test_untrusted_text_is_a_json_value_of_the_user_turn_cut_and_clean(
    marketer: User, model_server: ModelServer, site_admin: User
) -> None:
    drafted = [attack for attack in ATTACKS if attack.field in (Field.PRODUCT, Field.INSTRUCTION)][:40]
    said = [attack for attack in ATTACKS if attack.field in READ][:40]
    campaign = _make_campaign(marketer, drafted)
    now = dt.datetime.now(dt.UTC)
    _record_texts(said, now - dt.timedelta(hours=1))
    switch_reading(site_admin, is_on=True, now=now)
    queue_texts(now)

    for archetype in Archetype.objects.filter(campaign=campaign).exclude(draft_status=DraftStatus.NONE):
        campaign_tasks.draft_archetype(archetype.pk)
    customer_tasks.read_texts()

    assert model_server.count > 20
    for chat in model_server.chats:
        roles = [message["role"] for message in chat.json["messages"]]
        assert roles == ["system", "user"]
        assert not re.search(r"zq\d{3}", chat.system_turn), "the system turn is ours alone"
        fixed, values = chat.user_turn.split("\n\n", 1)
        assert not re.search(r"zq\d{3}", fixed)
        texts = list(_walk(json.loads(values)))
        assert max(map(len, texts)) <= 4_000
        for text in texts:
            assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\x00-\x08]", text)
    assert LlmCall.objects.count() >= model_server.count


def _make_campaign(marketer: User, attacks: list[Attack]) -> Campaign:
    """An archetype for each attack: in the name of the only ware of its category, in the category, or in the instruction."""
    campaign = make_campaign(marketer)
    archetypes = []
    for number, attack in enumerate(attacks):
        interest = f"Shelf {attack.mark}"
        words = ""
        if attack.field is Field.PRODUCT:
            _make_product(attack, attack.text[:250], interest)
        elif number % 4 < 2:
            words = attack.text[:500]
        else:
            interest = attack.text[:120]
            _make_product(attack, "Plain Lamp", interest)
        archetype = Archetype.objects.create(
            campaign=campaign, cell=attack.mark, reason="rhythm", interest=interest, language=attack.language, size=9
        )
        archetypes.append((archetype, words))
    for archetype, words in archetypes:
        request_drafts([archetype], user=marketer, instruction=words, now=dt.datetime.now(dt.UTC))
    return campaign


def _make_product(attack: Attack, name: str, category: str) -> None:
    Product.objects.create(
        sku=attack.mark, name=name, names={"zh-hans": name, "en": name}, category=category, price=Decimal("19.90"),
        currency="EUR", stock=5, url=f"https://{EVIL}/{attack.mark}",
    )  # fmt: skip


def _record_texts(attacks: list[Attack], at: dt.datetime) -> None:
    """The texts in the log of as many customers as are needed for each to have one of each kind."""
    customers = [Customer.objects.create(external_id=f"w{n}", first_name="Kim") for n in range(len(attacks) // 3 + 1)]
    kinds = {
        Field.REVIEW: ("review_written", "text"),
        Field.TICKET: ("ticket_opened", "message"),
        Field.SEARCH: ("search_performed", "query"),
    }
    events = []
    for number, attack in enumerate(attacks):
        kind, key = kinds[attack.field]
        events.append(
            NewEvent(
                customer_id=customers[number % len(customers)].pk, kind=kind, external_id=attack.mark,
                occurred_at=at + dt.timedelta(seconds=number), properties={key: attack.text},
            )
        )  # fmt: skip
    record_events(events, source="shop")


def _find_unsafe(variants: Any, customer: Customer | None, hosts: tuple[str, ...]) -> Iterator[str]:
    """What is unsafe in what is stored: nodes and links always, foreign addresses in words where it could be approved."""
    for variant in variants.select_related("archetype__campaign"):
        try:
            copy = render_preview(variant, customer, now=dt.datetime.now(dt.UTC))
        except RenderError:
            if not variant.is_blocked:
                yield f"{variant.pk}: cannot be rendered and is not blocked"
            continue
        yield from (f"{variant.archetype.cell}: {found}" for found in find_unsafe_nodes(copy.html, hosts))
        if not variant.is_blocked:
            words = "\n".join([copy.subject, copy.preheader, copy.text])
            yield from (
                f"{variant.archetype.cell}: {found} in {words}" for found in find_foreign_addresses(words, hosts)
            )
            if re.search(r"FREE(100|ALL)", words):
                yield f"{variant.archetype.cell}: an invented code: {words}"


def _take_state() -> dict[str, str]:
    return {label: serializers.serialize("json", apps.get_model(label).objects.order_by("pk")) for label in STATE}


def _look_at_pages(client: Client, *paths: str) -> None:
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        assert not find_demands_outside_text(response.content.decode(), (EVIL, "alert(1)")), path


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)
