"""Country rules hold at the freeze and before each send, by one definition; their page, and who may change them."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.approval.country_editing import remove_country_rule, save_country_rule
from campaigns.approval.policy import find_obstacles
from campaigns.audience.country_rules import read_country_rules
from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.audience.wall_time import QuietHours
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.outbox import claim_batch
from campaigns.models import Campaign, CountryRule
from customers.models import AuditEntry, ConsentRecord, Customer
from customers.models.consent import forgetting
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def starting_rules(db: None) -> None:
    """The rows that a shop starts from: a test that commits empties all tables behind it, theirs too."""
    if not CountryRule.objects.exists():
        import_module("campaigns.migrations.0013_domain_and_country_rules").insert_rules(apps, None)


@pytest.fixture
def campaign() -> Campaign:
    return arrange.make_campaign(arrange.make_cast().marketer)


def reason_for(campaign: Campaign, **changes: Any) -> str:
    customer = Customer.objects.earliest("pk")
    Customer.objects.filter(pk=customer.pk).update(**{"country": changes.pop("country", "Scotland")})
    if changes:  # the row is another one: none is ever changed
        with forgetting():
            given = ConsentRecord.objects.get(customer=customer)
            given.delete()
        for name, value in changes.items():
            setattr(given, name, value)
        given.save(force_insert=True)
    sql = f"SELECT {exclusion_case_sql('c')} FROM customers_customer c WHERE c.id = {customer.pk}"
    with connection.cursor() as cursor:
        cursor.execute(sql, exclusion_params(campaign, now=NOW))
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("country", "basis", "months_ago", "reason"),
    [
        ("Scotland", "existing_customer", 120, ""),
        ("CN", "existing_customer", 1, "country_rule"),
        (" 中国 ", "existing_customer", 1, "country_rule"),
        ("China", "consent", 1, ""),
        ("Canada", "existing_customer", 23, ""),
        ("Canada", "existing_customer", 25, "country_rule"),
        ("CANADA", "consent", 200, ""),
        ("KR", "consent", 23, ""),
        ("South Korea", "consent", 25, "country_rule"),
        ("Atlantis", "existing_customer", 300, ""),
        ("", "consent", 300, ""),
    ],
)
def test_a_consent_counts_by_country_basis_and_age(
    campaign: Campaign, country: str, basis: str, months_ago: int, reason: str
) -> None:
    then = NOW - dt.timedelta(days=30.5 * months_ago)
    assert reason_for(campaign, country=country, legal_basis=basis, recorded_at=then) == reason


def test_the_rule_for_all_others_counts_where_there_is_none(campaign: Campaign) -> None:
    CountryRule.objects.filter(country="").update(consent_months=1)
    long_ago = NOW - dt.timedelta(days=60)
    assert reason_for(campaign, country="Atlantis", recorded_at=long_ago) == "country_rule"
    assert reason_for(campaign, country="Scotland", recorded_at=long_ago) == ""


def test_without_any_rule_every_consent_counts(campaign: Campaign) -> None:
    CountryRule.objects.all().delete()
    assert reason_for(campaign, country="CN", legal_basis="existing_customer") == ""


def test_python_and_postgresql_find_the_same_rule(campaign: Campaign) -> None:
    rules = read_country_rules()
    for country in ("de", "Germany", " DEUTSCHLAND ", "中国", "", "Atlantis"):
        rule = rules.find(country)
        assert rule is not None
        CountryRule.objects.update(accepts_existing_customers=True)
        CountryRule.objects.filter(pk=rule.pk).update(accepts_existing_customers=False)
        assert reason_for(campaign, country=country, legal_basis="existing_customer") == "country_rule"


def test_the_subject_of_a_mail_to_korea_is_marked_and_can_be_replayed(settings: Settings) -> None:
    cast = arrange.make_cast()
    people = arrange.make_customers(2)
    Customer.objects.filter(pk=people[0].pk).update(country="South Korea")
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people), cast)
    messages = claim_batch("worker", campaign_id=campaign.pk, size=2)
    batch = prepare_batch(campaign, messages, now=NOW)
    copies = {message.customer_id: make_copy(batch, message) for message in messages}
    assert '"subject_prefix": "(광고) "' in copies[people[0].pk].intent.slots_json
    assert '"subject_prefix": ""' in copies[people[1].pk].intent.slots_json


def test_an_address_is_asked_for_where_a_rule_does(campaign: Campaign, settings: Settings) -> None:
    settings.SHOP_POSTAL_ADDRESS = " "
    assert any("postal address" in sentence for sentence in find_obstacles(campaign))
    CountryRule.objects.update(needs_postal_address=False)
    assert not any("postal address" in sentence for sentence in find_obstacles(campaign))


def test_quiet_hours_are_looked_up_by_country_and_channel(db: None) -> None:
    CountryRule.objects.filter(country="").update(
        quiet_from=None, quiet_until=None, sms_quiet_from="20:00", sms_quiet_until="09:00"
    )
    CountryRule.objects.filter(country="KR").update(
        quiet_from="21:00", quiet_until="08:00", sms_quiet_from=None, sms_quiet_until=None
    )
    rules = read_country_rules()
    nights, longer = QuietHours(dt.time(21), dt.time(8)), QuietHours(dt.time(20), dt.time(9))
    assert [rules.quiet_for(country, "email") for country in ("Peru", " 대한민국")] == [None, nights]
    assert [rules.quiet_for(country, "sms") for country in ("Peru", "kr")] == [longer, nights]
    for channel in ("email", "sms"):
        for country in ("Peru", "kr", "대한민국", ""):
            told = rules.quiet_by_channel()[channel]
            assert QuietHours.parse(told.get(country, told[""])) == rules.quiet_for(country, channel)


def test_only_an_admin_changes_a_rule_and_the_log_says_so(marketer: User, site_admin: User) -> None:
    with pytest.raises(PermissionDenied):
        save_country_rule(marketer, "DE", {"consent_months": 12}, now=NOW)
    for _twice in range(2):
        save_country_rule(site_admin, "DE", {"consent_months": 12}, now=NOW)
    save_country_rule(site_admin, "at", {"names": [" Austria", "austria"], "note": "x"}, now=NOW)
    with pytest.raises(ValidationError, match="is Austria already"):
        save_country_rule(site_admin, "CH", {"names": ["Austria"]}, now=NOW)
    remove_country_rule(site_admin, "AT")
    with pytest.raises(ValidationError):
        remove_country_rule(site_admin, "")
    with pytest.raises(PermissionDenied):
        remove_country_rule(marketer, "DE")
    entries = AuditEntry.objects.filter(action="country_rule_changed").order_by("id")
    assert [(entry.object_id, entry.details["fields"]) for entry in entries] == [
        ("DE", ["consent_months"]),
        ("AT", ["names", "note"]),
        ("AT", ["removed"]),
    ]


def test_the_pages_show_change_and_refuse(
    client: Client, site_admin: User, analyst: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(site_admin)
    page = reverse("campaigns:limits")
    with django_assert_max_num_queries(15):
        shown = client.get(page).content.decode()
    assert "(광고)" in shown and "not legal advice" in shown
    form = reverse("campaigns:country-rule", args=["DE"])
    good = {"names": "Germany\nDeutschland", "consent_months": "24", "quiet_from": "20:00", "quiet_until": "09:00"}
    assert client.get(form).status_code == 200
    assert client.post(form, {**good, "quiet_until": ""}).status_code == 422
    assert client.post(form, {**good, "names": "china"}).status_code == 422
    assert client.post(form, {**good, "consent_months": "0"}).status_code == 422
    assert client.post(form, good).status_code == 302
    rule = CountryRule.objects.get(country="DE")
    assert (rule.consent_months, rule.names, rule.needs_postal_address) == (24, ["deutschland", "germany"], False)
    assert client.get(reverse("campaigns:country-rule", args=["DEU"])).status_code == 404
    added = client.post(reverse("campaigns:country-add"), {"country": "at"})
    assert added["Location"] == reverse("campaigns:country-rule", args=["AT"])
    client.post(reverse("campaigns:country-removal", args=["DE"]))
    assert not CountryRule.objects.filter(country="DE").exists()
    client.force_login(analyst)
    assert client.get(page).status_code == 200
    assert client.get(form).status_code == 403
    chinese = client.get(page, headers={"accept-language": "zh-hans"}).content.decode()
    assert '<html lang="zh-hans"' in chinese
