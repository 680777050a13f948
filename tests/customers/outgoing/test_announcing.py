"""What happened becomes rows, whoever wrote it, and only where somebody wants to know."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.ingest.consent import record_consent, record_consents, withdraw_consent
from customers.ingest.customers import upsert_customers
from customers.merging.merge import merge_customers
from customers.models import (
    Customer,
    ImportRun,
    ModelVersion,
    OutgoingDelivery,
    OutgoingEndpoint,
    OutgoingEvent,
    Segment,
    SegmentChange,
)
from customers.outgoing.composing import compose
from customers.outgoing.fan_out import fan_out, forget_old_events, forget_told_names
from customers.outgoing.sending import send_due
from customers.privacy.erasure import erase_customer
from customers.scoring.score_rows import write_scores

from .conftest import Clock
from .receiver import Receiver

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def told() -> list[tuple[str, list[dict[str, object]]]]:
    return [(event.kind, event.data["items"]) for event in OutgoingEvent.objects.order_by("pk")]


def test_nothing_is_written_while_nobody_wants_to_know() -> None:
    upsert_customers(pl.DataFrame({"external_id": ["ana"]}))
    record_consent(Customer.objects.get(), source="form", now=NOW)
    assert not OutgoingEvent.objects.exists()


def test_a_load_of_customers_is_told_in_parts_of_five_hundred(endpoint: OutgoingEndpoint) -> None:
    upsert_customers(pl.DataFrame({"external_id": [f"c{number}" for number in range(1_201)]}))
    assert [len(items) for _kind, items in told()] == [500, 500, 201]
    named = [item["customer"] for _kind, items in told() for item in items]
    assert sorted(named) == sorted(Customer.objects.values_list("pk", flat=True))
    upsert_customers(pl.DataFrame({"external_id": ["c1", "new"], "first_name": ["Changed", ""]}))
    assert told()[3:] == [("customer.created", [{"customer": Customer.objects.get(external_id="new").pk}])]


def test_the_number_of_statements_does_not_grow_with_the_load(endpoint: OutgoingEndpoint) -> None:
    counts = []
    for size in (10, 5_000):
        with CaptureQueriesContext(connection) as queries:
            upsert_customers(pl.DataFrame({"external_id": [f"s{size}-{number}" for number in range(size)]}))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_consents_are_told_by_every_way_in(endpoint: OutgoingEndpoint) -> None:
    ana = Customer.objects.create(external_id="ana")
    OutgoingEvent.objects.all().delete()
    record_consent(ana, source="form", now=NOW)
    withdraw_consent(ana, source="link", now=NOW)
    record_consent(ana, source="demo", now=NOW, is_test=True)
    frame = {"customer": ["ana"], "status": ["given"], "legal_basis": ["consent"], "recorded_at": [NOW]}
    record_consents(pl.DataFrame(frame))  # never above a withdrawal, and a test is no word of hers
    record_consents(pl.DataFrame(frame).with_columns(channel=pl.lit("sms")))
    item = {"customer": ana.pk, "channel": "email"}
    told_of = [
        {**item, "status": "given"},
        {**item, "status": "withdrawn"},
        {**item, "channel": "sms", "status": "given"},
    ]
    assert told() == [("consent.changed", [one]) for one in told_of]


def test_who_has_to_forget_a_person_is_told_their_shop_id_and_then_it_is_gone(
    endpoint: OutgoingEndpoint, site_admin: User, receiver: Receiver, clock: Clock
) -> None:
    ana = Customer.objects.create(external_id="ana-4711")
    erase_customer(ana, actor=site_admin, reason="asked", now=NOW)
    fan_out(clock())
    assert forget_told_names() == 0
    send_due(clock)
    assert receiver.bodies[-1]["type"] == "customer.erased"
    assert receiver.bodies[-1]["data"]["items"] == [{"customer": ana.pk, "source": "shop", "external_id": "ana-4711"}]
    assert "ana-4711" not in json.dumps(
        receiver.bodies[0]
    )  # customer.created was composed when nobody was there any more
    assert forget_told_names() == 1
    assert not any("ana-4711" in json.dumps(event.data) for event in OutgoingEvent.objects.all())
    assert forget_told_names() == 0


def test_of_a_person_with_two_ids_both_are_to_be_forgotten(
    endpoint: OutgoingEndpoint, site_admin: User, receiver: Receiver, clock: Clock
) -> None:
    """A receiver may know them by the id that was merged alone."""
    old = Customer.objects.create(source="till", external_id="771204")
    ana = Customer.objects.create(external_id="ana-4711")
    merge_customers(old.pk, ana.pk, reason="staff", actor=None, now=NOW)
    erase_customer(ana, actor=site_admin, reason="asked", now=NOW)
    fan_out(clock())
    send_due(clock)
    erased = [body["data"]["items"] for body in receiver.bodies if body["type"] == "customer.erased"]
    assert sorted((item for items in erased for item in items), key=lambda item: item["customer"]) == [
        {"customer": old.pk, "source": "till", "external_id": "771204"},
        {"customer": ana.pk, "source": "shop", "external_id": "ana-4711"},
    ]
    assert forget_told_names() > 0
    assert not any("771204" in json.dumps(event.data) for event in OutgoingEvent.objects.all())


def test_what_is_told_of_a_merged_row_names_the_id_that_it_had(endpoint: OutgoingEndpoint) -> None:
    """Messages and presences in segments stay with the row for which they were made."""
    old = Customer.objects.create(source="till", external_id="771")
    ana = Customer.objects.create(external_id="ana")
    segment = Segment.objects.create(name="Scots", rule={})
    merge_customers(old.pk, ana.pk, reason="staff", actor=None, now=NOW)
    OutgoingEvent.objects.all().delete()
    SegmentChange.objects.create(segment=segment, customer=old, has_entered=False, cause="data", happened_at=NOW)
    [item] = json.loads(compose(OutgoingEvent.objects.get()))["data"]["items"]
    assert (item["customer"], item["source"], item["external_id"]) == (old.pk, "till", "771")


def test_a_risk_is_told_that_moved_by_five_points(endpoint: OutgoingEndpoint) -> None:
    people = [Customer.objects.create(external_id=name) for name in ("ana", "bob", "cleo")]
    model = ModelVersion.objects.create(
        version=1, estimator="test", horizon_days=90, trained_at=NOW, data_from=NOW, data_until=NOW, artifact=b""
    )
    OutgoingEvent.objects.all().delete()
    write_scores(make_scores(model, people, [0.30, 0.30, 0.30]))
    assert told() == []  # the first score of somebody is no change
    write_scores(make_scores(model, people, [0.34, 0.36, 0.24]))
    assert told() == [("score.changed", [{"customer": people[1].pk}, {"customer": people[2].pk}])]
    write_scores(make_scores(model, people, [0.34, 0.36, 0.24]))
    assert len(told()) == 1


def make_scores(model: ModelVersion, people: list[Customer], risks: list[float]) -> pl.DataFrame:
    alike = {"model_id": model.pk, "as_of": NOW, "status": "scored", "expected_orders": 1.0, "expected_value": Decimal(10),
             "next_order_on": None, "next_order_from": None, "next_order_until": None, "recency_days": 3.0, "interest": "",
             "main_reason": "", "reasons": "[]"}  # fmt: skip
    return pl.DataFrame(
        [
            {"customer_id": person.pk, "churn_probability": risk, **alike}
            for person, risk in zip(people, risks, strict=True)
        ]
    )


def test_who_enters_and_leaves_a_segment_is_told(endpoint: OutgoingEndpoint) -> None:
    people = [Customer.objects.create(external_id=name) for name in ("ana", "bob", "cleo")]
    segment = Segment.objects.create(name="Scots", rule={})
    OutgoingEvent.objects.all().delete()
    SegmentChange.objects.bulk_create(
        SegmentChange(segment=segment, customer=person, has_entered=number < 2, cause="data", happened_at=NOW)
        for number, person in enumerate(people)
    )
    alike = {"segment": segment.pk, "cause": "data"}
    assert told() == [
        ("segment.entered", [{"customer": people[0].pk, **alike}, {"customer": people[1].pk, **alike}]),
        ("segment.left", [{"customer": people[2].pk, **alike}]),
    ]
    endpoint.kinds = ["segment.left"]
    endpoint.save()
    SegmentChange.objects.create(segment=segment, customer=people[2], has_entered=True, cause="time", happened_at=NOW)
    assert len(told()) == 2


def test_an_import_that_is_finished_is_told_once(endpoint: OutgoingEndpoint) -> None:
    run = ImportRun.objects.create(file_name="a.csv", status="running")
    ImportRun.objects.filter(pk=run.pk).update(status="done")
    ImportRun.objects.filter(pk=run.pk).update(status="done", step="")
    assert told() == [("import.finished", [{"import": run.pk, "status": "done"}])]


def test_a_body_holds_ids_and_nothing_of_the_person(endpoint: OutgoingEndpoint) -> None:
    Customer.objects.create(external_id="c-1", email="ana@shop.test", first_name="Ana", phone="+447700900123")
    event = OutgoingEvent.objects.get()
    body = json.loads(compose(event))
    assert body["type"] == "customer.created"
    assert body["data"] == {"items": [{"customer": Customer.objects.get().pk, "source": "shop", "external_id": "c-1"}]}
    assert dt.datetime.fromisoformat(body["timestamp"]) == event.occurred_at
    assert "ana@" not in json.dumps(body)


def test_only_those_who_subscribed_get_a_delivery_and_each_event_once(endpoint: OutgoingEndpoint, clock: Clock) -> None:
    OutgoingEndpoint.objects.create(url="https://a.example", kinds=["customer.erased"])
    OutgoingEndpoint.objects.create(url="https://b.example", kinds=["customer.created"], status="disabled")
    Customer.objects.create(external_id="ana")
    assert fan_out(clock()) == 1
    assert fan_out(clock()) == 0
    assert list(OutgoingDelivery.objects.values_list("endpoint", flat=True)) == [endpoint.pk]


def test_the_log_is_a_log_of_a_month(endpoint: OutgoingEndpoint, clock: Clock) -> None:
    Customer.objects.create(external_id="ana")
    OutgoingEvent.objects.update(occurred_at=clock())
    fan_out(clock())
    assert forget_old_events(clock.turn(days=29)) == 0
    assert forget_old_events(clock.turn(days=2)) == 1
    assert not OutgoingDelivery.objects.exists()
