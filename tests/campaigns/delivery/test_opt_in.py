"""Double opt-in: the wish waits, one mail asks, GET shows and POST confirms; nothing that a scanner does counts."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from email import message_from_bytes
from email.policy import default

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.opt_in.asking import Asked, ask_consent, close_outlived
from campaigns.delivery.opt_in.confirming import (
    CONFIRM_PATH,
    BadRequestToken,
    Standing,
    confirm_url,
    confirm_wish,
    describe_wish,
)
from campaigns.delivery.opt_in.mailing import mail_waiting_requests, write_mail
from campaigns.models import Campaign, CountryRule, OptInRequest
from customers.ingest.consent import record_consent, suppress_address, withdraw_consent
from customers.models import Customer, SuppressedDomain, Suppression
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import At, Fault, ScriptedSmtpServer

pytestmark = pytest.mark.django_db
WORDING = "Yes, send me offers & news by e-mail."


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def german(db: None) -> Customer:
    CountryRule.objects.update_or_create(country="DE", defaults={"needs_double_opt_in": True, "names": ["germany"]})
    return Customer.objects.create(external_id="g1", email="grete@shopper.test", country="Germany", language="en")


def ask(customer: Customer, now: dt.datetime, **given: str) -> Asked:
    return ask_consent(customer, source="checkout", wording=WORDING, now=now, **given)  # type: ignore[arg-type]


def mail(server: ScriptedSmtpServer, timeout_s: float = 5) -> Counter[str]:
    door = SmtpServer("127.0.0.1", server.port, timeout_s)
    return mail_waiting_requests(seconds=20, open_channel=lambda: SmtpChannel(door))


def newest(customer: Customer) -> str:
    return customer.consents.order_by("recorded_at", "pk").values_list("status", flat=True).last() or ""


def token_of(customer: Customer) -> str:
    return confirm_url(customer.opt_in_requests.latest("pk")).rstrip("/").rpartition("/")[2]


def may_be_written_to(customer: Customer, campaign: Campaign, now: dt.datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {exclusion_case_sql('c')} FROM customers_customer c WHERE c.id = %(id)s",
            exclusion_params(campaign, now=now) | {"id": customer.pk},
        )
        return str(cursor.fetchone()[0])


def test_from_the_wish_over_the_mail_to_the_yes(german: Customer, client: Client, now: dt.datetime, cast: Cast) -> None:
    campaign = arrange.make_campaign(cast.marketer, now=now)
    assert ask(german, now) is Asked.PENDING
    assert may_be_written_to(german, campaign, now) == "no_consent"
    with ScriptedSmtpServer() as server:
        assert mail(server) == {"sent": 1}
        assert mail(server) == {}
    (content,) = server.taken
    letter = message_from_bytes(content, policy=default)
    plain = letter.get_body(("plain",))
    assert plain is not None and letter["To"] == "grete@shopper.test" and "List-Unsubscribe" not in letter
    text = plain.get_content()
    assert WORDING in text
    link = re.search(r"https?://\S+", text)
    assert link is not None
    path = link.group().partition("//")[2].partition("/")[2]

    for method in (client.get, client.head):
        assert method(f"/{path}").status_code == 200
    assert newest(german) == "pending", "a scanner that fetches the link has confirmed nothing"
    assert "Yes, write to me" in client.get(f"/{path}").content.decode()
    assert client.post(f"/{path}").status_code == 302
    assert "it is noted" in client.get(f"/{path}").content.decode()
    assert may_be_written_to(german, campaign, timezone.now()) == ""
    proof = german.consents.latest("pk").proof
    assert (proof["wording"], proof["asked_at"]) == (WORDING, now.isoformat())
    assert dt.datetime.fromisoformat(proof["confirmed_at"]) > dt.datetime.fromisoformat(proof["mailed_at"]) > now
    assert not any(key.endswith("_from") for key in proof), "no network address unless the shop keeps them"

    client.post(f"/{path}")
    assert german.consents.filter(status="given").count() == 1, "a second press writes nothing"


def test_network_addresses_are_proof_where_the_shop_keeps_them(
    german: Customer, client: Client, settings: Settings, now: dt.datetime
) -> None:
    settings.CONSENT_KEEPS_IP = True
    ask(german, now, network_address="192.0.2.7")
    client.post(reverse("campaigns:confirm-opt-in", args=[token_of(german)]), REMOTE_ADDR="192.0.2.8")
    proof = german.consents.latest("pk").proof
    assert (proof["asked_from"], proof["confirmed_from"]) == ("192.0.2.7", "192.0.2.8")


def test_elsewhere_a_wish_counts_at_once(db: None, now: dt.datetime) -> None:
    CountryRule.objects.update_or_create(country="GB", defaults={"needs_double_opt_in": False, "names": ["scotland"]})
    scot = arrange.make_customers(1, consents=False)[0]
    assert ask(scot, now) is Asked.GIVEN
    assert ask(scot, now) is Asked.STANDING
    record = scot.consents.get()
    assert (record.status, record.proof["wording"], record.source) == ("given", WORDING, "checkout")
    assert not OptInRequest.objects.exists()


@pytest.mark.parametrize("by_suppression", [False, True])
def test_who_left_comes_back_only_by_mail_wherever_they_live(now: dt.datetime, by_suppression: bool) -> None:
    scot = arrange.make_customers(1, now=now)[0]
    if by_suppression:
        suppress_address(scot.email, reason=Suppression.Reason.UNSUBSCRIBED)
    else:
        withdraw_consent(scot, source="unsubscribe", now=now)
    assert ask(scot, now) is Asked.PENDING
    assert Suppression.objects.exists() is by_suppression
    assert confirm_wish(token_of(scot), now=now) is Standing.CONFIRMED
    assert newest(scot) == "given" and not Suppression.objects.exists()


@pytest.mark.parametrize("reason", [reason for reason in Suppression.Reason if reason != "unsubscribed"])
def test_other_suppressed_addresses_are_not_even_asked(german: Customer, now: dt.datetime, reason: str) -> None:
    suppress_address(german.email, reason=reason)
    assert ask(german, now) is Asked.SUPPRESSED
    Suppression.objects.all().delete()
    ask(german, now)
    suppress_address(german.email, reason=reason)
    with ScriptedSmtpServer() as server:
        mail(server)
    assert server.taken == [] and OptInRequest.objects.get().mail == "failed"


def test_a_suppressed_domain_is_not_asked_either(german: Customer, now: dt.datetime) -> None:
    SuppressedDomain.objects.create(domain="shopper.test")
    assert ask(german, now) is Asked.SUPPRESSED


def test_who_left_is_promised_no_mail_at_a_suppressed_domain(german: Customer, now: dt.datetime) -> None:
    SuppressedDomain.objects.create(domain="shopper.test")
    suppress_address(german.email, reason=Suppression.Reason.UNSUBSCRIBED)
    assert ask(german, now) is Asked.SUPPRESSED
    assert not OptInRequest.objects.exists() and Suppression.objects.get().reason == "unsubscribed"


def test_a_stranger_cannot_fill_a_mailbox(german: Customer, now: dt.datetime) -> None:
    outcomes = [ask(german, now)]
    for minutes in (1, 11, 12, 23, 40, 60):
        with ScriptedSmtpServer() as server:
            mail(server)
        outcomes.append(ask(german, now + dt.timedelta(minutes=minutes)))
    assert outcomes == ["pending", "too_soon", "mailed_again", "too_soon", "mailed_again", "too_soon", "too_soon"]
    assert german.consents.count() == 1 and OptInRequest.objects.get().mails == 3
    late = now + dt.timedelta(days=8)
    assert close_outlived(late) == 1
    assert ask(german, late - dt.timedelta(hours=1)) is Asked.TOO_SOON
    assert ask(german, late + dt.timedelta(days=1)) is Asked.PENDING


def test_links_that_are_late_forged_or_of_another_address_confirm_nothing(
    german: Customer, client: Client, now: dt.datetime, settings: Settings
) -> None:
    ask(german, now)
    token = token_of(german)
    assert confirm_wish(token, now=now + dt.timedelta(days=settings.OPT_IN_LINK_DAYS)) is Standing.TOO_LATE
    number, _dash, rest = token.partition("-")
    altered = f"{int(number) + 1}-{rest}"
    for bad in (altered, token[:-2], "x", f"{token}A"):
        assert client.post(f"{CONFIRM_PATH}{bad}/").status_code == 404
    Customer.objects.filter(pk=german.pk).update(email="another@shopper.test")
    assert confirm_wish(token, now=now) is Standing.TOO_LATE
    assert newest(german) == "pending"
    with ScriptedSmtpServer() as server:
        mail(server)
    assert server.taken == [], "the address that was asked for is theirs no more"


def test_a_link_does_not_confirm_another_row_that_has_its_number_after_a_restore(
    german: Customer, client: Client, now: dt.datetime
) -> None:
    ask(german, now)
    token, number = token_of(german), german.opt_in_requests.get().pk
    german.opt_in_requests.all().delete()
    other = Customer.objects.create(external_id="other", email="other@shopper.test", country="Germany")
    ask(other, now)
    OptInRequest.objects.filter(customer=other).update(id=number)
    with pytest.raises(BadRequestToken):
        confirm_wish(token, now=now)
    assert client.get(f"{CONFIRM_PATH}{token}/").status_code == 404
    assert newest(other) == "pending"
    assert confirm_wish(token_of(other), now=now) is Standing.CONFIRMED


def test_the_page_speaks_the_language_of_the_person(german: Customer, client: Client, now: dt.datetime) -> None:
    ask(german, now, language="zh-CN")
    page = client.get(f"{CONFIRM_PATH}{token_of(german)}/").content.decode()
    assert 'lang="zh-hans"' in page
    assert describe_wish(token_of(german), now=now).wording == WORDING


@pytest.mark.parametrize(
    ("phase", "fault", "expected", "taken"),
    [
        (At.RCPT, Fault.TEMPORARY, "queued", 0),
        (At.RCPT, Fault.PERMANENT, "failed", 0),
        (At.DOT, Fault.CUT, "unknown", 1),
    ],
)
def test_a_mail_in_doubt_never_goes_again_by_itself(
    german: Customer, now: dt.datetime, phase: At, fault: Fault, expected: str, taken: int
) -> None:
    ask(german, now)
    with ScriptedSmtpServer(phase, fault) as server:
        mail(server)
        assert OptInRequest.objects.get().mail == expected
        mail(server)
        assert len(server.taken) == taken
        OptInRequest.objects.update(not_before=None)
        mail(server)
    assert len(server.taken) == (1 if expected in ("queued", "unknown") else 0)


def test_a_worker_that_died_leaves_its_mail_unknown(german: Customer, now: dt.datetime) -> None:
    ask(german, now)
    OptInRequest.objects.update(mail="sending", sending_at=now - dt.timedelta(days=1))
    with ScriptedSmtpServer() as server:
        assert mail(server) == {"given up": 1}
    assert server.taken == [] and OptInRequest.objects.get().mail == "unknown"
    assert ask(german, now + dt.timedelta(minutes=11)) is Asked.MAILED_AGAIN


def test_no_mail_leaves_from_a_restored_backup(german: Customer, now: dt.datetime, settings: Settings) -> None:
    ask(german, now)
    with ScriptedSmtpServer() as server:
        mail(server)
        OptInRequest.objects.update(mail="queued")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE campaigns_sendingepoch SET fenced_at = now(), cause = 'behind'")
        mail(server)
        assert len(server.taken) == 1


def test_leaving_after_the_wish_is_undone_only_by_pressing_the_button(german: Customer, now: dt.datetime) -> None:
    ask(german, now)
    withdraw_consent(german, source="unsubscribe", now=now + dt.timedelta(hours=1))
    assert confirm_wish(token_of(german), now=now + dt.timedelta(hours=2)) is Standing.CONFIRMED
    assert newest(german) == "given"
    record_consent(german, source="x", now=now + dt.timedelta(hours=3), is_test=True)
    assert ask(german, now + dt.timedelta(hours=4)) is Asked.PENDING, "a consent for tests is none"


def test_its_mail_is_dressed_for_light_and_dark_and_what_is_quoted_stays_text(settings: Settings) -> None:
    """Without a ground of its own a mail with dark words is unread in a dark mail program."""
    mail = write_mail("https://shop.test/y/1/", "<b>Yes</b>")
    assert 'content="light dark"' in mail.html and "prefers-color-scheme:dark" in mail.html
    assert re.search(r'<body class="paper" style="[^"]*background: #f6f3ef', mail.html)
    assert "&lt;b&gt;Yes" in mail.html and "<b>Yes" not in mail.html
    assert mail.html.count("https://shop.test/y/1/") == 1 and settings.SHOP_NAME in mail.html
