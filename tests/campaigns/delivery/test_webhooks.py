"""Webhooks of providers: the real posts are taken, and of forged, altered and replayed ones none."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from campaigns.delivery.names import derive_message_id, derive_name
from campaigns.delivery.webhooks import WEBHOOK_PATH
from campaigns.models import Campaign, DeliveryEvent, Message
from customers.models import Suppression

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, so").decode()
LOGIN = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"shop:pass word").decode()}
Post = Callable[..., HttpResponse]


@pytest.fixture
def message(running: Campaign) -> Message:
    Message.objects.update(status="accepted", sending_at=dt.datetime.now(dt.UTC))
    return Message.objects.earliest("pk")


def name_of(message: Message) -> str:
    return derive_name(message.campaign_id, message.step, message.customer_id)


def use(settings: Settings, provider: str, secret: str, **options: str) -> None:
    settings.EMAIL_PROVIDER, settings.EMAIL_WEBHOOK_SECRET = provider, secret
    settings.ANYMAIL = options


def resend_event(message: Message, kind: str = "email.delivered", **data: Any) -> dict[str, Any]:
    headers = [{"name": "X-Metadata", "value": json.dumps({"rekindle": name_of(message)})}]
    at = dt.datetime.now(dt.UTC).isoformat()
    return {
        "type": kind,
        "created_at": at,
        "data": {"email_id": "e1", "to": [message.customer.email], "headers": headers} | data,
    }


def sign(body: bytes, *, age_s: float = 0, name: str = "msg_1", secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(dt.datetime.now(dt.UTC).timestamp() - age_s))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"HTTP_SVIX_ID": name, "HTTP_SVIX_TIMESTAMP": stamp, "HTTP_SVIX_SIGNATURE": f"v1,AAAA {signature}"}


def post(client: Client, body: bytes | dict[str, Any], **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(WEBHOOK_PATH, raw, content_type="application/json", **headers).status_code  # type: ignore[arg-type]


def test_a_signed_post_is_taken_once(client: Client, settings: Settings, message: Message) -> None:
    use(settings, "resend", SECRET)
    body = json.dumps(resend_event(message)).encode()

    assert post(client, body, **sign(body)) == 200
    assert post(client, body, **sign(body)) == 200  # the provider did not hear the first answer

    message.refresh_from_db()
    assert message.status == "delivered" and DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize("age_s", [301, 4000, -305, -90_000])
def test_a_replay_outside_the_window_is_refused(
    client: Client, settings: Settings, message: Message, age_s: float
) -> None:
    use(settings, "resend", SECRET)
    body = json.dumps(resend_event(message)).encode()
    assert post(client, body, **sign(body, age_s=age_s)) == 400
    assert not DeliveryEvent.objects.exists()


def test_forged_and_altered_posts_are_refused(client: Client, settings: Settings, message: Message) -> None:
    use(settings, "resend", SECRET)
    body = json.dumps(resend_event(message)).encode()
    bounce = json.dumps(resend_event(message, "email.bounced")).encode()
    signed = sign(body)
    other = "whsec_" + base64.b64encode(b"another secret of as many bytes!").decode()
    later = {**signed, "HTTP_SVIX_TIMESTAMP": str(int(signed["HTTP_SVIX_TIMESTAMP"]) + 1)}
    forged: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (bounce, signed),
        (body + b" ", signed),
        (body, sign(body, secret=other)),
        (body, later),
        (body, signed | {"HTTP_SVIX_ID": "msg_2"}),
        (body, signed | {"HTTP_SVIX_SIGNATURE": "v1,"}),
        (body, signed | {"HTTP_SVIX_SIGNATURE": signed["HTTP_SVIX_SIGNATURE"].replace("v1,", "v2,")}),
        (body, signed | {"HTTP_SVIX_SIGNATURE": "é"}),
        (body, signed | {"HTTP_SVIX_TIMESTAMP": "nan"}),
        (body, signed | {"HTTP_SVIX_TIMESTAMP": "inf"}),
        (body, signed | {"HTTP_SVIX_TIMESTAMP": ""}),
        (body, LOGIN),
    ]
    assert [post(client, raw, **headers) for raw, headers in forged] == [400] * len(forged)
    for place in range(0, len(body), 7):
        altered = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert post(client, altered, **signed) == 400
    assert not DeliveryEvent.objects.exists() and not Suppression.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b"{}", b'{"type": 7}', b"\xff\xfe", b'{"type":"email.sent","data":[]}']
)
def test_nonsense_with_a_good_signature_is_no_error_of_ours(
    client: Client, settings: Settings, message: Message, body: bytes
) -> None:
    use(settings, "resend", SECRET)
    assert post(client, body, **sign(body)) in {200, 400}
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("provider", ["resend", "mailgun", "postmark", ""])
def test_without_a_secret_nothing_is_taken(client: Client, settings: Settings, message: Message, provider: str) -> None:
    use(settings, provider, "", MAILGUN_API_KEY="k")
    assert post(client, resend_event(message)) == 404
    assert client.head(WEBHOOK_PATH).status_code == 404


def mailgun_event(
    message: Message, token: str, *, age_s: float = 0, key: str = "sign-key", **data: Any
) -> dict[str, Any]:
    stamp = str(int(dt.datetime.now(dt.UTC).timestamp() - age_s))
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": "failed", "severity": "permanent", "reason": "bounce", "timestamp": float(stamp),
        "recipient": message.customer.email, "user-variables": {"rekindle": name_of(message)},
        "delivery-status": {"message": "550 5.1.1 no such user", "code": 550},
    } | data  # fmt: skip
    return {"signature": {"token": token, "timestamp": stamp, "signature": signature}, "event-data": event}


def test_mailgun_s_signature_and_its_age_are_checked(client: Client, settings: Settings, message: Message) -> None:
    """Its signature does not cover the body; what stands for that is its token, which counts once."""
    use(settings, "mailgun", "sign-key", MAILGUN_API_KEY="api-key")
    good = mailgun_event(message, "t1")
    assert post(client, good) == 200
    altered = good | {"event-data": good["event-data"] | {"event": "complained"}}
    post(client, altered)
    assert [post(client, mailgun_event(message, "t2", age_s=age_s)) for age_s in (301, -305, 86_400)] == [400] * 3
    assert post(client, mailgun_event(message, "t3", key="api-key")) == 400
    assert post(client, good | {"signature": {}}) == 400

    assert list(DeliveryEvent.objects.filter(kind="bounced").values_list("provider", flat=True)) == ["mailgun"]
    message.refresh_from_db()
    assert message.status == "bounced"


@pytest.mark.parametrize(
    ("provider", "event", "kind"),
    [
        ("postmark", {"RecordType": "Delivery", "DeliveredAt": "2026-11-23T12:00:00Z"}, "delivered"),
        ("postmark", {"RecordType": "Bounce", "ID": 5, "Type": "HardBounce", "Details": "550 5.1.1"}, "bounced"),
        ("postmark", {"RecordType": "Bounce", "ID": 6, "Type": "SoftBounce"}, "soft_bounced"),
        ("postmark", {"RecordType": "Bounce", "ID": 7, "Type": "Transient"}, "deferred"),
        ("postmark", {"RecordType": "Bounce", "ID": 7, "Type": "Blocked"}, "soft_bounced"),
        ("postmark", {"RecordType": "SpamComplaint", "ID": 8, "Type": "SpamComplaint"}, "complained"),
        ("postmark", {"RecordType": "SubscriptionChange", "SuppressionReason": "ManualSuppression"}, "unsubscribed"),
        ("postmark", {"RecordType": "Open"}, None),
        ("postmark", {"RecordType": "Click"}, None),
        ("brevo", {"event": "hard_bounce", "reason": "550 5.1.1 unknown"}, "bounced"),
        ("brevo", {"event": "soft_bounce", "reason": "mailbox full"}, "soft_bounced"),
        ("brevo", {"event": "spam"}, "complained"),
        ("brevo", {"event": "delivered"}, "delivered"),
        ("brevo", {"event": "blocked"}, "soft_bounced"),
        ("sendgrid", {"event": "bounce", "type": "bounce", "sg_event_id": "s1", "reason": "550 5.1.1"}, "bounced"),
        (
            "sendgrid",
            {"event": "bounce", "type": "blocked", "sg_event_id": "s2", "reason": "550 5.7.1"},
            "soft_bounced",
        ),
        ("sendgrid", {"event": "spamreport", "sg_event_id": "s3"}, "complained"),
        ("sendgrid", {"event": "dropped", "reason": "Unsubscribed Address", "sg_event_id": "s4"}, "unsubscribed"),
    ],
)
def test_the_events_of_providers_that_log_in(
    client: Client, settings: Settings, message: Message, provider: str, event: dict[str, Any], kind: str | None
) -> None:
    use(settings, provider, "shop:pass word")
    name = name_of(message)
    metadata = {
        "postmark": {"Metadata": {"rekindle": name}, "Email": message.customer.email},
        "brevo": {"X-Mailin-custom": json.dumps({"rekindle": name}), "email": message.customer.email},
        "sendgrid": {"rekindle": name, "email": message.customer.email, "timestamp": 1_795_000_000},
    }[provider]
    body = json.dumps([event | metadata] if provider == "sendgrid" else event | metadata).encode()

    wrong = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"shop:guess").decode()}
    assert (post(client, body), post(client, body, **wrong)) == (400, 400)
    assert post(client, body, **LOGIN) == 200
    assert post(client, body, **LOGIN) == 200

    assert list(DeliveryEvent.objects.values_list("kind", flat=True)) == ([kind] if kind else [])


def test_an_event_is_matched_by_our_message_id_where_there_is_no_metadata(
    client: Client, settings: Settings, message: Message
) -> None:
    use(settings, "brevo", "shop:pass word")
    ours = derive_message_id(message.campaign_id, message.step, message.customer_id, domain="fernweh.test")
    assert post(client, {"event": "delivered", "message-id": ours}, **LOGIN) == 200
    message.refresh_from_db()
    assert message.status == "delivered"


def test_a_resend_bounce_that_is_not_for_good_suppresses_nobody(
    client: Client, settings: Settings, message: Message
) -> None:
    use(settings, "resend", SECRET)
    for number, (kind, suppressed) in enumerate([("Transient", 0), ("Permanent", 1)]):
        bounce = {"type": kind, "message": "The recipient's email provider sent a bounce message"}
        body = json.dumps(resend_event(message, "email.bounced", bounce=bounce)).encode()
        assert post(client, body, **sign(body, name=f"msg_{number}")) == 200
        assert Suppression.objects.count() == suppressed


def test_a_resend_bounce_that_is_for_good_suppresses_whatever_its_sentence(
    client: Client, settings: Settings, message: Message
) -> None:
    use(settings, "resend", SECRET)
    bounce = {"type": "Permanent", "subType": "Suppressed", "message": "The address is on the suppression list."}
    body = json.dumps(resend_event(message, "email.bounced", bounce=bounce)).encode()

    assert post(client, body, **sign(body)) == 200

    assert DeliveryEvent.objects.get().kind == "bounced" and Suppression.objects.count() == 1
