"""The global hold-out: stable, forwards only, kept for ever, obeyed by promotions and by nothing else."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from campaigns.approval.global_holdout import change_global_holdout, find_renewal, renew_global_holdout
from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.audience.freeze import freeze_audience
from campaigns.audience.global_holdout import is_held_out, list_held_out, read_round
from campaigns.audience.holdout import draws_holdout
from campaigns.models import AudienceMember, Campaign, GlobalHoldout
from customers.models import AuditEntry, Customer
from customers.models.merge import CustomerMerge
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SALT = "5a17" * 8
#: Who is drawn hangs on the numbers of customers: these are the same in every run.
FIRST = 9_000_000


@pytest.fixture
def admin_user(make_user: Any) -> User:
    return make_user("ada", "admin")


def _begin(share: float = 0.2, *, salt: str = SALT, at: dt.datetime = NOW - DAY, **fields: Any) -> GlobalHoldout:
    number = GlobalHoldout.objects.count() + 1
    return GlobalHoldout.objects.create(
        number=number, salt=salt, share=share, begins_at=at, reason="to learn", changed_at=at, **fields
    )


def _reason(campaign: Campaign, customer: Customer, now: dt.datetime = NOW) -> str:
    sql = f"SELECT {exclusion_case_sql('c')} FROM customers_customer c WHERE c.id = {customer.pk}"
    with connection.cursor() as cursor:
        cursor.execute(sql, exclusion_params(campaign, now=now))
        return str(cursor.fetchone()[0])


def _split(customers: list[Customer], share: float = 0.2) -> tuple[list[Customer], list[Customer]]:
    drawn = [each for each in customers if draws_holdout(SALT, each.pk, share)]
    return drawn, [each for each in customers if each not in drawn]


def test_those_who_are_drawn_are_left_out_of_a_promotion_in_both_arms(campaign: Campaign, make_customer: Any) -> None:
    held = _begin()
    people = [make_customer(f"g{number}", score={}, id=FIRST + number) for number in range(60)]
    drawn, others = _split(people)
    assert drawn
    assert others
    counts = freeze_audience(campaign, now=NOW, actor=None)
    assert counts.excluded == {"global_holdout": len(drawn)}
    excluded = AudienceMember.objects.filter(campaign=campaign, exclusion_reason="global_holdout")
    assert set(excluded.values_list("customer_id", flat=True)) == {each.pk for each in drawn}
    assert counts.treatment + counts.holdout == len(others)
    assert [pk for pk, _external in list_held_out(held)] == sorted(each.pk for each in drawn)


def test_what_else_keeps_somebody_out_is_said_first(campaign: Campaign, make_customer: Any) -> None:
    _begin(share=0.3)
    drawn = next(
        each
        for each in (make_customer(f"n{n}", consent="", id=FIRST + n) for n in range(40))
        if draws_holdout(SALT, each.pk, 0.3)
    )
    assert _reason(campaign, drawn) == "no_consent"


def test_service_mail_reaches_them(campaign: Campaign, make_customer: Any, settings: Any) -> None:
    settings.UNCAPPED_TOPICS, settings.MESSAGE_TOPICS = ["service"], ["promotions", "service"]
    _begin(share=0.3)
    drawn = next(
        each for each in (make_customer(f"s{n}", id=FIRST + n) for n in range(40)) if draws_holdout(SALT, each.pk, 0.3)
    )
    assert _reason(campaign, drawn) == "global_holdout"
    campaign.topic = "service"
    assert _reason(campaign, drawn) == ""


def test_a_merged_customer_keeps_the_stricter_arm(campaign: Campaign, make_customer: Any) -> None:
    held = _begin(share=0.3)
    people = [make_customer(f"m{n}", id=FIRST + n) for n in range(40)]
    drawn, others = _split(people, 0.3)
    loser, survivor = drawn[0], others[0]
    merge = CustomerMerge.objects.create(
        survivor=survivor, loser=loser, holder=survivor, reason=CustomerMerge.Reason.STAFF, merged_at=NOW
    )
    assert (_reason(campaign, survivor), is_held_out(held, survivor.pk)) == ("global_holdout", True)
    merge.undone_at = NOW
    merge.save()
    assert (_reason(campaign, survivor), is_held_out(held, survivor.pk)) == ("", False)


def test_only_the_round_in_force_counts_and_an_empty_one_holds_nobody(campaign: Campaign, make_customer: Any) -> None:
    people = [make_customer(f"r{n}", id=FIRST + n) for n in range(40)]
    drawn, _others = _split(people)
    _begin(at=NOW)
    _begin(share=0.0, salt="0" * 32, at=NOW + 10 * DAY)
    assert _reason(campaign, drawn[0], NOW - DAY) == ""
    assert _reason(campaign, drawn[0], NOW + DAY) == "global_holdout"
    assert _reason(campaign, drawn[0], NOW + 11 * DAY) == ""


def test_a_larger_share_keeps_everybody_and_a_pause_draws_anew(admin_user: User) -> None:
    first = change_global_holdout(admin_user, share=0.05, renew_days=180, reason="learn", now=NOW)
    assert change_global_holdout(admin_user, share=0.05, renew_days=180, reason="again", now=NOW + DAY) is None
    more = change_global_holdout(admin_user, share=0.1, renew_days=180, reason="more", now=NOW + 2 * DAY)
    off = change_global_holdout(admin_user, share=0, renew_days=180, reason="sale", now=NOW + 3 * DAY)
    anew = change_global_holdout(admin_user, share=0.1, renew_days=180, reason="on", now=NOW + 4 * DAY)
    assert first and more and off and anew
    assert first.salt == more.salt != anew.salt
    assert [row.number for row in (first, more, off, anew)] == [1, 2, 3, 4]
    assert read_round(NOW + 2.5 * DAY) == more
    assert AuditEntry.objects.filter(action="global_holdout_changed").count() == 4


def test_only_an_administrator_changes_it_with_a_reason_and_forwards(admin_user: User, marketer: User) -> None:
    with pytest.raises(PermissionDenied):
        change_global_holdout(marketer, share=0.1, renew_days=180, reason="learn", now=NOW)
    with pytest.raises(ValidationError, match="Say why"):
        change_global_holdout(admin_user, share=0.1, renew_days=180, reason=" ", now=NOW)
    with pytest.raises(ValidationError):
        change_global_holdout(admin_user, share=0.5, renew_days=180, reason="learn", now=NOW)
    change_global_holdout(admin_user, share=0.1, renew_days=180, reason="learn", now=NOW)
    with pytest.raises(ValidationError, match="never for the past"):
        change_global_holdout(admin_user, share=0.2, renew_days=180, reason="earlier", now=NOW - DAY)


def test_it_is_renewed_after_its_period_once(admin_user: User) -> None:
    first = change_global_holdout(admin_user, share=0.05, renew_days=30, reason="learn", now=NOW)
    more = change_global_holdout(admin_user, share=0.1, renew_days=30, reason="more", now=NOW + 20 * DAY)
    assert first
    assert more
    assert find_renewal(more) == NOW + 30 * DAY
    assert renew_global_holdout(now=NOW + 29 * DAY) is None
    renewed = renew_global_holdout(now=NOW + 31 * DAY)
    assert renewed is not None
    assert (renewed.share, renewed.changed_by, renewed.salt != more.salt) == (0.1, None, True)
    assert renew_global_holdout(now=NOW + 32 * DAY) is None


@pytest.mark.parametrize(
    "change", ["UPDATE campaigns_globalholdout SET share = 0.01", "DELETE FROM campaigns_globalholdout"]
)
def test_the_database_refuses_to_change_the_past(change: str) -> None:
    _begin()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_database_refuses_a_round_that_begins_earlier() -> None:
    _begin(at=NOW)
    with pytest.raises(IntegrityError, match="before an earlier one"), transaction.atomic():
        _begin(at=NOW - DAY)


def test_a_past_group_is_derived_again_by_the_command(make_customer: Any) -> None:
    people = [make_customer(f"d{n}", id=FIRST + n) for n in range(30)]
    _begin(at=NOW - 90 * DAY)
    _begin(share=0.3, salt="beef" * 8, at=NOW - DAY)
    drawn, _others = _split(people)
    out = io.StringIO()
    call_command("derive_holdout", round=1, stdout=out)
    assert out.getvalue().splitlines() == ["id,external_id", *(f"{each.pk},{each.external_id}" for each in drawn)]
    out = io.StringIO()
    call_command("derive_holdout", round=1, customer=drawn[0].pk, stdout=out)
    assert out.getvalue().startswith("held out: drawn at 0.")
