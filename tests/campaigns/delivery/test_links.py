"""Links and the picture: they lead where we signed, tell people from machines, and never change what was approved."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from campaigns.content.rendering import load_source, render_message
from campaigns.delivery import engagement
from campaigns.delivery.links import CLICK_PATH, OPEN_PATH, BadLink, click_url, open_url, read_click, read_open
from campaigns.delivery.machines import BURST, Visit, find_bursts, is_machine
from campaigns.delivery.mime import hash_body
from campaigns.models import Campaign, DeliveryEvent, DeliveryKind, Message
from customers.ingest.tracking import record_tracking_consent
from customers.models import ConsentRecord, Customer, CustomerEvent, EventKind, Suppression
from tests.campaigns.arrange import ledger_open
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep

SHOP = "https://tarnside.test/jackets?a=1&b=2#top"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile Safari/604.1"
CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0"
BASE = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def read_message(running: Campaign) -> Message:
    """A message that left a minute ago."""
    Message.objects.update(status="accepted", sending_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    return Message.objects.earliest("pk")


def path_of(url: str) -> str:
    return url.removeprefix(site.SITE_URL)


def follow(client: Client, url: str, agent: str = AGENT, **headers: str) -> int:
    return client.get(path_of(url), headers={"User-Agent": agent} | headers).status_code  # type: ignore[arg-type]


def let_time_pass() -> engagement.Judged:
    return engagement.judge_visits(dt.datetime.now(dt.UTC) + engagement.PATIENCE)


# --- Where links lead ------------------------------------------------------------------------------------------------


def test_the_paths_in_mail_are_those_of_the_site() -> None:
    assert reverse("campaigns:click", args=["x"]) == CLICK_PATH + "x"
    assert reverse("campaigns:open", args=["x"]) == OPEN_PATH + "x"


def test_a_link_leads_where_it_was_signed_to(client: Client, read_message: Message) -> None:
    response = client.get(path_of(click_url(read_message.pk, 1, SHOP)), headers={"User-Agent": AGENT})
    assert (response.status_code, response["Location"]) == (302, SHOP)
    assert response["Referrer-Policy"] == "no-referrer" and "no-store" in response["Cache-Control"]


def test_altered_links_lead_nowhere(client: Client, read_message: Message) -> None:
    """Every letter of the token, and every place that somebody would like to send people to."""
    path = path_of(click_url(read_message.pk, 1, SHOP))
    token, signature = path.removeprefix(CLICK_PATH).rsplit(".", 1)
    tried = [CLICK_PATH + token[:place] + "A" + token[place + 1 :] + "." + signature for place in range(len(token))]
    tried += [
        CLICK_PATH + token + "." + signature[:place] + "A" + signature[place + 1 :] for place in range(len(signature))
    ]
    for evil in ("https://evil.test/", "//evil.test", "javascript:alert(1)", "https://tarnside.test@evil.test/"):
        place = base64.urlsafe_b64encode(evil.encode()).decode().rstrip("=")
        tried += [f"{CLICK_PATH}{read_message.pk}-1-{place}.{signature}", f"{CLICK_PATH}{place}", f"{CLICK_PATH}{evil}"]
    statuses = {client.get(address, headers={"User-Agent": AGENT}).status_code for address in tried if address != path}
    assert statuses == {404}
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/", "https://tarnside.test.evil.test/", "https://tarnside.test@evil.test/", "//evil.test/",
        "javascript:alert(1)", "data:text/html,x", "https://evil.test/?tarnside.test", "https://eviltarnside.test/",
    ],
)  # fmt: skip
def test_not_even_our_signature_leads_off_the_shop(client: Client, url: str) -> None:
    assert follow(client, click_url(1, 1, url)) == 404
    with pytest.raises(BadLink):
        read_click(path_of(click_url(1, 1, url)).removeprefix(CLICK_PATH))


def test_a_signature_of_another_kind_is_none(client: Client, read_message: Message) -> None:
    """A picture's token is no link's, an unsubscribe token is neither."""
    picture = path_of(open_url(read_message.pk)).removeprefix(OPEN_PATH)
    assert client.get(CLICK_PATH + picture).status_code == 404
    link = path_of(click_url(read_message.pk, 1, SHOP)).removeprefix(CLICK_PATH)
    assert client.get(OPEN_PATH + link).status_code == 404


@given(number=st.integers(1, 30), rest=st.text(max_size=60))
def test_every_address_of_the_shop_comes_back_as_it_was(number: int, rest: str) -> None:
    url = "https://tarnside.test/" + rest
    token = path_of(click_url(7, number, url)).removeprefix(CLICK_PATH)
    try:
        link = read_click(token)
    except BadLink:
        return  # what is left of it is no address of the shop: a backslash, brackets
    assert (link.message_id, link.number, link.url) == (7, number, url)


def test_a_link_works_after_the_person_was_erased(client: Client, read_message: Message) -> None:
    url = click_url(read_message.pk, 1, SHOP)
    with ledger_open():
        Customer.objects.all().delete()
    assert follow(client, url) == 302
    assert not DeliveryEvent.objects.exists()


# --- The approved text stays what it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tracking", "agreed"), [("all", False), ("all", True), ("consent", False), ("consent", True), ("off", True)]
)
def test_a_followed_copy_replays_to_the_byte(
    running: Campaign, sweep: Sweep, settings: Settings, now: dt.datetime, tracking: str, agreed: bool
) -> None:
    settings.CLICK_TRACKING = tracking
    for customer in Customer.objects.all():
        record_tracking_consent(customer, is_given=agreed, source="test", now=now)
    with ScriptedSmtpServer() as server:
        sweep(server)
    follows = tracking == "all" or (tracking == "consent" and agreed)
    for message in Message.objects.select_related("variant"):
        source = load_source(message.variant)
        copy = render_message(source, message.slots)
        assert hash_body(copy) == message.body_hash
        assert ("/c/" in copy.html, "/c/" in copy.text) == (follows, follows)
        assert ("/o/" in copy.html) == agreed
        assert (source.links[0] in copy.text) == (not follows)


def test_the_newest_word_on_being_followed_counts(running: Campaign, sweep: Sweep, now: dt.datetime) -> None:
    first, second, third = Customer.objects.order_by("pk")
    record_tracking_consent(first, is_given=True, source="form", now=now - dt.timedelta(days=2))
    record_tracking_consent(first, is_given=False, source="form", now=now - dt.timedelta(days=1))
    record_tracking_consent(second, is_given=True, source="form", now=now)
    with ScriptedSmtpServer() as server:
        sweep(server)
    pictures = {message.customer_id: "open_pixel" in message.slots for message in Message.objects.all()}
    assert pictures == {first.pk: False, second.pk: True, third.pk: False}


# --- People and machines ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "agent", "header", "after_s", "machine"),
    [
        ("GET", AGENT, {}, 60, False),
        ("GET", AGENT, {}, 4, True),
        ("HEAD", AGENT, {}, 60, True),
        ("GET", AGENT, {"Purpose": "prefetch"}, 60, True),
        ("GET", AGENT, {"Sec-Purpose": "prefetch;prerender"}, 60, True),
        ("GET", "", {}, 60, True),
        ("GET", "Mozilla/5.0", {}, 60, True),
        ("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}, 60, True),
        ("GET", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", {}, 60, False),
        ("GET", "python-requests/2.32.3", {}, 60, True),
        ("GET", "Barracuda Sentinel (EE)", {}, 60, True),
        ("GET", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/130.0 Safari/537.36", {}, 60, True),
        ("GET", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", {}, 60, False),
        ("GET", CHROME, {}, 60, False),
        ("GET", WECHAT, {}, 60, False),
    ],
)  # fmt: skip
def test_who_is_a_machine(method: str, agent: str, header: dict[str, str], after_s: int, machine: bool) -> None:
    visit = Visit(method, {"User-Agent": agent} | header, BASE + dt.timedelta(seconds=after_s))
    assert is_machine(visit, left_at=BASE) is machine
    assert is_machine(visit, left_at=None)


def test_all_links_at_once_are_a_machine_and_one_after_the_other_are_not() -> None:
    def at(*moments: tuple[float, int]) -> set[int]:
        return find_bursts([(BASE + dt.timedelta(seconds=second), link) for second, link in moments])

    assert at((0, 1), (1, 2), (2, 3)) == {0, 1, 2}
    assert at((2, 3), (0, 1), (1, 2)) == {0, 1, 2}
    assert at((0, 1), (1, 1), (2, 1)) == set()
    assert at((0, 1), (1, 2)) == set()
    assert at((0, 1), (30, 2), (60, 3)) == set()
    assert at((0, 1), (60, 1), (61, 2), (62, 3)) == {1, 2, 3}
    assert at((0, 1), (BURST.total_seconds(), 2), (BURST.total_seconds(), 3)) == {0, 1, 2}


def test_a_click_counts_once_it_shows_that_it_was_a_person_s(client: Client, read_message: Message) -> None:
    url = click_url(read_message.pk, 1, SHOP)
    assert follow(client, url) == 302
    assert engagement.judge_visits(dt.datetime.now(dt.UTC)) == engagement.Judged(0, 0), "not yet"

    assert let_time_pass() == engagement.Judged(1, 0)
    assert let_time_pass() == engagement.Judged(0, 0)

    event = CustomerEvent.objects.get(kind=EventKind.EMAIL_CLICKED)
    assert event.customer_id == read_message.customer_id
    assert event.properties == {"campaign": read_message.campaign_id, "message": read_message.pk, "link": 1}
    read_message.refresh_from_db()
    assert read_message.clicked_at == event.occurred_at


def test_a_scanner_that_follows_all_links_counts_for_nobody(client: Client, read_message: Message) -> None:
    for number in (1, 2, 3):
        assert follow(client, click_url(read_message.pk, number, f"{SHOP}{number}")) == 302
    assert let_time_pass() == engagement.Judged(0, 3)
    assert not CustomerEvent.objects.exists()
    assert set(DeliveryEvent.objects.values_list("kind", flat=True)) == {DeliveryKind.MACHINE_CLICKED}


def test_a_machine_unsubscribes_nobody_and_counts_for_nobody(client: Client, read_message: Message) -> None:
    """Everything in a message is asked for by GET and HEAD, as scanners do."""
    from campaigns.delivery.unsubscribe import unsubscribe_url

    before = ConsentRecord.objects.count()
    for url in (
        click_url(read_message.pk, 1, SHOP),
        open_url(read_message.pk),
        unsubscribe_url(read_message.pk, read_message.customer_id),
    ):
        for agent in ("Barracuda Sentinel (EE)", AGENT):
            client.head(path_of(url), headers={"User-Agent": agent})
        client.get(path_of(url), headers={"User-Agent": "Barracuda Sentinel (EE)"})
    let_time_pass()
    assert ConsentRecord.objects.count() == before and not Suppression.objects.exists()
    assert not CustomerEvent.objects.exists()
    read_message.refresh_from_db()
    assert read_message.clicked_at is None and read_message.opened_at is None


def test_opens_are_noted_only_of_those_who_agreed_until_now(
    client: Client, read_message: Message, now: dt.datetime
) -> None:
    url, customer = open_url(read_message.pk), read_message.customer
    response = client.get(path_of(url), headers={"User-Agent": AGENT})
    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert not DeliveryEvent.objects.exists(), "never asked"

    record_tracking_consent(customer, is_given=True, source="form", now=now)
    client.get(path_of(url), headers={"User-Agent": AGENT})
    let_time_pass()
    assert CustomerEvent.objects.filter(kind=EventKind.EMAIL_OPENED, customer=customer).count() == 1
    read_message.refresh_from_db()
    assert read_message.opened_at is not None

    record_tracking_consent(customer, is_given=False, source="form", now=now + dt.timedelta(seconds=1))
    DeliveryEvent.objects.all().delete()
    client.get(path_of(url), headers={"User-Agent": AGENT})
    assert not DeliveryEvent.objects.exists(), "withdrawn"


def test_visits_without_end_fill_no_table(client: Client, read_message: Message) -> None:
    for _time in range(30):
        follow(client, click_url(read_message.pk, 1, SHOP))
    assert DeliveryEvent.objects.count() <= 2


def test_a_link_that_is_followed_settles_what_was_unknown(client: Client, read_message: Message) -> None:
    Message.objects.filter(pk=read_message.pk).update(status="unknown")
    follow(client, click_url(read_message.pk, 1, SHOP), agent="Barracuda Sentinel (EE)")
    read_message.refresh_from_db()
    assert read_message.status == "accepted"


@pytest.mark.parametrize("token", ["", "x", "1.x", "%00", "1-1-aaaa.sig", "9" * 400])
def test_broken_tokens_are_not_found(client: Client, db: None, token: str) -> None:
    assert client.get(CLICK_PATH + token).status_code == 404
    assert client.get(OPEN_PATH + token).status_code == 404
    with pytest.raises(BadLink):
        read_open(token)
