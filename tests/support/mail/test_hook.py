"""Mail by a provider's webhook: the real posts are taken once, and of forged, altered and replayed ones none."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from customers.models import Customer
from customers.privacy.erasure import erase_customer
from support.mail.hook import HOOK_PATH, SIGNERS
from support.models import SeenMail, Ticket, TicketMessage

from .letters import write_mail

pytestmark = pytest.mark.django_db
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Posted:
    body: bytes
    content_type: str
    headers: dict[str, str]


def public_part(key: Any) -> str:
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "".join(pem.decode().splitlines()[1:-1])


def by_mailersend(raw: bytes, secret: str, *, at: float) -> Posted:
    event = {
        "type": "inbound.message",
        "data": {"id": "i1", "raw": raw.decode("utf-8", "replace"), "created_at": "2026-11-23T12:00:00Z"},
    }
    body = json.dumps(event).encode()
    return Posted(
        body, "application/json", {"HTTP_SIGNATURE": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
    )


def by_mandrill(raw: bytes, secret: str, *, at: float) -> Posted:
    events = json.dumps(
        [
            {
                "event": "inbound",
                "ts": at,
                "msg": {"raw_msg": raw.decode("utf-8", "replace"), "email": "help@tarnside.test"},
            }
        ]
    )
    signed = f"http://testserver{HOOK_PATH}mandrill_events{events}".encode()
    signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha1).digest()).decode()
    return Posted(
        urlencode({"mandrill_events": events}).encode(),
        "application/x-www-form-urlencoded",
        {"HTTP_X_MANDRILL_SIGNATURE": signature},
    )


def by_postal(raw: bytes, _secret: str, *, at: float) -> Posted:
    body = json.dumps(
        {
            "id": 7,
            "rcpt_to": "help@tarnside.test",
            "mail_from": "kim@shopper.test",
            "base64": True,
            "message": base64.b64encode(raw).decode(),
        }
    ).encode()
    signature = base64.b64encode(RSA.sign(body, padding.PKCS1v15(), hashes.SHA1())).decode()
    return Posted(body, "application/json", {"HTTP_X_POSTAL_SIGNATURE": signature})


def by_sendgrid(raw: bytes, _secret: str, *, at: float) -> Posted:
    form = {
        "email": raw.decode("utf-8", "replace"),
        "envelope": json.dumps({"from": "kim@shopper.test", "to": ["help@tarnside.test"]}),
    }
    body = urlencode(form).encode()
    stamp = str(int(at))
    signature = base64.b64encode(CURVE.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_SIGNATURE": signature,
        "HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_TIMESTAMP": stamp,
    }
    return Posted(body, "application/x-www-form-urlencoded", headers)


POSTS: dict[str, tuple[Callable[..., Posted], str]] = {
    "mailersend": (by_mailersend, "a secret of the provider"),
    "mandrill": (by_mandrill, "a key of the provider"),
    "postal": (by_postal, public_part(RSA)),
    "sendgrid": (by_sendgrid, public_part(CURVE)),
}


@pytest.fixture(params=sorted(POSTS))
def provider(request: pytest.FixtureRequest, settings: Settings) -> str:
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = request.param, POSTS[request.param][1]
    settings.ANYMAIL = {}
    return str(request.param)


def make(provider: str, raw: bytes, *, age_s: float = 0, secret: str = "") -> Posted:
    build, known = POSTS[provider]
    return build(raw, secret or known, at=timezone.now().timestamp() - age_s)


def send(client: Client, posted: Posted, **headers: str) -> int:
    return client.post(
        HOOK_PATH, posted.body, content_type=posted.content_type, **(posted.headers | headers)
    ).status_code  # type: ignore[arg-type]


def test_every_provider_that_is_offered_is_tried_here() -> None:
    assert set(POSTS) == set(SIGNERS)


def test_a_signed_mail_is_taken_once(client: Client, provider: str) -> None:
    posted = make(provider, write_mail("Wo ist mein Paket? 帐篷"))
    assert send(client, posted) == 200 and TicketMessage.objects.get().text == "Wo ist mein Paket? 帐篷"
    assert send(client, posted) == 200, "the provider did not hear the first answer"
    assert send(client, make(provider, write_mail("Wo ist mein Paket? 帐篷"))) == 200, "or sends it again, signed anew"
    assert (TicketMessage.objects.count(), SeenMail.objects.count()) == (1, 1)


def test_of_forged_and_altered_posts_none_is_taken(client: Client, provider: str) -> None:
    posted = make(provider, write_mail("Where is my parcel, please?"))
    name, signature = next((key, value) for key, value in posted.headers.items() if "SIGNATURE" in key)
    tried = [
        Posted(posted.body, posted.content_type, {}),
        Posted(posted.body, posted.content_type, posted.headers | {name: ""}),
        Posted(posted.body, posted.content_type, posted.headers | {name: secrets.token_hex(32)}),
        Posted(posted.body, posted.content_type, posted.headers | {name: signature[:-4] + "AAAA"}),
        make(provider, write_mail(), secret="another secret") if provider in {"mailersend", "mandrill"} else None,
    ]
    for wrong in filter(None, tried):
        assert send(client, wrong) == 400
    places = range(0, len(posted.body), max(len(posted.body) // 60, 1))
    for place in places:
        body = bytearray(posted.body)
        body[place] = body[place] ^ 1
        assert send(client, Posted(bytes(body), posted.content_type, posted.headers)) == 400, place
    for more in (posted.body + b" ", posted.body + b"&x=y", posted.body[:-1]):
        assert send(client, Posted(more, posted.content_type, posted.headers)) == 400
    assert (Ticket.objects.count(), SeenMail.objects.count()) == (0, 0)


def test_a_signed_time_has_to_be_of_now(client: Client, settings: Settings) -> None:
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = "sendgrid", POSTS["sendgrid"][1]
    for age_s in (330, 4000, -330, -90_000):
        assert send(client, make("sendgrid", write_mail(), age_s=age_s)) == 400
    posted = make("sendgrid", write_mail())
    assert (
        send(client, posted, HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_TIMESTAMP=str(int(timezone.now().timestamp()) + 1))
        == 400
    )
    assert not Ticket.objects.exists()
    assert send(client, make("sendgrid", write_mail(), age_s=200)) == 200


def test_a_replay_after_the_person_was_erased_brings_nothing_back(
    client: Client, provider: str, kim: Customer, settings: Settings, tmp_path: Any
) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")
    posted = make(provider, write_mail(vouched="yes"))
    assert send(client, posted) == 200 and Ticket.objects.get().customer == kim
    erase_customer(kim, actor=None, reason="asked", now=timezone.now())
    assert not Ticket.objects.exists()
    assert send(client, posted) == 200 and not Ticket.objects.exists()


def test_what_is_no_mail_is_refused(client: Client, settings: Settings) -> None:
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = "mailersend", "s"
    for body in (
        b"",
        b"[]",
        b"{}",
        b'{"type": "activity.sent"}',
        b'{"type": "inbound.message", "data": null}',
        b"\xff\xfe",
    ):
        signature = hmac.new(b"s", body, hashlib.sha256).hexdigest()
        assert send(client, Posted(body, "application/json", {"HTTP_SIGNATURE": signature})) == 400, body
    assert not SeenMail.objects.exists()


def test_a_post_that_is_too_large_is_refused_by_name(client: Client, settings: Settings) -> None:
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = "mailersend", "s"
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    assert send(client, make("mailersend", write_mail("x" * 5000), secret="s")) == 413


def test_without_a_secret_the_address_is_not_there(client: Client, settings: Settings) -> None:
    for settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET in (
        ("", ""),
        ("mailersend", ""),
        ("postmark", "a:b"),
    ):
        assert client.post(HOOK_PATH, b"{}", content_type="application/json").status_code == 404
        assert client.head(HOOK_PATH).status_code == 404
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = "mailersend", "s"
    assert client.head(HOOK_PATH).status_code == 200 and client.get(HOOK_PATH).status_code == 405


def test_both_ways_at_once_are_one_message(client: Client, take: Any, now: dt.datetime, settings: Settings) -> None:
    settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET = "mailersend", "s"
    raw = write_mail()
    assert take(raw) == "taken"
    assert send(client, make("mailersend", raw, secret="s")) == 200
    assert TicketMessage.objects.count() == 1
