"""A person's own way to a copy of their data, or to be erased: from the link in any message over a fresh mail to the deed."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.own_data import confirming
from campaigns.delivery.own_data.asking import ask_for_own_data, close_outlived
from campaigns.delivery.own_data.confirming import OWN_DATA_PATH, confirm_own_wish, own_data_url
from campaigns.delivery.own_data.mailing import mail_own_links
from campaigns.delivery.unsubscribe import make_token
from campaigns.models import OwnRequest
from customers.ingest.consent import record_consent, suppress_address
from customers.ingest.preferences import save_preference
from customers.merging.merge import merge_customers
from customers.models import AuditEntry, Customer, PrivacyRequest, Suppression
from customers.privacy.own import run_due_erasures
from customers.privacy.requests import ask as ask_for_erasure
from tests.conftest import MakeUser
from tests.customers.api.conftest import client_of
from tests.smtp_server import ScriptedSmtpServer

pytestmark = pytest.mark.django_db
Status = PrivacyRequest.Status


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _no_worker(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep does it a moment later; tests call it themselves."""
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")
    monkeypatch.setattr("customers.tasks.run_own_erasures.delay", lambda: None)


@pytest.fixture
def ana(now: dt.datetime) -> Customer:
    ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test", first_name="Ana", last_name="Lima")
    record_consent(ana, source="checkout", now=now)
    return ana


def page_of(customer: Customer) -> str:
    return f"/p/{make_token(7, customer.pk)}/"


def ask(client: Client, customer: Customer, kind: str, **more: str) -> str:
    """What the page says afterwards."""
    answer = client.post(f"{page_of(customer)}data/", {"kind": kind, **more}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def send(server: ScriptedSmtpServer) -> Counter[str]:
    door = SmtpServer("127.0.0.1", server.port, 5)
    return mail_own_links(seconds=20, open_channel=lambda: SmtpChannel(door))


def link_of(customer: Customer, kind: str) -> str:
    """The path in the mail."""
    return own_data_url(customer.own_requests.filter(kind=kind).latest("pk").key).partition("//")[2].partition("/")[2]


def follow(client: Client, customer: Customer, kind: str) -> str:
    path = f"/{link_of(customer, kind)}"
    assert client.post(path).status_code == 302
    return path


# --- A copy ------------------------------------------------------------------------------------------------------------


def test_a_copy_from_the_wish_over_the_mail_to_the_file(client: Client, ana: Customer) -> None:
    assert "on its way" in ask(client, ana, "export")
    assert PrivacyRequest.objects.get().status == Status.WAITING
    with ScriptedSmtpServer() as server:
        assert send(server) == {"sent": 1}
        assert send(server) == {}
    letter = message_from_bytes(server.taken[0], policy=default)
    plain = letter.get_body(("plain",))
    assert plain is not None and letter["To"] == "ana@shop.test" and "List-Unsubscribe" not in letter
    found = re.search(r"https?://\S+", plain.get_content())
    assert found is not None and "Ana" not in plain.get_content()
    path = "/" + found.group().partition("//")[2].partition("/")[2]
    assert path.startswith(OWN_DATA_PATH)

    for method in (client.get, client.head):
        assert method(path).status_code == 200
    assert client.post(f"{path}copy/").status_code == 302, "not before it is confirmed"
    assert PrivacyRequest.objects.get().status == Status.WAITING, (
        "a scanner that fetches the link has confirmed nothing"
    )
    assert "Make my copy" in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    assert "Your copy is ready" in client.get(path).content.decode()
    answer = client.post(f"{path}copy/")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(answer.content)["tables"]["customers.Customer"][0]["email"] == "ana@shop.test"
    assert answer["Cache-Control"].count("no-store") == 1
    request = PrivacyRequest.objects.get()
    assert (request.status, request.decided_by) == (Status.DONE, None)
    written = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert written[-3:] == ["privacy_asked", "privacy_confirmed", "exported"]


def test_a_mail_that_is_passed_on_reveals_nothing(client: Client, ana: Customer) -> None:
    """The link was used: in another browser it shows neither the copy nor whose it is."""
    ask(client, ana, "export")
    path = follow(client, ana, "export")
    stranger = Client()
    told = stranger.get(path).content.decode()
    assert "run out" in told and "ana" not in told.lower().replace("banana", "")
    assert stranger.post(f"{path}copy/").status_code == 302
    stranger.cookies["own_data"] = "0123:abc:def"
    assert stranger.post(f"{path}copy/").status_code == 302
    assert stranger.post(path).status_code == 302, "pressed a second time"
    assert not AuditEntry.objects.filter(action="exported").exists()
    assert AuditEntry.objects.filter(action="privacy_confirmed").count() == 1


def test_a_copy_may_be_fetched_for_a_day_and_ten_times(
    client: Client, ana: Customer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(client, ana, "export")
    path = follow(client, ana, "export")
    codes = [client.post(f"{path}copy/").status_code for _time in range(12)]
    assert codes == [200] * 10 + [302] * 2
    OwnRequest.objects.update(downloads=0)
    assert client.post(f"{path}copy/").status_code == 200
    OwnRequest.objects.update(confirmed_at=now - dt.timedelta(hours=25))
    assert client.post(f"{path}copy/").status_code == 302
    assert "run out" in client.get(path).content.decode()


# --- Erasure -----------------------------------------------------------------------------------------------------------


def test_an_erasure_from_the_wish_to_the_deed(client: Client, ana: Customer, now: dt.datetime) -> None:
    ask(client, ana, "erasure")
    path = f"/{link_of(ana, 'erasure')}"
    assert "cannot be undone" in client.get(path).content.decode()
    ana.refresh_from_db()
    assert ana.email and run_due_erasures(now) == 0
    assert client.post(path).status_code == 302
    assert "being erased" in client.get(path).content.decode()
    assert run_due_erasures(timezone.now()) == 1
    ana.refresh_from_db()
    assert (ana.email, ana.last_name, ana.source) == ("", "", "erased")
    assert "Your data are erased" in client.get(path).content.decode()
    assert "run out" in Client().get(path).content.decode()
    request = PrivacyRequest.objects.get()
    assert (request.status, request.customer_number) == (Status.DONE, None)
    assert AuditEntry.objects.get(action="customer_erased").details["reason"] == "confirmed by the person's own link"
    assert Suppression.objects.filter(reason="erased").exists()
    assert run_due_erasures(timezone.now()) == 0
    assert client.post(path).status_code == 302 and client.post(f"{path}copy/").status_code == 302
    assert client.get(page_of(ana)).status_code == 200


def test_a_cooling_period_is_said_and_takes_it_back(
    client: Client, ana: Customer, settings: Settings, now: dt.datetime
) -> None:
    settings.ERASURE_COOLING_DAYS = 7
    ask(client, ana, "erasure")
    path = f"/{link_of(ana, 'erasure')}"
    assert "It happens after 7 days" in client.get(path).content.decode()
    client.post(path)
    request = PrivacyRequest.objects.get()
    assert request.status == Status.SCHEDULED and request.runs_at is not None
    assert ana.preference.paused_until == request.runs_at, "nothing is sent meanwhile"
    assert run_due_erasures(now + dt.timedelta(days=6)) == 0
    assert "Keep my data after all" in Client().get(path).content.decode()
    client.post(path, {"take_back": "1"})
    ana.preference.refresh_from_db()
    assert ana.preference.paused_until is None
    assert PrivacyRequest.objects.get().status == Status.TAKEN_BACK
    assert run_due_erasures(now + dt.timedelta(days=8)) == 0
    client.post(path)
    client.post(path, {"take_back": "1"})
    assert PrivacyRequest.objects.get().status == Status.TAKEN_BACK, "the link was used"
    assert AuditEntry.objects.filter(action="privacy_taken_back").count() == 1
    ask(client, ana, "erasure")
    follow(client, ana, "erasure")
    assert run_due_erasures(now + dt.timedelta(days=8)) == 1, "and asked for once more, it runs"
    ana.refresh_from_db()
    assert ana.source == "erased"


def test_staff_hold_an_erasure_with_a_reason(
    client: Client, ana: Customer, settings: Settings, now: dt.datetime, site_admin: User
) -> None:
    settings.ERASURE_COOLING_DAYS = 7
    ask(client, ana, "erasure")
    path = follow(client, ana, "erasure")
    staff = Client()
    staff.force_login(site_admin)
    page = staff.get("/privacy/").content.decode()
    assert "confirmed by them" in page and "runs by itself on" in page
    staff.post(f"/privacy/{PrivacyRequest.objects.get().pk}/refuse/", {"reason": "a dispute is open in court"})
    assert run_due_erasures(now + dt.timedelta(days=8)) == 0
    ana.refresh_from_db()
    assert ana.email and "run out" in client.get(path).content.decode()


def test_who_was_merged_meanwhile_goes_as_one_and_only_by_the_same_address(
    client: Client, ana: Customer, now: dt.datetime
) -> None:
    other = Customer.objects.create(source="till", external_id="t-1", email="Ana@Shop.test", first_name="Ana")
    ask(client, other, "erasure")
    path = f"/{link_of(other, 'erasure')}"
    merge_customers(other.pk, ana.pk, reason="staff", actor=None, now=now)
    client.post(path)
    assert run_due_erasures(timezone.now()) == 1
    assert not Customer.objects.known().exists(), "both are gone"

    ben = Customer.objects.create(external_id="ben-0001", email="ben@shop.test")
    alias = Customer.objects.create(source="till", external_id="t-2", email="b2@shop.test")
    ask(client, alias, "erasure")
    path = f"/{link_of(alias, 'erasure')}"
    merge_customers(alias.pk, ben.pk, reason="staff", actor=None, now=now)
    client.post(path)
    assert run_due_erasures(timezone.now()) == 0 and "run out" in client.get(path).content.decode()
    assert Customer.objects.get(pk=ben.pk).email == "ben@shop.test"


# --- What must not happen ----------------------------------------------------------------------------------------------


def test_the_link_ends_with_its_time_and_with_the_address(client: Client, ana: Customer, now: dt.datetime) -> None:
    ask(client, ana, "erasure")
    path = f"/{link_of(ana, 'erasure')}"
    token = path.split("/")[2]
    assert not confirm_own_wish(token, now=now + dt.timedelta(hours=25))
    Customer.objects.filter(pk=ana.pk).update(email="new@shop.test")
    assert not confirm_own_wish(token, now=now) and "run out" in client.get(path).content.decode()
    Customer.objects.filter(pk=ana.pk).update(email="ANA@shop.test")
    assert confirm_own_wish(token, now=now), "capitals make no other address"
    for forged in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.split(".")[0] + ".x",
        "1." + token.split(".")[1],
        "x",
    ):
        assert client.get(f"/d/{forged}/").status_code == client.post(f"/d/{forged}/").status_code == 404
        assert client.post(f"/d/{forged}/copy/").status_code == 404


def test_no_mailbox_is_filled_and_nobody_learns_who_has_one(client: Client, ana: Customer) -> None:
    said = {ask(client, ana, "export").split("<main")[1].count("on its way") for _time in range(4)}
    assert said == {1}, "the same answer each time"
    assert ana.own_requests.count() == 1 and ana.own_requests.get().mails == 1
    later = timezone.now()
    for _time in range(9):
        later += dt.timedelta(minutes=11)
        OwnRequest.objects.update(mail="sent")
        for kind in ("export", "erasure"):
            ask_for_own_data(ana, kind, source="x", now=later)
    assert sum(ana.own_requests.values_list("mails", flat=True)) == 5, "in a day"
    assert PrivacyRequest.objects.count() == 2
    for _time in range(12):
        client.post(f"{page_of(ana)}data/", {"kind": "export"})
    assert "Wait ten minutes" in ask(client, ana, "export")
    assert client.post("/p/x/data/", {"kind": "export"}).status_code == 404


def test_without_an_address_staff_decide(client: Client, now: dt.datetime) -> None:
    bo = Customer.objects.create(external_id="bo", phone="+442079460812")
    assert "Within 30 days" in ask(client, bo, "erasure")
    assert PrivacyRequest.objects.get().status == Status.OPEN and not OwnRequest.objects.exists()


def test_where_the_mail_cannot_arrive_staff_decide(client: Client, ana: Customer, now: dt.datetime) -> None:
    suppress_address("ana@shop.test", reason=Suppression.Reason.BOUNCED)
    ask(client, ana, "export")
    with ScriptedSmtpServer() as server:
        send(server)
    assert server.taken == [] and OwnRequest.objects.get().mail == "failed"
    assert close_outlived(now) == 1
    assert (PrivacyRequest.objects.get().status, OwnRequest.objects.get().state) == (Status.OPEN, "outlived")
    assert not confirm_own_wish(link_of(ana, "export").split("/")[1], now=now)


def test_who_unsubscribed_gets_the_mail_all_the_same(client: Client, ana: Customer) -> None:
    suppress_address("ana@shop.test", reason=Suppression.Reason.UNSUBSCRIBED)
    ask(client, ana, "export")
    with ScriptedSmtpServer() as server:
        assert send(server) == {"sent": 1}


def test_what_nobody_confirms_is_over_and_not_handed_to_staff(client: Client, ana: Customer, now: dt.datetime) -> None:
    ask(client, ana, "erasure")
    OwnRequest.objects.update(mail="sent")
    assert close_outlived(now + dt.timedelta(hours=23)) == 0
    assert close_outlived(now + dt.timedelta(hours=25)) == 1
    assert PrivacyRequest.objects.get().status == Status.LAPSED
    assert ask(client, ana, "erasure") and PrivacyRequest.objects.count() == 2, "they may ask once more"


def test_a_wish_beyond_the_mails_of_a_day_goes_to_staff(ana: Customer, now: dt.datetime) -> None:
    for _time in range(5):
        ask_for_own_data(ana, "export", source="page", now=now)
        OwnRequest.objects.update(mail=OwnRequest.Mail.SENT, mail_asked_at=now - dt.timedelta(hours=1))
    request = ask_for_own_data(ana, "erasure", source="page", now=now)
    assert request.status == Status.WAITING and not ana.own_requests.filter(kind="erasure").exists()
    close_outlived(now + dt.timedelta(minutes=1))
    request.refresh_from_db()
    assert request.status == Status.OPEN
    assert PrivacyRequest.objects.get(kind="export").status == Status.WAITING


def test_a_link_of_an_earlier_address_takes_nothing_back(
    client: Client, ana: Customer, settings: Settings, now: dt.datetime
) -> None:
    settings.ERASURE_COOLING_DAYS = 7
    ask(client, ana, "erasure")
    earlier = f"/{link_of(ana, 'erasure')}"
    Customer.objects.filter(pk=ana.pk).update(email="ana.lima@shop.test")
    ask(client, ana, "erasure")
    follow(client, ana, "erasure")
    assert PrivacyRequest.objects.get().status == Status.SCHEDULED
    client.post(earlier, {"take_back": "1"})
    assert PrivacyRequest.objects.get().status == Status.SCHEDULED


def test_taking_back_gives_the_persons_own_break_back_and_leaves_the_shops_demand(
    client: Client, ana: Customer, settings: Settings, now: dt.datetime
) -> None:
    settings.ERASURE_COOLING_DAYS = 7
    until = now + dt.timedelta(days=3)
    save_preference(ana, {"paused_until": until}, source="preferences", now=now)
    ask_for_erasure(ana, "erasure", source="shop:shopify", now=now)
    ask(client, ana, "erasure")
    path = follow(client, ana, "erasure")
    client.post(path, {"take_back": "1"})
    assert Customer.objects.get(pk=ana.pk).preference.paused_until == until
    request = PrivacyRequest.objects.get()
    assert (request.status, request.runs_at) == (Status.OPEN, None)


def test_the_mail_does_not_reach_me(client: Client, ana: Customer) -> None:
    ask(client, ana, "export")
    assert "does not reach me" in client.get(page_of(ana)).content.decode()
    assert "Within 30 days" in ask(client, ana, "export", by_staff="1")
    assert PrivacyRequest.objects.get().status == Status.OPEN
    assert "does not reach me" not in client.get(page_of(ana)).content.decode()
    follow(client, ana, "export")
    assert PrivacyRequest.objects.get().status == Status.DONE, "and where the mail arrives after all, it counts"


def test_in_chinese(client: Client, now: dt.datetime) -> None:
    li = Customer.objects.create(external_id="li", email="li@shop.test", language="zh")
    assert "邮件" in ask(client, li, "erasure")
    with ScriptedSmtpServer() as server:
        send(server)
    letter = message_from_bytes(server.taken[0], policy=default)
    plain = letter.get_body(("plain",))
    assert plain is not None and "删除" in letter["Subject"] and "确认" in plain.get_content()
    assert "删除" in client.get(f"/{link_of(li, 'erasure')}").content.decode()


def test_the_address_of_the_page_is_the_one_in_mails(ana: Customer) -> None:
    assert reverse("campaigns:own-data", args=["x"]) == f"{OWN_DATA_PATH}x/"
    assert confirming.SALT == "campaigns.delivery.own_data"


def test_a_failing_erasure_holds_up_no_other(
    client: Client, ana: Customer, monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    ben = Customer.objects.create(external_id="ben-0001", email="ben@shop.test")
    for who in (ana, ben):
        ask(client, who, "erasure")
        follow(client, who, "erasure")
    from customers.privacy import own

    whole = own.erase_customer

    def fail_once(customer: Customer, **given: Any) -> Any:
        if customer.pk == ana.pk:
            raise RuntimeError
        return whole(customer, **given)

    monkeypatch.setattr(own, "erase_customer", fail_once)
    assert run_due_erasures(timezone.now()) == 1
    monkeypatch.setattr(own, "erase_customer", whole)
    assert run_due_erasures(timezone.now()) == 1
    assert not Customer.objects.known().exists()


# --- By REST -----------------------------------------------------------------------------------------------------------


def test_a_shops_account_page_asks_in_the_persons_name(ana: Customer, make_user: MakeUser, client: Client) -> None:
    url, who = "/api/v1/privacy/requests/", {"external_id": "ana-0001", "kind": "erasure"}
    shop = client_of(make_user("shop", "integration"))
    told = shop.post(url, who)
    assert (told.status_code, told.json()["status"], told.json()["runs_at"]) == (202, "waiting", None)
    assert shop.post(url, who).json()["id"] == told.json()["id"]
    assert shop.post(url, {"external_id": "nobody", "kind": "export"}).status_code == 404
    assert shop.post(url, who | {"kind": "all"}).status_code == 400
    assert shop.get(url).status_code == 403, "it asks, and reads nothing"
    assert client_of(make_user("mia", "marketer")).post(url, who).status_code == 403
    support = client_of(make_user("sam", "support"))
    assert [row["kind"] for row in support.get(url, {"status": "waiting"}).json()["results"]] == ["erasure"]
    follow(client, ana, "erasure")
    assert support.get(url).json()["results"][0]["status"] == "scheduled"
