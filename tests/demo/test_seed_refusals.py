"""Where no demo shop is put in, and what an interrupted seeding leaves: nothing."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from campaigns.models import Campaign
from customers.models import Customer, CustomerEvent, ImportRun, Segment
from retention_site.demo.people import PEOPLE, make_people
from retention_site.demo.seed import seed_demo


class Interrupted(Exception):
    """Ctrl-C, a kill, a lost database: whatever ends a seeding half-way."""


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_seeding_leaves_nothing_behind() -> None:
    said: list[str] = []

    def write(line: str) -> None:
        said.append(line)
        if "training" in line:
            raise Interrupted

    with pytest.raises(Interrupted):
        seed_demo(now=timezone.now(), customers=60, write=write)
    assert any("events" in line for line in said)
    assert not any(model.objects.exists() for model in (Customer, CustomerEvent, Campaign, ImportRun, User))


@pytest.mark.django_db
def test_too_small_a_shop_is_refused_with_a_sentence() -> None:
    with pytest.raises(CommandError, match="too few"):
        call_command("seed_demo", customers=12, stdout=io.StringIO())
    assert not Customer.objects.exists()
    assert not Segment.objects.exists()


@pytest.mark.django_db
def test_a_shop_with_other_customers_is_left_alone() -> None:
    Customer.objects.create(external_id="one of ours")
    out = io.StringIO()
    call_command("seed_demo", if_empty=True, stdout=out)
    assert "stays out" in out.getvalue()
    with pytest.raises(CommandError, match="has customers already"):
        call_command("seed_demo", stdout=io.StringIO())
    assert (Customer.objects.count(), User.objects.count()) == (1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("elsewhere", [{"USES_MAIL_CATCHER": False}, {"SITE_IS_HTTPS": True}])
def test_demo_log_ins_are_never_put_into_a_real_shop(elsewhere: dict[str, bool]) -> None:
    with override_settings(**elsewhere):
        for options in ({}, {"with_people_only": True}):
            with pytest.raises(CommandError):
                call_command("seed_demo", **options, stdout=io.StringIO())
        call_command("seed_demo", if_empty=True, stdout=io.StringIO())
    assert not User.objects.exists()
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_people_alone_let_somebody_log_in_to_an_empty_shop() -> None:
    out = io.StringIO()
    call_command("show_logins", stdout=out)
    assert "nobody can log in yet" in out.getvalue()
    make_people()
    make_people()
    assert User.objects.count() == len(PEOPLE)
    assert not Customer.objects.exists()
    call_command("shop_is_empty", stdout=io.StringIO())
