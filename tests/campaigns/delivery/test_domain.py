"""The domain doctor against a real name server on loopback: every fault is told, with the record that mends it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns import tasks
from campaigns.approval import workflow
from campaigns.approval.domain_override import end_override, override_domain
from campaigns.approval.policy import NotReady
from campaigns.approval.sender_domain import find_domain_warnings, read_domain_state
from campaigns.delivery.domain.dmarc import find_organisation, is_aligned, read_dmarc
from campaigns.delivery.domain.doctor import check_domain, examine_domain
from campaigns.delivery.domain.resolver import Resolver
from campaigns.delivery.domain.spf import read_spf
from campaigns.models import DomainCheck, TransitionConflict
from campaigns.views.domain_words import SENTENCES
from customers.models import AuditEntry
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW
from tests.dns_server import DnsServer, text

DOMAIN = "fernweh.example"
KEY = base64.b64encode(b"k" * 294).decode()
GOOD: dict[tuple[str, str], list[str]] = {
    (DOMAIN, "TXT"): [text("v=spf1 include:relay.example -all"), text("some-verification=1")],
    ("relay.example", "TXT"): [text("v=spf1 ip4:203.0.113.0/24 -all")],
    (f"_dmarc.{DOMAIN}", "TXT"): [text("v=DMARC1; p=quarantine; rua=mailto:d@fernweh.example")],
    (f"rk1._domainkey.{DOMAIN}", "TXT"): [text(f"v=DKIM1; k=rsa; p={KEY}")],
    (DOMAIN, "MX"): ["10 mail.fernweh.example."],
    ("smtp.relay.example", "A"): ["203.0.113.5"],
    ("5.113.0.203.in-addr.arpa", "PTR"): ["smtp.relay.example."],
}
SPF, DMARC, DKIM = (DOMAIN, "TXT"), (f"_dmarc.{DOMAIN}", "TXT"), (f"rk1._domainkey.{DOMAIN}", "TXT")
Start = Callable[..., DnsServer]


@pytest.fixture
def shop(settings: Settings) -> Settings:
    settings.SHOP_FROM_EMAIL, settings.SITE_URL = f"hello@{DOMAIN}", "https://mail.fernweh.example"
    settings.DKIM_SELECTOR, settings.DKIM_DOMAIN = "rk1", ""
    settings.USES_MAIL_CATCHER, settings.EMAIL_HOST = False, "smtp.relay.example"
    settings.DNS_TIMEOUT_S = 0.3
    return settings


@pytest.fixture
def serve(shop: Settings) -> Iterator[Start]:
    """Start a server with the good zone, changed as a test says; a value of None takes a name away."""
    started: list[DnsServer] = []

    def start(changes: dict[tuple[str, str], list[str] | None] | None = None, **more: Any) -> DnsServer:
        zone = {key: value for key, value in {**GOOD, **(changes or {})}.items() if value is not None}
        server = DnsServer(zone, **more)
        server.__enter__()
        started.append(server)
        shop.DNS_RESOLVER = server.address
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def resolver(server: DnsServer) -> Resolver:
    return Resolver(server.address, timeout_s=0.3)


def found(server: DnsServer) -> dict[str, tuple[str, str]]:
    return {each.kind: (each.verdict, each.code) for each in examine_domain(DOMAIN, resolver(server))}


def test_a_domain_that_is_in_order(serve: Start) -> None:
    verdicts = found(serve())
    # 203.0.113.0/24 is for documentation, so no server outside is looked up by its name.
    assert verdicts.pop("reverse") == ("unknown", "no_server")
    assert verdicts == dict.fromkeys(["alignment", "dmarc", "spf", "dkim", "mx", "one_click"], ("ok", ""))


@pytest.mark.parametrize(
    ("changes", "kind", "verdict", "code"),
    [
        ({SPF: None}, "spf", "fail", "missing"),
        ({SPF: [text("v=spf1 -all"), text("v=spf1 a -all")]}, "spf", "fail", "two_records"),
        ({SPF: [text("v=spf1 +all")]}, "spf", "fail", "everybody"),
        ({SPF: [text("v=spf1 all")]}, "spf", "fail", "everybody"),
        ({SPF: [text("v=spf1 ip4:203.0.113.5 ?all")]}, "spf", "warn", "open_end"),
        ({SPF: [text("v=spf1 ip4:203.0.113.5")]}, "spf", "warn", "open_end"),
        ({SPF: [text("v=spf1 ip4:203.0.113.5 ptr -all")]}, "spf", "warn", "uses_ptr"),
        ({SPF: [text("v=spf1 ip4:198.51.100.1 -all")]}, "spf", "warn", "server_not_named"),
        ({SPF: [text("v=spf1 ip4:999.1.1.1 -all")]}, "spf", "fail", "syntax"),
        ({SPF: [text("v=spf1 nonsense -all")]}, "spf", "fail", "syntax"),
        ({SPF: [text("v=spf1 include:nobody.example -all")]}, "spf", "fail", "include_broken"),
        ({SPF: [text("v=spf1 include:" + "a" * 70 + ".example -all")]}, "spf", "unknown", "unanswered"),
        ({SPF: [text("v=spf1 " + " ".join(f"exists:x{n}.example" for n in range(11)) + " -all")]}, "spf", "fail",
         "too_many_lookups"),
        ({SPF: [text(f"v=spf1 include:{DOMAIN} -all")]}, "spf", "fail", "too_many_lookups"),
        ({SPF: [text("v=spf1 a:no.example a:none.example a:never.example -all")]}, "spf", "fail", "too_many_lookups"),
        ({SPF: [text("v=spf1 redirect=relay.example")]}, "spf", "ok", ""),
        ({SPF: [text("V=SPF1 IP4:203.0.113.5 -ALL")]}, "spf", "ok", ""),
        ({SPF: [text("v=spf10 -all")]}, "spf", "fail", "missing"),
        ({DMARC: None}, "dmarc", "fail", "missing"),
        ({DMARC: None}, "alignment", "fail", "no_policy"),
        ({DMARC: [text("v=DMARC1; p=none; rua=mailto:d@fernweh.example")]}, "dmarc", "warn", "policy_none"),
        ({DMARC: [text("v=DMARC1; p=reject")]}, "dmarc", "warn", "no_reports"),
        ({DMARC: [text("v=DMARC1; p=nope")]}, "dmarc", "fail", "syntax"),
        ({DMARC: [text("v=DMARC1; p=reject"), text("v=DMARC1; p=none")]}, "dmarc", "fail", "two_records"),
        ({DKIM: None}, "dkim", "fail", "missing"),
        ({DKIM: None}, "alignment", "warn", "spf_only"),
        ({SPF: None}, "alignment", "warn", "dkim_only"),
        ({DKIM: None, SPF: None}, "alignment", "fail", "nothing_aligned"),
        ({DKIM: [text("v=DKIM1; p=")]}, "dkim", "fail", "revoked"),
        ({DKIM: [text("v=DKIM1; p=not base64!")]}, "dkim", "fail", "syntax"),
        ({DKIM: [text(f"v=DKIM1; p={KEY}"), text(f"p={KEY[:-4]}")]}, "dkim", "fail", "two_records"),
        ({DKIM: [text("v=DKIM1; p=" + base64.b64encode(b"k" * 94).decode())]}, "dkim", "fail", "short"),
        ({DKIM: [text("v=DKIM1; p=" + base64.b64encode(b"k" * 162).decode())]}, "dkim", "warn", "weak"),
        ({DKIM: [text("v=DKIM1; k=ed25519; p=" + base64.b64encode(b"k" * 32).decode())]}, "dkim", "ok", ""),
        ({DKIM: [text(f"v=DKIM1; t=y; p={KEY}")]}, "dkim", "warn", "testing"),
        ({(DOMAIN, "MX"): None}, "mx", "fail", "missing"),
        ({(DOMAIN, "MX"): None, (DOMAIN, "A"): ["203.0.113.9"]}, "mx", "warn", "missing"),
        ({(DOMAIN, "MX"): ["0 ."]}, "mx", "fail", "null"),
    ],
)  # fmt: skip
def test_each_fault_is_told(
    serve: Start, changes: dict[tuple[str, str], list[str] | None], kind: str, verdict: str, code: str
) -> None:
    assert found(serve(changes))[kind] == (verdict, code)
    assert (kind, code) in SENTENCES


@pytest.mark.parametrize("how", ["silent", "broken"])
def test_a_server_that_does_not_answer_is_no_verdict(serve: Start, how: str) -> None:
    server = serve(**{how: [DOMAIN, f"_dmarc.{DOMAIN}", f"rk1._domainkey.{DOMAIN}"]})
    verdicts = found(server)
    assert {kind: verdicts[kind] for kind in ("alignment", "dmarc", "spf", "dkim", "mx")} == dict.fromkeys(
        ("alignment", "dmarc", "spf", "dkim", "mx"), ("unknown", "unanswered")
    )


def test_all_questions_together_have_an_end(serve: Start) -> None:
    server = serve(silent=[DOMAIN])
    asking = Resolver(server.address, timeout_s=0.2, all_s=0)
    assert asking.read_texts(DOMAIN).status == "failed" and server.asked == []


def test_the_same_question_is_asked_once(serve: Start) -> None:
    server = serve()
    examine_domain(DOMAIN, resolver(server))
    assert len(server.asked) == len(set(server.asked))


def test_what_spf_names_is_counted_through_includes(serve: Start) -> None:
    spf = read_spf(DOMAIN, resolver(serve()))
    assert spf.lookups == 1 and spf.all == "-" and spf.permits("203.0.113.77") and not spf.permits("198.51.100.1")
    assert not spf.permits("2001:db8::1")


def test_reverse_dns_has_to_lead_back(serve: Start, shop: Settings) -> None:
    shop.EMAIL_HOST = "smtp.far.example"
    zone: dict[tuple[str, str], list[str] | None] = {
        ("smtp.far.example", "A"): ["8.8.4.4"], ("4.4.8.8.in-addr.arpa", "PTR"): ["smtp.far.example."],
    }  # fmt: skip
    assert found(serve(zone))["reverse"] == ("ok", "")
    zone[("4.4.8.8.in-addr.arpa", "PTR")] = ["other.example."]
    assert found(serve(zone))["reverse"] == ("warn", "no_name")


def test_the_policy_of_a_domain_above_applies_with_its_sp(serve: Start) -> None:
    above = serve({("_dmarc.fernweh.example", "TXT"): [text("v=DMARC1; p=reject; sp=none; rua=mailto:d@x.example")]})
    dmarc = read_dmarc(f"news.{DOMAIN}", resolver(above))
    assert (dmarc.policy, dmarc.at) == ("none", DOMAIN)


def test_a_key_of_the_same_organisation_is_aligned_unless_strict(serve: Start, shop: Settings) -> None:
    server = serve()
    asking = resolver(server)
    assert find_organisation(f"a.news.{DOMAIN}", asking) == DOMAIN
    assert is_aligned(f"mail.{DOMAIN}", DOMAIN, "r", asking) and not is_aligned(f"mail.{DOMAIN}", DOMAIN, "s", asking)
    assert not is_aligned("relay.example", DOMAIN, "r", asking)
    shop.DKIM_DOMAIN = "relay.example"
    key: dict[tuple[str, str], list[str] | None] = {("rk1._domainkey.relay.example", "TXT"): GOOD[DKIM]}
    assert found(serve(key))["alignment"] == ("warn", "spf_only")
    assert found(serve({**key, SPF: None}))["alignment"] == ("fail", "other_domain")


def test_one_click_needs_https(serve: Start, shop: Settings) -> None:
    shop.SITE_URL = "http://fernweh.example"
    assert found(serve())["one_click"] == ("fail", "not_https")


def test_every_code_has_its_sentence_in_the_page() -> None:
    for (_kind, _code), sentence in SENTENCES.items():
        assert str(sentence) % {"lookups": 1, "most": 2, "at": "x", "signed_by": "y"}


@pytest.mark.django_db
def test_a_check_is_kept_with_its_time_and_what_to_publish(serve: Start) -> None:
    serve({SPF: None})
    check_domain(NOW)
    check_domain(NOW + dt.timedelta(days=1))
    check_domain(NOW + dt.timedelta(days=500))
    assert DomainCheck.objects.values("checked_at").distinct().count() == 1, "the two old ones are forgotten"
    row = read_domain_state().checks[2]
    assert row.kind == "spf" and row.details["record"] == f'{DOMAIN}. TXT "v=spf1 ip4:203.0.113.5 -all"'


@pytest.mark.django_db
def test_real_mail_that_fails_alignment_is_neither_submitted_nor_approved(
    serve: Start, shop: Settings, site_admin: User
) -> None:
    cast = arrange.make_cast()
    campaign = arrange.make_campaign(cast.marketer)
    assert find_domain_warnings(NOW) == [
        "The sending domain was never checked. Look at Settings → Sending before this leaves."
    ]
    arrange.submit(campaign, cast)  # a domain of which nothing is known only warns
    serve({DMARC: None})
    check_domain(NOW)
    with pytest.raises(NotReady, match="DMARC alignment"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    workflow.request_changes(cast.approver, campaign, comment="x", now=NOW)
    with pytest.raises(NotReady, match="DMARC alignment"):
        arrange.submit(campaign, cast)

    override_domain(site_admin, reason="The record is being published today.", now=NOW)
    arrange.submit(campaign, cast)
    assert any("published today" in sentence for sentence in find_domain_warnings(NOW))
    end_override(site_admin, now=NOW)
    with pytest.raises(NotReady, match="DMARC alignment"):
        workflow.approve_campaign(cast.approver, campaign, now=NOW)
    shop.USES_MAIL_CATCHER = True
    workflow.approve_campaign(cast.approver, campaign, now=NOW)
    actions = list(AuditEntry.objects.filter(object_kind="domain").order_by("id").values_list("action", flat=True))
    assert actions == ["domain_overridden", "domain_override_ended"]


@pytest.mark.django_db
def test_only_an_admin_overrides_once_and_with_a_reason(shop: Settings, marketer: User, site_admin: User) -> None:
    with pytest.raises(PermissionDenied):
        override_domain(marketer, reason="because I want to", now=NOW)
    with pytest.raises(NotReady):
        override_domain(site_admin, reason="  short  ", now=NOW)
    override_domain(site_admin, reason="a good reason", now=NOW)
    with pytest.raises(TransitionConflict):
        override_domain(site_admin, reason="a good reason", now=NOW)
    with pytest.raises(PermissionDenied):
        end_override(marketer, now=NOW)
    end_override(site_admin, now=NOW)
    with pytest.raises(TransitionConflict):
        end_override(site_admin, now=NOW)


@pytest.mark.django_db
def test_nothing_is_asked_of_anybody_while_mail_is_only_caught(serve: Start, shop: Settings) -> None:
    server = serve()
    shop.USES_MAIL_CATCHER = True
    tasks.check_domain()
    assert server.asked == [] and not DomainCheck.objects.exists()
    shop.USES_MAIL_CATCHER = False
    tasks.check_domain()
    assert server.asked and DomainCheck.objects.count() == 7


@pytest.mark.django_db
def test_the_page_looks_up_tells_and_overrides(
    client: Client, serve: Start, site_admin: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    serve({DMARC: None})
    client.force_login(site_admin)
    page = reverse("campaigns:domain")
    assert "Not looked up yet" in client.get(page).content.decode()
    assert client.get(reverse("campaigns:domain-check")).status_code == 405
    client.post(reverse("campaigns:domain-check"))
    with django_assert_max_num_queries(17):
        shown = client.get(page).content.decode()
    assert "anybody may write in your name" in shown and "p=quarantine" in shown
    assert "No campaign may be submitted or approved" in shown
    client.post(reverse("campaigns:domain-override"), {"reason": "short"})
    assert read_domain_state().override is None
    client.post(reverse("campaigns:domain-override"), {"reason": "It is being published."})
    assert "It is being published." in client.get(page).content.decode()
    client.post(reverse("campaigns:domain-override-end"))
    assert read_domain_state().override is None


@pytest.mark.django_db
def test_the_page_speaks_chinese(client: Client, shop: Settings, analyst: User) -> None:
    client.force_login(analyst)
    assert '<html lang="zh-hans"' in client.get(
        reverse("campaigns:domain"), headers={"accept-language": "zh-hans"}
    ).content.decode()  # fmt: skip


@pytest.mark.django_db
def test_an_old_check_is_said_to_be_old(serve: Start) -> None:
    serve()
    check_domain(timezone.now() - dt.timedelta(days=8))
    assert "more than a week" in find_domain_warnings(timezone.now())[0]
