"""0 of 200 forged, altered and replayed posts are accepted, at every address to which others post: shops, mail, text messages."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from pytest_django import Settings

from campaigns.delivery.channels.targets import SMS_HOOK_PATH, SmsTarget, WebhookTarget
from campaigns.delivery.names import derive_name
from campaigns.delivery.receiver_reports import HOOK_PATH as RECEIVER_PATH
from campaigns.delivery.webhooks import WEBHOOK_PATH
from campaigns.models import Message
from customers.outgoing.signing import sign as sign_standard
from support.mail.hook import HOOK_PATH as MAIL_PATH
from support.mail.hook import SIGNERS
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.campaigns.delivery.conftest import start_on
from tests.customers.ingest.shops import payloads as shops
from tests.support.mail.letters import write_mail
from tests.support.mail.test_hook import POSTS

from .doors import Attack, Post, make_attacks, read_everything

ATTACKS = 200
SITE = "https://go.fernweh.test"
TWILIO, STANDARD = "an-auth-token", "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, so").decode()
Clock = Callable[[dt.timedelta], None]
#: Honest posts of a door, once the shop is set up so that it takes them.
Arrange = Callable[[Settings], list[Post]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Our clock stands where it stood at the start, plus what it is told. Outside it runs on."""
    began = timezone.now()

    def set_to(later: dt.timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: began + later)

    set_to(dt.timedelta(0))
    return set_to


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)  # a fault of ours is a 500, and seen


def _json(path: str, payload: Any, headers: dict[str, str], signature: str) -> Post:
    return Post(path, shops.dump(payload), "application/json", headers, signature)


def _shopify(_settings: Settings) -> list[Post]:
    shop, now = shops.make_shop(), timezone.now()
    told = {
        "customers/create": shops.CUSTOMER, "orders/create": shops.ORDER, "refunds/create": shops.REFUND,
        "products/update": shops.PRODUCT, "carts/update": shops.CART, "checkouts/update": shops.CHECKOUT,
        "customers/redact": {"shop_id": 1, "shop_domain": "x", "customer": {"id": 7}, "orders_to_redact": []},
        "customers/delete": {"id": 8, "tax_exemptions": [], "admin_graphql_api_id": "gid://shopify/Customer/8"},
    }  # fmt: skip
    return [
        _json(
            f"/hooks/shops/{shop.hook_token}/",
            payload,
            shops.shopify_headers(topic, shops.dump(payload), at=now, name=f"n-{topic}"),
            "X-Shopify-Hmac-Sha256",
        )
        for topic, payload in told.items()
    ]


def _woocommerce(_settings: Settings) -> list[Post]:
    shop = shops.make_shop("woocommerce")
    told = {
        "customer.updated": shops.WOO_CUSTOMER,
        "order.created": shops.WOO_ORDER,
        "product.updated": shops.WOO_PRODUCT,
    }
    return [
        _json(
            f"/hooks/shops/{shop.hook_token}/",
            payload,
            shops.woo_headers(topic, shops.dump(payload), name=f"n-{topic}"),
            "X-WC-Webhook-Signature",
        )
        for topic, payload in told.items()
    ]


def _name(message: Message) -> str:
    return derive_name(message.campaign_id, message.step, message.customer_id, message.entry)


def _mail_events(settings: Settings) -> list[Post]:
    cast, now = arrange.make_cast(), timezone.now()
    arrange.start(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)
    Message.objects.update(status="accepted", sending_at=now)
    settings.EMAIL_PROVIDER, settings.EMAIL_WEBHOOK_SECRET, settings.ANYMAIL = "resend", STANDARD, {}
    posts = []
    for number, (message, kind) in enumerate(
        zip(Message.objects.order_by("pk"), ("email.delivered", "email.bounced", "email.complained"), strict=True)
    ):
        named = [{"name": "X-Metadata", "value": json.dumps({"rekindle": _name(message)})}]
        data = {"email_id": f"e{number}", "to": [message.customer.email], "headers": named}
        body = json.dumps({"type": kind, "created_at": now.isoformat(), "data": data}).encode()
        signed = sign_standard(f"evt-{number}", int(now.timestamp()), body, STANDARD)
        headers = {name.replace("webhook-", "svix-"): value for name, value in signed.items()}
        posts.append(Post(WEBHOOK_PATH, body, "application/json", headers, "svix-signature"))
    return posts


def _text_messages(settings: Settings) -> list[Post]:
    start_on("sms", Cast(*_people()), now=timezone.now())
    Message.objects.update(status="accepted", sending_at=timezone.now())
    settings.SMS_TARGET = SmsTarget("twilio", "AC1", TWILIO, "+447700900000")
    settings.SMS_IS_CAUGHT, settings.SITE_IS_HTTPS, settings.SITE_URL = False, True, SITE
    first, second, third = Message.objects.order_by("pk")
    told = [
        (f"?message={_name(first)}", {"MessageSid": "SM1", "MessageStatus": "delivered"}),
        (f"?message={_name(second)}", {"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "30005"}),
        ("", {"MessageSid": "SM3", "From": third.customer.phone, "To": "+447700900000", "Body": "STOP"}),
    ]
    posts = []
    for query, form in told:
        url = f"{SITE}{SMS_HOOK_PATH}{query}" + "".join(name + form[name] for name in sorted(form))
        signature = base64.b64encode(hmac.new(TWILIO.encode(), url.encode(), hashlib.sha1).digest()).decode()
        headers = {"X-Twilio-Signature": signature}
        kind = "application/x-www-form-urlencoded"
        posts.append(Post(f"{SMS_HOOK_PATH}{query}", urlencode(form).encode(), kind, headers, "X-Twilio-Signature"))
    return posts


def _receiver(settings: Settings) -> list[Post]:
    settings.WEBHOOK_TARGET, settings.WEBHOOK_IS_CAUGHT = (
        WebhookTarget("https://hooks.shop.example/in", STANDARD),
        False,
    )
    start_on("webhook", Cast(*_people()), now=timezone.now())
    Message.objects.update(status="accepted", sending_at=timezone.now())
    posts = []
    for number, (message, kind) in enumerate(
        zip(Message.objects.order_by("pk"), ("delivered", "bounced", "unsubscribed"), strict=True)
    ):
        body = json.dumps({"type": f"message.{kind}", "data": {"id": _name(message)}}).encode()
        headers = sign_standard(f"evt-{number}", int(timezone.now().timestamp()), body, STANDARD)
        posts.append(Post(RECEIVER_PATH, body, "application/json", headers, "webhook-signature"))
    return posts


def _mail_in(provider: str) -> Arrange:
    def arrange_door(settings: Settings) -> list[Post]:
        build, secret = POSTS[provider]
        settings.SUPPORT_HOOK_PROVIDER, settings.SUPPORT_HOOK_SECRET, settings.ANYMAIL = provider, secret, {}
        posts = []
        for number in range(3):
            mail = write_mail(f"Where is my parcel {number}?", message_id=f"<m{number}@shopper.test>")
            made = build(mail, secret, at=timezone.now().timestamp())
            headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in made.headers.items()}
            signature = next(name for name in headers if name.endswith("SIGNATURE"))
            posts.append(Post(MAIL_PATH, made.body, made.content_type, headers, signature))
        return posts

    return arrange_door


def _people() -> tuple[Any, Any]:
    cast = arrange.make_cast()
    return cast.marketer, cast.approver


DOORS: dict[str, tuple[str, Arrange]] = {
    "shopify": ("hooks/shops/<str:token>/", _shopify),
    "woocommerce": ("hooks/shops/<str:token>/", _woocommerce),
    "mail events": ("hooks/mail/", _mail_events),
    "text messages": ("hooks/sms/", _text_messages),
    "receiver's reports": ("hooks/webhook/", _receiver),
    **{f"mail by {name}": ("hooks/inbound/", _mail_in(name)) for name in sorted(SIGNERS)},
}


def test_every_address_that_others_post_to_is_attacked_here() -> None:
    known = {str(pattern.pattern) for app in get_resolver().url_patterns for pattern in _leaves(app)}
    assert {path for path in known if path.startswith("hooks/")} == {path for path, _arrange in DOORS.values()}


def _leaves(pattern: Any) -> list[Any]:
    inner = getattr(pattern, "url_patterns", None)
    return [pattern] if inner is None else [leaf for one in inner for leaf in _leaves(one)]


@pytest.mark.django_db
@pytest.mark.parametrize("door", sorted(DOORS))
def test_0_of_200_forged_altered_and_replayed_posts_are_accepted(
    door: str, client: Client, clock: Clock, settings: Settings
) -> None:
    """Half of them before the honest posts come, when nothing is there to be known again; half of them after."""
    honest, dice = DOORS[door][1](settings), random.Random(20261129)
    settings.SECURE_SSL_REDIRECT = False
    untouched = read_everything()
    early = [one for one in make_attacks(honest, ATTACKS, dice) if not one.is_copy][: ATTACKS // 2]
    for attack in early:
        _try(client, clock, attack)
    assert read_everything() == untouched, "before the honest ones came"

    for post in honest:
        assert _send(client, post) < 300
    taken = read_everything()
    assert taken != untouched, "the honest ones are taken"
    late = make_attacks(honest, ATTACKS - len(early), dice)
    assert len({attack.name for attack in early + late}) >= 10 and len(early) + len(late) == ATTACKS
    for attack in late:
        _try(client, clock, attack)
    assert read_everything() == taken, "after the honest ones"


def _try(client: Client, clock: Clock, attack: Attack) -> None:
    clock(dt.timedelta(hours=attack.hours))
    status = _send(client, attack.post)
    clock(dt.timedelta(0))
    assert status < 500, attack
    assert attack.is_copy or status >= 400 or _says_the_same(attack), attack


def _says_the_same(attack: Attack) -> bool:
    """%2b is %2B: a form that was altered to the same words is a copy, and may be answered like one."""
    return attack.name == "one bit altered" and b"%" in attack.post.body and bool(parse_qsl(attack.post.body.decode()))


def _send(client: Client, post: Post) -> int:
    return client.post(post.path, post.body, content_type=post.content_type, headers=dict(post.headers)).status_code  # type: ignore[arg-type]
