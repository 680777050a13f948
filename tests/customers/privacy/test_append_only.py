"""A consent that was written down is never changed or deleted, whoever tries: by the ORM, by SQL, by a cascade."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from customers.ingest.consent import record_consent
from customers.ingest.tracking import record_tracking_consent
from customers.models import ConsentRecord, Customer, TrackingConsent
from customers.models.consent import forgetting
from customers.privacy.erasure import erase_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> Customer:
    ana = Customer.objects.create(external_id="ana", email="ana@shop.test")
    record_consent(ana, source="checkout", proof={"wording": "Yes"}, now=timezone.now())
    record_tracking_consent(ana, is_given=True, source="preferences", proof={}, now=timezone.now())
    return ana


def run(sql: str) -> Callable[[], None]:
    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return execute


@pytest.mark.parametrize(
    "attempt",
    [
        run("UPDATE customers_consentrecord SET status = 'given'::text || ''  , proof = '{}'"),
        run("UPDATE customers_consentrecord SET recorded_at = recorded_at - interval '1 day'"),
        run("UPDATE customers_consentrecord SET source = 'x', customer_id = customer_id"),
        run("DELETE FROM customers_consentrecord"),
        run("UPDATE customers_trackingconsent SET is_given = false"),
        run("DELETE FROM customers_trackingconsent"),
        lambda: ConsentRecord.objects.update(legal_basis="existing_customer"),
        lambda: ConsentRecord.objects.get().delete(),
        lambda: Customer.objects.all().delete(),
    ],
)
@pytest.mark.usefixtures("ana")
def test_nothing_is_changed_or_deleted(attempt: Callable[[], None]) -> None:
    before = ConsentRecord.objects.values().get(), TrackingConsent.objects.values().get()
    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        attempt()
    assert (ConsentRecord.objects.values().get(), TrackingConsent.objects.values().get()) == before


def test_an_erasure_forgets_them_and_the_door_is_shut_behind_it(ana: Customer) -> None:
    ben = Customer.objects.create(external_id="ben", email="ben@shop.test")
    record_consent(ben, source="checkout", now=timezone.now())
    erase_customer(ana, actor=None, reason="asked", now=timezone.now())
    assert ConsentRecord.objects.get().customer == ben and not TrackingConsent.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        ben.delete()


def test_inside_forgetting_a_row_may_go_and_still_not_be_changed(ana: Customer) -> None:
    with forgetting(), pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.update(source="x")
    with forgetting():
        ana.delete()
    assert not ConsentRecord.objects.exists()
