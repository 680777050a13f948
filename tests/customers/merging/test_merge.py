"""One merge and its undo: what moves, what holds, what stays, and whose it is what comes later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User

from campaigns.delivery.unsubscribe import make_token, unsubscribe
from campaigns.models import AudienceMember, Message, Variant
from campaigns.outcomes.attribution import measure_campaign
from customers.ingest.consent import may_contact_sql, record_consent, record_consents, withdraw_consent
from customers.ingest.customers import upsert_customers
from customers.ingest.identity import find_people, link_visitors
from customers.ingest.orders import upsert_orders
from customers.ingest.preferences import save_preference
from customers.ingest.recorder import NewEvent, record_events
from customers.merging.merge import merge_customers
from customers.merging.plan import CannotMerge
from customers.merging.tables import list_merged_tables, list_undecided
from customers.merging.undo import undo_merge
from customers.models import (
    AuditEntry,
    ConsentRecord,
    Customer,
    CustomerAlias,
    CustomerEvent,
    CustomerMerge,
    MergeSuggestion,
    Order,
    Score,
    Suppression,
    TrackingConsent,
)

from .shops import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture
def pair(variants: list[Variant]) -> tuple[Customer, Customer]:
    """Old and new: the same person under two ids."""
    old = Customer.objects.create(
        external_id="old", email="ruth@tarnside.test", first_name="Ruth", attributes={"size": "M"}
    )
    new = Customer.objects.create(external_id="new", email="ruth@tarnside.test", attributes={"size": "L"})
    return old, new


def merge(loser: Customer, survivor: Customer, actor: User | None = None, now: dt.datetime = NOW) -> CustomerMerge:
    return merge_customers(loser.pk, survivor.pk, reason="staff", actor=actor, now=now)


def answer_of(customer: Customer, channel: str = "email") -> str:
    newest = ConsentRecord.objects.filter(customer=customer, channel=channel).order_by("-recorded_at", "-pk").first()
    return newest.status if newest else ""


def order_frame(number: str, customer: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    head = pl.DataFrame(
        {"external_id": [number], "customer": [customer], "ordered_at": [LATER], "currency": ["EUR"], "total": ["9"]}
    )
    return head.with_columns(pl.col("total").cast(pl.Decimal(14, 2))), pl.DataFrame(
        {"order": [number], "position": [1], "quantity": [1], "unit_price": ["9"]}
    ).with_columns(pl.col("unit_price").cast(pl.Decimal(14, 4)))


# --- Every table ---------------------------------------------------------------------------------------------------------


def test_every_table_says_what_becomes_of_two_rows_where_it_may_hold_one() -> None:
    assert list_undecided() == []
    found = {table.label for table in list_merged_tables()}
    assert {"customers.Order", "customers.CustomerEvent", "customers.Score", "campaigns.Message"} <= found


# --- What a merge does ----------------------------------------------------------------------------------------------------


def test_everything_stands_under_the_survivor_and_the_old_id_finds_them(
    pair: tuple[Customer, Customer], marketer: User
) -> None:
    old, new = pair
    upsert_orders(*order_frame("o1", "old"))
    record_events([NewEvent(old.pk, "product_viewed", NOW, "e1")], source="shop")

    done = merge(old, new, marketer)

    assert Order.objects.get().customer == new and CustomerEvent.objects.get().customer_id == new.pk
    assert find_people("shop", ["old", "new"]) == {"old": new.pk, "new": new.pk}
    new.refresh_from_db()
    assert (new.first_name, new.attributes) == ("Ruth", {"size": "L"})
    assert done.moved["customers.Order"] == 1 and done.merged_by == marketer
    assert not Customer.objects.known().filter(pk=old.pk).exists()
    emptied = Customer.objects.get(pk=old.pk)
    assert (emptied.email, emptied.first_name, emptied.attributes) == ("", "", {})
    entry = AuditEntry.objects.get(action="customer_merged")
    assert entry.object_id == str(new.pk) and entry.details["merged"] == old.pk


def test_scores_of_both_go_and_come_back_with_the_undo(pair: tuple[Customer, Customer]) -> None:
    from customers.models import ModelVersion

    for customer, p in zip(pair, (0.25, 0.75), strict=True):
        Score.objects.create(customer=customer, model=ModelVersion.objects.get(), as_of=NOW, churn_probability=p)
    done = merge(*pair)
    assert not Score.objects.exists()
    undo_merge(done.pk, actor=None, now=LATER)
    assert dict(Score.objects.values_list("customer_id", "churn_probability")) == {pair[0].pk: 0.25, pair[1].pk: 0.75}


@pytest.mark.parametrize(("first", "second"), [("given", "withdrawn"), ("withdrawn", "given")])
def test_the_stricter_consent_holds_whichever_is_newer(
    pair: tuple[Customer, Customer], first: str, second: str
) -> None:
    old, new = pair
    for customer, status, day in ((old, first, 3), (new, second, 1)):
        ConsentRecord.objects.create(
            customer=customer,
            status=status,
            legal_basis="consent",
            source="form",
            recorded_at=NOW - dt.timedelta(days=day),
        )
    done = merge(old, new)
    assert answer_of(new) == "withdrawn"
    assert not Customer.objects.extra(where=[may_contact_sql("customers_customer")]).exists()
    undo_merge(done.pk, actor=None, now=LATER)
    assert (answer_of(old), answer_of(new)) == (first, second)


def test_a_consent_for_another_address_does_not_come_over(pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    Customer.objects.filter(pk=new.pk).update(email="ruth@elsewhere.test")
    record_consent(old, source="form", now=NOW)
    merge(old, new)
    assert answer_of(new) == "withdrawn"


def test_a_consent_without_an_address_is_none_for_the_address_that_fills_the_blank(
    pair: tuple[Customer, Customer],
) -> None:
    """Nobody ever agreed to be written to at what comes over."""
    old, new = pair
    Customer.objects.filter(pk=new.pk).update(email="")
    record_consent(new, source="form", now=NOW)
    merge(old, new)
    assert answer_of(new) == "withdrawn"


def test_a_consent_for_the_same_address_comes_over(pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    record_consent(old, source="form", now=NOW)
    merge(old, new)
    assert answer_of(new) == "given"


def test_who_complained_at_one_address_is_not_written_to_at_the_other(pair: tuple[Customer, Customer]) -> None:
    from customers.ingest.consent import suppress_address

    old, new = pair
    Customer.objects.filter(pk=new.pk).update(email="ruth@elsewhere.test")
    record_consent(new, source="form", now=NOW)
    suppress_address(old.email, reason=Suppression.Reason.COMPLAINED)
    merge(old, new)
    assert answer_of(new) == "withdrawn"


def test_one_no_to_open_tracking_is_enough(pair: tuple[Customer, Customer]) -> None:
    for customer, said, day in ((pair[0], False, 3), (pair[1], True, 1)):
        TrackingConsent.objects.create(
            customer=customer, is_given=said, source="page", recorded_at=NOW - dt.timedelta(days=day)
        )
    merge(*pair)
    newest = TrackingConsent.objects.filter(customer=pair[1]).order_by("-recorded_at", "-pk")[0]
    assert not newest.is_given


def test_an_objection_of_either_holds_for_both(pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    save_preference(old, {"objects_to_profiling_at": NOW, "topics_off": ["news"]}, source="page", now=NOW)
    save_preference(new, {"topics_off": ["offers"], "most_per_month": 2}, source="page", now=NOW)
    merge(old, new)
    new.refresh_from_db()
    chosen = new.preference
    assert chosen.objects_to_profiling_at == NOW
    assert (set(chosen.topics_off), chosen.most_per_month) == ({"news", "offers"}, 2)


# --- Campaigns keep the rows of both ----------------------------------------------------------------------------------------


def test_held_out_as_one_and_treated_as_the_other_is_recorded_and_moves_no_figure(
    pair: tuple[Customer, Customer], variants: list[Variant]
) -> None:
    campaign = variants[0].archetype.campaign
    for customer, arm in zip(pair, ("holdout", "treatment"), strict=True):
        AudienceMember.objects.create(campaign=campaign, customer=customer, arm=arm)
    type(campaign).objects.filter(pk=campaign.pk).update(status="sent", sending_started_at=NOW - dt.timedelta(days=1))
    campaign.refresh_from_db()
    upsert_orders(*order_frame("o1", "old"))
    before = measure_campaign(campaign, as_of=LATER + dt.timedelta(days=2))
    assert before["revenue"]["holdout_orders"] == 1

    done = merge(*pair)

    assert done.contaminated == [{"campaign": campaign.pk, "loser": "holdout", "survivor": "treatment"}]
    assert AudienceMember.objects.filter(campaign=campaign).count() == 2
    assert measure_campaign(campaign, as_of=LATER + dt.timedelta(days=2)) == before


def test_unsubscribing_by_a_link_of_the_old_id_is_a_no_of_the_survivor_and_of_both_after_the_undo(
    pair: tuple[Customer, Customer], variants: list[Variant]
) -> None:
    old, new = pair
    for customer in pair:
        record_consent(customer, source="form", now=NOW - dt.timedelta(days=2))
    message = Message.objects.create(campaign=variants[0].archetype.campaign, customer=old, variant=variants[0])
    done = merge(old, new)
    assert unsubscribe(make_token(message.pk, old.pk), now=LATER)
    assert answer_of(new) == "withdrawn"
    undo_merge(done.pk, actor=None, now=LATER)
    assert (answer_of(old), answer_of(new)) == ("withdrawn", "withdrawn")


# --- What comes later --------------------------------------------------------------------------------------------------------


def test_what_comes_for_the_old_id_lands_on_the_survivor_and_goes_back_with_the_undo(
    pair: tuple[Customer, Customer],
) -> None:
    old, new = pair
    done = merge(old, new)
    upsert_customers(pl.DataFrame({"external_id": ["old"], "country": ["Scotland"], "first_name": ["Ruthie"]}))
    upsert_orders(*order_frame("later", "old"))
    upsert_orders(*order_frame("mine", "new"))
    events = {
        "external_id": ["e", "f"],
        "customer": ["old", "new"],
        "kind": ["page_viewed"] * 2,
        "occurred_at": [NOW] * 2,
    }
    record_events(pl.DataFrame(events), source="shop")
    consents: dict[str, Any] = {
        "customer": ["old"], "status": ["given"], "legal_basis": ["consent"], "recorded_at": [LATER], "channel": ["sms"]
    }  # fmt: skip
    record_consents(pl.DataFrame(consents))
    link_visitors({"browser": old.pk}, source="shop", by="key", now=LATER)
    record_events([NewEvent(old.pk, "product_viewed", NOW, "g")], source="rekindle")

    assert Order.objects.filter(customer=new).count() == 2
    assert CustomerEvent.objects.filter(customer=new).count() == 3
    assert answer_of(new, "sms") == "given"
    assert CustomerAlias.objects.get(is_visitor=True).customer == new
    new.refresh_from_db()
    assert (new.country, new.first_name) == ("Scotland", "Ruthie")
    assert Customer.objects.known().count() == 1

    undo_merge(done.pk, actor=None, now=LATER)

    assert dict(Order.objects.values_list("external_id", "customer_id")) == {"later": old.pk, "mine": new.pk}
    whose = dict(CustomerEvent.objects.values_list("external_id", "customer_id"))
    assert whose == {"e": old.pk, "f": new.pk, "g": old.pk}
    assert (answer_of(old, "sms"), answer_of(new, "sms")) == ("given", "")
    assert CustomerAlias.objects.get().customer == old
    for customer in pair:
        customer.refresh_from_db()
    assert (old.country, old.first_name, old.external_id) == ("Scotland", "Ruthie", "old")
    assert (new.country, new.first_name) == ("", "")


def test_both_ids_in_one_file_change_one_row_and_the_survivors_own_line_counts(pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    merge(old, new)
    counts = upsert_customers(pl.DataFrame({"external_id": ["new", "old"], "country": ["Wales", "Scotland"]}))
    new.refresh_from_db()
    assert new.country == "Wales" and counts.updated == 1


def test_a_no_said_while_both_were_one_holds_for_both(pair: tuple[Customer, Customer]) -> None:
    for customer in pair:
        record_consent(customer, source="form", now=NOW - dt.timedelta(days=1))
    done = merge(*pair)
    withdraw_consent(pair[1], source="page", now=LATER)
    undo_merge(done.pk, actor=None, now=LATER + dt.timedelta(hours=1))
    assert (answer_of(pair[0]), answer_of(pair[1])) == ("withdrawn", "withdrawn")


def test_what_staff_corrected_since_stays_with_the_survivor(pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    done = merge(old, new)
    Customer.objects.filter(pk=new.pk).update(first_name="Ruth Anne")
    undo_merge(done.pk, actor=None, now=LATER)
    new.refresh_from_db()
    assert new.first_name == "Ruth Anne"


# --- What is refused -----------------------------------------------------------------------------------------------------------


def test_nobody_is_merged_with_themselves_or_twice(pair: tuple[Customer, Customer]) -> None:
    with pytest.raises(CannotMerge, match="one and the same"):
        merge(pair[0], pair[0])
    merge(*pair)
    with pytest.raises(CannotMerge, match="merged meanwhile"):
        merge(*pair)


def test_an_undo_twice_is_refused_and_forgets_what_was_kept(pair: tuple[Customer, Customer]) -> None:
    done = merge(*pair)
    undone = undo_merge(done.pk, actor=None, now=LATER)
    assert (undone.kept, undone.rows) == ({}, {}) and undone.undone_at == LATER
    with pytest.raises(CannotMerge, match="undone before"):
        undo_merge(done.pk, actor=None, now=LATER)
    assert MergeSuggestion.objects.get().status == "apart", "nothing merges by itself whom people have parted"


def test_the_first_of_a_chain_is_undone_last(pair: tuple[Customer, Customer]) -> None:
    third = Customer.objects.create(external_id="third")
    first = merge(*pair)
    second = merge(pair[1], third)
    assert find_people("shop", ["old"]) == {"old": third.pk}
    with pytest.raises(CannotMerge, match="Undo that merge first"):
        undo_merge(first.pk, actor=None, now=LATER)
    undo_merge(second.pk, actor=None, now=LATER)
    assert find_people("shop", ["old"]) == {"old": pair[1].pk}
    undo_merge(first.pk, actor=None, now=LATER)
    assert find_people("shop", ["old"]) == {"old": pair[0].pk}
