"""A campaign whose texts' shares shift: by what people did, once a day, written down with each message."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.approval.hashing import part_hashes
from campaigns.audience.holdout import draw_position, draws_holdout
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.models import Archetype, Campaign, Entry, Message, TextShare, Variant
from campaigns.outcomes import text_shares
from campaigns.outcomes.rollup import store_result
from campaigns.outcomes.text_shares import list_batches, list_share_history, read_batches, shift_all_shares
from campaigns.outcomes.texts import compare_all, count_texts
from customers.models import Order
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

from .live import MONDAY, make_people, make_triggered, start

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def cast() -> Cast:
    return arrange.make_cast()


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    """People enter who come into the segment; one archetype with two texts."""
    make_people(600, now=MONDAY)
    made = make_triggered(
        cast, now=MONDAY, trigger={"on": "segment", "includes_present": True}, adapts_texts=True, holdout_share=0.2
    )
    for archetype in Archetype.objects.filter(campaign=made):
        arrange.make_variant(
            archetype,
            cast.marketer,
            now=MONDAY,
            label="B",
            subject="Something new",
            opening="There are new things on the shelf.",
        )
    return start(made, cast, now=MONDAY)


def _order_after(label: str, share: int) -> None:
    """Every `share`-th person with this text orders two days later."""
    people = Message.objects.filter(variant__label=label).order_by("pk").values_list("customer_id", flat=True)
    Order.objects.bulk_create(
        Order(external_id=f"o{person}", customer_id=person, ordered_at=MONDAY + 2 * DAY, total=30, currency="EUR")
        for person in list(people)[::share]
    )


def test_shares_shift_to_what_people_order_after_and_each_message_says_by_which(campaign: Campaign) -> None:
    let_people_in(MONDAY + HOUR)
    assert not Message.objects.filter(text_share__isnull=False).exists()
    _order_after("B", 2)
    _order_after("A", 10)
    assert shift_all_shares(now=MONDAY + 3 * DAY) == 0  # nobody has been followed to the end yet
    assert shift_all_shares(now=MONDAY + 9 * DAY) == 1
    assert shift_all_shares(now=MONDAY + 11 * DAY) == 0  # nobody new
    shares = {row.variant.label: row.share for row in TextShare.objects.all()}
    assert shares == {"A": pytest.approx(0.1, abs=0.01), "B": pytest.approx(0.9, abs=0.01)}
    let_people_in(MONDAY + 9 * DAY)  # after a gap longer than the send window nobody enters for what happened in it
    people = make_people(300, now=MONDAY + 9 * DAY, prefix="late")
    let_people_in(MONDAY + 9 * DAY + HOUR)
    late = Message.objects.filter(customer__external_id__startswith="late")
    treated = [each.pk for each in people if not draws_holdout(campaign.holdout_seed, each.pk, 0.2)]
    assert dict(late.values_list("customer_id", "variant__label")) == {
        person: "A" if draw_position(f"text:{campaign.holdout_seed}", person) < shares["A"] else "B"
        for person in treated
    }
    assert not late.filter(text_share__isnull=True).exists()
    assert all(
        row.text_share.variant_id == row.variant_id for row in late.select_related("text_share") if row.text_share
    )


def test_within_a_day_of_a_batch_nobody_is_counted_again(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    let_people_in(MONDAY + HOUR)
    assert shift_all_shares(now=MONDAY + 9 * DAY) == 1
    counted: list[dt.datetime] = []
    monkeypatch.setattr(text_shares, "read_batches", lambda _campaign, *, now: counted.append(now) or {})
    assert shift_all_shares(now=MONDAY + 10 * DAY - HOUR) == 0
    assert counted == []
    shift_all_shares(now=MONDAY + 10 * DAY)
    assert counted == [MONDAY + 10 * DAY]


def test_who_is_held_out_is_no_matter_of_the_shares(campaign: Campaign) -> None:
    let_people_in(MONDAY + HOUR)
    held = set(Entry.objects.filter(arm="holdout").values_list("customer_id", flat=True))
    everybody = Entry.objects.values_list("customer_id", flat=True)
    assert held == {person for person in everybody if draws_holdout(campaign.holdout_seed, person, 0.2)}


def test_the_page_compares_by_what_was_written_down(campaign: Campaign) -> None:
    let_people_in(MONDAY + HOUR)
    _order_after("B", 2)
    _order_after("A", 10)
    now = MONDAY + 9 * DAY
    shift_all_shares(now=now)
    archetype = campaign.archetypes.get()
    texts = [text.pk for text in Variant.objects.filter(archetype=archetype).order_by("label")]
    [batch] = list_batches(archetype.pk, texts, read_batches(campaign, now=now)[archetype.pk])
    assert batch.shares == [0.5, 0.5]
    assert sum(arm.people for arm in batch.arms) == Message.objects.count()
    [(_label, leader, standing)] = compare_all(campaign, count_texts(campaign, as_of=now), now=now)
    assert leader is not None
    assert (leader.variant.label, standing.has_won) == ("B", True)
    assert standing.low < 0.4 < standing.high


def test_every_change_of_the_shares_is_shown_with_its_probabilities_and_evidence(
    campaign: Campaign, cast: Cast, client: Client
) -> None:
    let_people_in(MONDAY + HOUR)
    _order_after("B", 2)
    _order_after("A", 10)
    shift_all_shares(now=MONDAY + 9 * DAY)
    let_people_in(MONDAY + 9 * DAY)
    make_people(40, now=MONDAY + 9 * DAY, prefix="late")
    let_people_in(MONDAY + 9 * DAY + HOUR)
    [change] = list_share_history(campaign)
    assert (change.batch, change.decided_at) == (1, MONDAY + 9 * DAY)
    assert change.given == Message.objects.filter(text_share__isnull=False).count() > 0
    rows = {row.variant.label: row for row in TextShare.objects.all()}
    for text in change.texts:
        kept = rows[text.label]
        assert (text.share, text.people, text.ordered) == (kept.share, kept.people, kept.ordered)
    at = MONDAY + 20 * DAY
    store_result(campaign, now=at)
    client.force_login(cast.marketer)
    page = client.get(reverse("campaigns:result", args=[campaign.pk])).content.decode()
    assert "Shares of the texts" in page
    for text in change.texts:
        assert f"{100 * text.share:.1f}%" in page and f"{text.ordered} of {text.people} ordered" in page
    file = b"".join(client.get(reverse("campaigns:result-file", args=[campaign.pk]))).decode()  # type: ignore[call-overload]
    assert f"batch 1,share,{rows['B'].share}" in file
    assert ",text_standing," in file


def test_it_is_a_part_of_what_is_approved(campaign: Campaign) -> None:
    before = part_hashes(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(adapts_texts=False)
    after = part_hashes(campaign)
    assert {part for part in after if after[part] != before[part]} == {"measurement"}


def test_without_leave_nothing_shifts(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(adapts_texts=False)
    let_people_in(MONDAY + HOUR)
    _order_after("B", 2)
    assert shift_all_shares(now=MONDAY + 9 * DAY) == 0
    assert not TextShare.objects.exists()
