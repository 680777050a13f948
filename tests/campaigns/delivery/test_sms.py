"""Text messages: what the provider gets, short links, receipts in any order, and STOP."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from campaigns.content.rendering import SHORT_LENGTH, load_source, render_message
from campaigns.delivery import engagement
from campaigns.delivery.channels import Cause, Envelope, Outcome
from campaigns.delivery.channels.sms import SmsChannel
from campaigns.delivery.channels.targets import SMS_HOOK_PATH, SmsTarget
from campaigns.delivery.mime import hash_body
from campaigns.delivery.names import derive_name
from campaigns.delivery.sender import send_waiting_messages
from campaigns.delivery.short_links import SHORT_PATH, WAY_OUT, short_url
from campaigns.delivery.sms_hooks import is_stop
from campaigns.delivery.unsubscribe import leave_channel, make_token
from campaigns.models import Campaign, CampaignStatus, DeliveryEvent, Message, Variant
from customers.ingest.consent import hash_address, is_suppressed, record_consent
from customers.merging.merge import merge_customers
from customers.models import Customer, CustomerEvent, Suppression
from retention_site.engine_urls import catch_sms, read_sms_target
from tests.campaigns.arrange import Cast
from tests.provider_server import Harm

from .conftest import start_on, states
from .texting import TextingProvider

SITE = "https://go.fernweh.test"
TOKEN = "an-auth-token"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile Safari/604.1"
ENVELOPE = Envelope("", "+447700900123", "Hello 李雷".encode(), "1.1.2.0123456789abcdef0123")


@pytest.fixture
def provider(settings: Settings) -> Iterator[TextingProvider]:
    with TextingProvider() as server:
        settings.SMS_TARGET = SmsTarget("twilio", "AC1", TOKEN, "+447700900000", api_url=server.url)
        settings.SMS_IS_CAUGHT, settings.SITE_IS_HTTPS, settings.SITE_URL = False, True, SITE
        settings.EMAIL_TIMEOUT = 10
        settings.SECURE_SSL_REDIRECT = False
        yield server


@pytest.fixture
def sent(provider: TextingProvider, cast: Cast, now: dt.datetime) -> Campaign:
    """A campaign that three people got by text message."""
    campaign = start_on("sms", cast, now=now)
    send_waiting_messages(seconds=60, connections=1)
    assert states(campaign) == {"accepted": 3}
    return campaign


def post(client: Client, form: Mapping[str, str], *, query: str = "", token: str = TOKEN, **headers: str) -> int:
    """As Twilio posts: the signature over address and form, written down here a second time (their page "Security")."""
    url = f"{SITE}{SMS_HOOK_PATH}{query}"
    told = url + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), told.encode(), hashlib.sha1).digest()).decode()
    return client.post(
        f"{SMS_HOOK_PATH}{query}",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature} | headers,  # type: ignore[arg-type]
    ).status_code


def receipt(client: Client, message: Message, status: str, code: str = "") -> int:
    name = derive_name(message.campaign_id, message.step, message.customer_id, message.entry)
    form = {"MessageSid": f"SM{message.pk}", "MessageStatus": status, "To": message.customer.phone}
    return post(client, form | ({"ErrorCode": code} if code else {}), query=f"?message={name}")


def answer(client: Client, sender: str, body: str, sid: str = "SM9", **more: str) -> int:
    return post(client, {"MessageSid": sid, "From": sender, "To": "+447700900000", "Body": body, **more})


# --- What leaves ------------------------------------------------------------------------------------------------------


def test_the_provider_gets_number_sender_words_and_where_to_report(sent: Campaign, provider: TextingProvider) -> None:
    path, headers, _form = provider.requests[0]
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"AC1:{TOKEN}".encode()).decode()
    for message in Message.objects.select_related("customer", "variant"):
        form = next(form for form in provider.letters if form["To"] == message.customer.phone)
        copy = render_message(load_source(message.variant), message.slots)
        assert form["Body"] == copy.text and hash_body(copy) == message.body_hash
        assert form["From"] == "+447700900000"
        assert form["StatusCallback"] == f"{SITE}{SMS_HOOK_PATH}?message={message.message_id}"
        assert form["Body"].endswith(f"Opt out: reply STOP or {short_url(message.pk, WAY_OUT)}")
        assert short_url(message.pk, 1) in form["Body"] and "fernweh.test/jackets" not in form["Body"]


def test_a_name_as_the_sender_cannot_be_answered_and_no_report_reaches_this_machine(
    provider: TextingProvider, settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    settings.SITE_IS_HTTPS = False
    settings.SMS_TARGET = SmsTarget("twilio", "AC1", TOKEN, "Fernweh", api_url=provider.url)
    start_on("sms", cast, now=now)
    send_waiting_messages(seconds=60, connections=1)
    assert len(provider.letters) == 3
    for form in provider.letters:
        assert form["From"] == "Fernweh" and "StatusCallback" not in form and "STOP" not in form["Body"]
        assert "Opt out: https://" in form["Body"]


def test_an_api_key_logs_in_and_a_service_may_send(provider: TextingProvider) -> None:
    service = "MG" + "0" * 32
    target = SmsTarget("twilio", "AC1", TOKEN, service, api_url=provider.url, key="SK1", secret="of-the-key")
    assert SmsChannel(target, timeout_s=10).deliver(ENVELOPE).outcome is Outcome.ACCEPTED
    path, headers, form = provider.requests[0]
    assert (
        path.startswith("/2010-04-01/Accounts/AC1/") and form["MessagingServiceSid"] == service and "From" not in form
    )
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"SK1:of-the-key").decode()


def test_a_yes_that_nobody_can_read_is_none(provider: TextingProvider, settings: Settings) -> None:
    provider.harm = Harm.NONSENSE_TAKEN
    reply = SmsChannel(settings.SMS_TARGET, timeout_s=10).deliver(ENVELOPE)
    assert reply.outcome is Outcome.UNKNOWN and len(provider.letters) == 1


def test_a_sender_that_is_not_ours_pauses_and_no_number_is_kept(
    provider: TextingProvider, settings: Settings, cast: Cast, now: dt.datetime
) -> None:
    provider.harm, provider.status, provider.times = Harm.STATUS, 400, None
    provider.answer = '{"code": 21606, "message": "The From number +447700900000 is none of yours", "status": 400}'
    reply = SmsChannel(settings.SMS_TARGET, timeout_s=10).deliver(ENVELOPE)
    assert (reply.outcome, reply.cause) == (Outcome.RETRY, Cause.LOGIN)
    assert "21606" in reply.summary and "7700" not in reply.summary

    campaign = start_on("sms", cast, now=now)
    send_waiting_messages(seconds=60, connections=1)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED and "SMS_URL" in campaign.status_reason
    assert states(campaign) == {"queued": 2, "retry_wait": 1}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gopher://AC1:t@+447700900000", "must start with"),
        ("twilio://AC1@+447700900000", "token"),
        ("twilio://:t@+447700900000", "account"),
        ("twilio://AC1:s3cret", "account or its token"),
        ("twilio://AC1:s3cret@", "sender"),
        ("twilio://AC1:s3cret@+0123", "sender"),
        ("twilio://AC1:s3cret@A name that is too long", "sender"),
        ("twilio://AC1:s3cret@Fernweh?colour=red", "not known: colour"),
    ],
)
def test_an_account_that_lacks_something_says_what(url: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        read_sms_target(url)
    assert "s3cret" not in str(caught.value), "keys are never said"


def test_the_parts_of_an_account() -> None:
    target = read_sms_target("twilio://AC1:t%2Fk@+447700900000?key=SK1&secret=abc")
    assert (target.account, target.token, target.sender, target.key) == ("AC1", "t/k", "+447700900000", "SK1")
    assert target.takes_replies and not read_sms_target("twilio://AC1:t@Fernweh").takes_replies
    assert catch_sms("http://127.0.0.1:1").api_url == "http://127.0.0.1:1"


# --- Short links ------------------------------------------------------------------------------------------------------


def test_short_links_lead_to_the_shop_and_off_the_list(sent: Campaign, client: Client, now: dt.datetime) -> None:
    assert reverse("campaigns:short-link", args=["x"]) == SHORT_PATH + "x"
    message = Message.objects.earliest("pk")
    Message.objects.update(sending_at=now - dt.timedelta(minutes=1))
    agent = {"User-Agent": AGENT}
    clicked = client.get(short_url(message.pk, 1).removeprefix(SITE), headers=agent)
    assert (clicked.status_code, clicked["Location"]) == (302, load_source(message.variant).links[0])
    assert clicked["Referrer-Policy"] == "no-referrer"
    out = client.get(short_url(message.pk, WAY_OUT).removeprefix(SITE), headers=agent)
    assert out["Location"] == f"{SITE}/u/{make_token(message.pk, message.customer_id)}/"
    engagement.judge_visits(now + dt.timedelta(minutes=5))
    (event,) = CustomerEvent.objects.filter(kind__contains="clicked")
    assert (event.kind, event.properties["link"], event.properties["channel"]) == ("message_clicked", 1, "sms")

    page = out["Location"].removeprefix(SITE)
    assert client.get(page).status_code == 200 and message.customer.consents.count() == 1, "looking changes nothing"
    client.post(page)
    newest = message.customer.consents.latest("pk")
    assert (newest.channel, newest.status, newest.proof["message"]) == ("sms", "withdrawn", message.pk)
    suppressed = Suppression.objects.get()
    assert (suppressed.channel, suppressed.address_hash) == ("sms", hash_address(message.customer.phone))


def test_an_altered_short_link_leads_nowhere(sent: Campaign, client: Client) -> None:
    first, second = Message.objects.order_by("pk")[:2]
    token = short_url(first.pk, 1).removeprefix(SITE + SHORT_PATH)
    other = short_url(second.pk, 1).removeprefix(SITE + SHORT_PATH)
    swapped = "B" if token[-1] != "B" else "C"
    tried = {
        token.replace("-1", "-2"), token.replace("-1", "-0"), token[:-1] + swapped, token[:-1], token + "A",
        other[: other.index("-")] + token[token.index("-") :], token.upper(), f"0{token}", "x", "1-1" + "A" * 11,
        short_url(first.pk, 9).removeprefix(SITE + SHORT_PATH), short_url(10**9, 1).removeprefix(SITE + SHORT_PATH),
    } - {token}  # fmt: skip
    assert {client.get(SHORT_PATH + path).status_code for path in tried} == {404}
    assert client.get(SHORT_PATH + token).status_code == 302


def test_a_link_that_is_no_longer_the_shops_is_dead(sent: Campaign, client: Client, settings: Settings) -> None:
    path = short_url(Message.objects.earliest("pk").pk, 1).removeprefix(SITE)
    settings.SHOP_URL, settings.SHOP_LINK_DOMAINS = "https://another.test", []
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("number", [1, 12_345, 12_345_678, 2_000_000_000])
def test_a_link_is_about_as_long_as_the_one_that_a_preview_counts(number: int, settings: Settings) -> None:
    live = len(short_url(number, 1)) - len(settings.SITE_URL)
    assert 0 <= SHORT_LENGTH + 3 - live <= 6


# --- What comes back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    list(itertools.permutations(["queued", "sent", "delivered"])),
    ids="-".join,
)
def test_receipts_may_come_in_any_order_and_twice(sent: Campaign, client: Client, order: tuple[str, ...]) -> None:
    message = Message.objects.earliest("pk")
    for status in (*order, *order):
        assert receipt(client, message, status) == 200
    message.refresh_from_db()
    assert message.status == "delivered"
    kinds = DeliveryEvent.objects.filter(message=message).values_list("kind", flat=True)
    assert sorted(kinds) == ["accepted", "delivered"]


def test_a_receipt_settles_what_nobody_knew(
    provider: TextingProvider, client: Client, cast: Cast, now: dt.datetime
) -> None:
    campaign = start_on("sms", cast, now=now)
    provider.harm, provider.times = Harm.CUT_TAKEN, 3
    send_waiting_messages(seconds=60, connections=1)
    assert states(campaign) == {"unknown": 3}
    assert receipt(client, Message.objects.earliest("pk"), "delivered") == 200
    assert states(campaign) == {"unknown": 2, "delivered": 1}


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("undelivered", "30005", "bounced", "bounced"),  # no such handset
        ("failed", "21614", "bounced", "bounced"),  # no mobile number
        ("undelivered", "30003", "bounced", ""),  # switched off: another time
        ("failed", "", "bounced", ""),
        ("failed", "21610", "accepted", "unsubscribed"),  # told the provider STOP
    ],
)
def test_a_failure_says_whether_the_number_is_dead(
    sent: Campaign, client: Client, status: str, code: str, state: str, reason: str
) -> None:
    message = Message.objects.earliest("pk")
    assert receipt(client, message, status, code) == 200
    message.refresh_from_db()
    assert message.status == state
    assert list(Suppression.objects.values_list("channel", "reason")) == ([("sms", reason)] if reason else [])
    if reason == "unsubscribed":
        newest = message.customer.consents.latest("pk")
        assert (newest.channel, newest.status) == ("sms", "withdrawn")


def test_stop_ends_text_messages_to_that_number_and_nothing_else(
    sent: Campaign, client: Client, now: dt.datetime
) -> None:
    message = Message.objects.select_related("customer").earliest("pk")
    person = message.customer
    twin = Customer.objects.create(external_id="twin", phone=person.phone)
    record_consent(person, source="checkout", now=now)
    for customer in (person, twin):
        record_consent(customer, source="checkout", now=now, channel="sms")

    assert answer(client, person.phone, " Stop. ") == 200

    newest = {row.channel: row for row in person.consents.order_by("pk")}
    assert (newest["sms"].status, newest["email"].status) == ("withdrawn", "given")
    assert newest["sms"].proof == {"message": message.pk, "by": "reply", "reply": "SM9"}
    assert twin.consents.latest("pk").status == "withdrawn", "whose phone it is nobody can tell"
    assert Suppression.objects.get().channel == "sms"
    assert DeliveryEvent.objects.get(kind="unsubscribed").message == message
    kinds = CustomerEvent.objects.filter(customer=person, kind__contains="unsubscribed").values_list("kind", flat=True)
    assert list(kinds) == ["message_unsubscribed"]


def test_a_stop_is_counted_for_the_message_that_came_by_an_id_that_was_merged_since(
    sent: Campaign, client: Client, now: dt.datetime
) -> None:
    message = Message.objects.select_related("customer").earliest("pk")
    survivor = Customer.objects.create(external_id="survivor", phone=message.customer.phone)
    merge_customers(message.customer_id, survivor.pk, reason="staff", actor=None, now=now)

    assert answer(client, survivor.phone, "STOP") == 200

    assert survivor.consents.latest("pk").status == "withdrawn"
    assert DeliveryEvent.objects.get(kind="unsubscribed").message == message


def test_a_stop_that_is_played_again_does_not_overrule_a_later_yes(
    sent: Campaign, client: Client, now: dt.datetime
) -> None:
    person = Message.objects.earliest("pk").customer
    answer(client, person.phone, "STOP")
    record_consent(person, source="form", now=now + dt.timedelta(hours=1), channel="sms")
    Suppression.objects.all().delete()
    assert answer(client, person.phone, "STOP") == 200
    assert person.consents.latest("pk").status == "given" and not Suppression.objects.exists()
    answer(client, person.phone, "STOP", sid="SM10")
    assert Suppression.objects.exists()


def test_start_takes_a_stop_back_and_nothing_else(sent: Campaign, client: Client, now: dt.datetime) -> None:
    person = Message.objects.earliest("pk").customer
    agreed, never, elsewhere, complained = (
        Customer.objects.create(external_id=name, phone=phone)
        for name, phone in (("a", person.phone), ("n", person.phone), ("e", "+447700900801"), ("c", "+447700900802"))
    )
    for customer in (agreed, elsewhere, complained):
        record_consent(customer, source="checkout", now=now, channel="sms")
    leave_channel(elsewhere, "sms", message_id=None, source="page", now=now)
    answer(client, complained.phone, "STOP", sid="SM20")
    Suppression.objects.filter(address_hash=hash_address(complained.phone)).update(reason="complained")
    answer(client, person.phone, "STOP", sid="SM21")

    for number, sid in ((person.phone, "SM30"), (elsewhere.phone, "SM31"), (complained.phone, "SM32")):
        assert answer(client, number, " Start! ", sid=sid) == 200
    newest = {c.external_id: c.consents.order_by("pk").last() for c in (person, agreed, never, elsewhere, complained)}
    told = {name: record.status for name, record in newest.items() if record}
    assert told == {person.external_id: "given", "a": "given", "n": "withdrawn", "e": "withdrawn", "c": "given"}
    assert not is_suppressed(person.phone, "sms") and is_suppressed(elsewhere.phone, "sms")
    assert is_suppressed(complained.phone, "sms"), "a complaint holds messages back all the same"
    answer(client, person.phone, "STOP", sid="SM40")
    answer(client, person.phone, "START", sid="SM30")
    assert is_suppressed(person.phone, "sms"), "a START that is played again does not overrule a later STOP"


def test_a_number_that_nobody_has_is_suppressed_all_the_same(sent: Campaign, client: Client) -> None:
    assert answer(client, "+447700900999", "anything", OptOutType="STOP") == 200
    assert Suppression.objects.get().address_hash == hash_address("+447700900999")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", True), ("stop!", True), ("Stop All", True), ("退订", True), ("td", True), ("Unsubscribe", True),
        ("opt-out", True), ("ＴＤ", True), ("退訂。", True), ("Please do not stop", False), ("yes", False), ("", False),
        ("When do you stop selling tents?", False), ("stopping by tomorrow", False),
    ],
)  # fmt: skip
def test_only_the_words_alone_are_a_stop(text: str, expected: bool) -> None:
    assert is_stop(text) is expected


def test_forged_and_altered_posts_change_nothing(sent: Campaign, client: Client, settings: Settings) -> None:
    message = Message.objects.earliest("pk")
    form: dict[str, Any] = {"MessageSid": "SM1", "From": message.customer.phone, "Body": "STOP"}
    assert post(client, form, token="another") == 400
    assert client.post(SMS_HOOK_PATH, form).status_code == 400
    assert client.post(SMS_HOOK_PATH, form, headers={"X-Twilio-Signature": "é"}).status_code == 400
    assert post(client, form | {"MessageSid": "../x"}) == 400
    assert client.get(SMS_HOOK_PATH).status_code == 405
    # A receipt under a name that we did not make is about no message of ours.
    assert post(client, {"MessageSid": "SM1", "MessageStatus": "failed"}, query="?message=1.1.1." + "a" * 20) == 200
    assert not Suppression.objects.exists() and not DeliveryEvent.objects.exists()
    settings.SMS_IS_CAUGHT = True
    assert post(client, form) == 404


def test_a_bounce_of_a_text_message_says_nothing_of_the_mail_address(sent: Campaign, client: Client) -> None:
    message = Message.objects.earliest("pk")
    receipt(client, message, "undelivered", "30005")
    assert set(Suppression.objects.values_list("address_hash", flat=True)) == {hash_address(message.customer.phone)}
    event = CustomerEvent.objects.get(kind__contains="bounced")
    assert (event.kind, event.properties["for_good"]) == ("message_bounced", True)


def test_the_text_that_was_approved_is_what_its_hash_says(sent: Campaign) -> None:
    source = load_source(Variant.objects.get())
    assert source.version == 4 and len(source.links) == 1
    assert re.search(r"\{\{ link_1 \}\} Opt out: \{\{ stop_word \}\}\{\{ unsubscribe_url \}\}$", source.text)
