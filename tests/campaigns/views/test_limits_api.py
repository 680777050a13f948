"""Limits and country rules over the API: the same functions, rights and audit as on the page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import ContactCap, CountryRule, PaceLimit, WarmUp
from customers.models import AuditAction, AuditEntry

pytestmark = pytest.mark.django_db
BASE = "/api/v1/"


@pytest.fixture
def admin(client: Client, admin_user: object) -> Client:
    client.force_login(admin_user)  # type: ignore[arg-type]
    return client


def put(client: Client, path: str, **body: object) -> tuple[int, dict[str, object]]:
    answer = client.put(f"{BASE}{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_rate_is_made_changed_seen_and_taken_away(admin: Client) -> None:
    assert put(admin, "limits/paces/domain/Gmail/", domains=["gmail.com"], per_minute=60)[0] == 200
    assert put(admin, "limits/paces/domain/Gmail/", domains=["gmail.com"], per_hour=900) == (
        200,
        {"scope": "domain", "name": "Gmail", "domains": ["gmail.com"], "per_minute": None, "per_hour": 900},
    )
    assert [row["name"] for row in admin.get(f"{BASE}limits/").json()["paces"]] == ["Gmail"]
    assert admin.delete(f"{BASE}limits/paces/domain/Gmail/").status_code == 204
    assert not PaceLimit.objects.exists()
    assert admin.delete(f"{BASE}limits/paces/domain/Gmail/").status_code == 404
    assert AuditEntry.objects.filter(action=AuditAction.LIMIT_CHANGED).count() == 3


def test_a_rate_that_limits_nothing_or_strange_domains_are_refused_in_words(admin: Client) -> None:
    code, told = put(admin, "limits/paces/domain/Gmail/", domains=["not a domain"])
    assert code == 400 and "not a domain" in str(told) and "minute" in str(told)
    assert put(admin, "limits/paces/route/pigeon/", per_minute=5)[0] == 400
    assert put(admin, "limits/paces/sky/email/", per_minute=5)[0] == 404
    assert put(admin, "limits/paces/route/email/", per_minute=2**40)[0] == 400
    assert not PaceLimit.objects.exists()


def test_a_cap_of_a_channel_and_of_all_together(admin: Client) -> None:
    assert put(admin, "limits/caps/all/", messages=3, days=7) == (200, {"channel": "", "messages": 3, "days": 7})
    assert put(admin, "limits/caps/sms/", messages=1, days=30)[0] == 200
    assert put(admin, "limits/caps/pigeon/", messages=1, days=30)[0] == 400
    assert put(admin, "limits/caps/sms/", messages=0, days=30)[0] == 400
    assert admin.delete(f"{BASE}limits/caps/all/").status_code == 204
    assert list(ContactCap.objects.values_list("channel", "messages")) == [("sms", 1)]


def test_one_warm_up_at_a_time(admin: Client) -> None:
    figures = {"first_day": 100, "factor": 1.5, "goal": 10_000}
    assert admin.post(f"{BASE}limits/warm-up/", figures, content_type="application/json").status_code == 201
    assert admin.post(f"{BASE}limits/warm-up/", figures, content_type="application/json").status_code == 409
    assert admin.get(f"{BASE}limits/").json()["warm_up"]["goal"] == 10_000
    assert admin.delete(f"{BASE}limits/warm-up/").status_code == 204
    assert admin.delete(f"{BASE}limits/warm-up/").status_code == 409
    assert WarmUp.objects.get().ended_at is not None


def test_a_country_rule_keeps_what_is_left_out_and_the_rule_of_all_others_stays(admin: Client) -> None:
    path = f"{BASE}country-rules/kr/"
    told = {"subject_prefix": "(광고)", "quiet_from": "21:00", "quiet_until": "08:00"}
    assert admin.patch(path, told, content_type="application/json").status_code == 200
    answer = admin.patch(path, {"names": ["Korea"]}, content_type="application/json").json()
    assert (answer["country"], answer["subject_prefix"], answer["quiet_from"]) == ("KR", "(광고)", "21:00:00")
    assert admin.patch(path, {"quiet_until": None}, content_type="application/json").status_code == 400
    assert "KR" in [rule["country"] for rule in admin.get(f"{BASE}country-rules/").json()]
    assert admin.delete(path).status_code == 204
    assert admin.delete(f"{BASE}country-rules/others/").status_code in {400, 404}
    assert CountryRule.objects.filter(country="KR").count() == 0
    assert admin.patch(f"{BASE}country-rules/korea/", {}, content_type="application/json").status_code == 404


def test_a_marketer_may_not_change_them(marketer: User, client: Client) -> None:
    client.force_login(marketer)
    for path, body in (
        ("limits/paces/route/email/", {"per_minute": 5}),
        ("limits/caps/all/", {"messages": 1, "days": 1}),
    ):
        assert put(client, path, **body)[0] == 403
    assert client.patch(f"{BASE}country-rules/de/", {}, content_type="application/json").status_code == 403
    assert not PaceLimit.objects.exists() and not ContactCap.objects.exists()
