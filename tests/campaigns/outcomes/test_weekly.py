"""The weekly mail: on Monday morning, once, to who wants it, in their language, with the pages' figures and nobody's data."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from campaigns.models import Campaign, CampaignResult, NotificationChoice, WeeklyMail
from campaigns.outcomes.weekly import MOST_ATTEMPTS, PAUSE, find_week, mail_weekly, make_token
from tests.campaigns import arrange
from tests.campaigns.outcomes.test_reports import _measured, _send, _use
from tests.smtp_server import At, Fault, ScriptedSmtpServer

pytestmark = pytest.mark.django_db
#: A Monday, 7:30 in London.
MONDAY = dt.datetime(2027, 2, 1, 7, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def london(settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "Europe/London"


def _want(user: User, language: str = "en", *, wants: bool = True) -> NotificationChoice:
    choice, _created = NotificationChoice.objects.update_or_create(
        user=user, defaults={"wants_weekly": wants, "language": language}
    )
    return choice


def _states() -> list[str]:
    return list(WeeklyMail.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(
    ("zone", "at", "week"),
    [
        ("Europe/London", "2027-02-01T06:59", None),
        ("Europe/London", "2027-02-01T07:00", "2027-02-01"),
        ("Europe/London", "2027-02-02T23:59", "2027-02-01"),
        ("Europe/London", "2027-02-03T00:00", None),
        ("Europe/London", "2027-01-31T12:00", None),
        ("Pacific/Auckland", "2027-01-31T18:00", "2027-02-01"),
        ("America/Los_Angeles", "2027-02-01T07:30", None),
        ("Europe/London", "2027-03-29T06:00", "2027-03-29"),
    ],
)
def test_the_week_begins_on_the_monday_morning_of_the_shop(
    settings: Settings, zone: str, at: str, week: str | None
) -> None:
    settings.SHOP_TIME_ZONE = zone
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)
    assert find_week(moment) == (None if week is None else dt.date.fromisoformat(week))


def test_only_who_asked_for_it_and_may_see_it_gets_it_and_only_once(
    marketer: User, approver: User, outsider: User, support_agent: User
) -> None:
    _want(marketer)
    _want(outsider)
    _want(support_agent)
    _want(approver, wants=False)
    assert [mail_weekly(MONDAY), mail_weekly(MONDAY + dt.timedelta(hours=3))] == [1, 0]
    assert [message.to for message in mail.outbox] == [[marketer.email]]
    assert mail_weekly(MONDAY + dt.timedelta(days=7)) == 1
    assert WeeklyMail.objects.filter(user=marketer, state="sent").count() == 2
    assert not WeeklyMail.objects.exclude(user=marketer).exists()


def test_it_says_what_the_pages_say_in_the_language_of_its_reader(
    marketer: User, analyst: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MONDAY)
    _measured("Good", 2_000, 600, 1_000, 200)
    _measured("Bad", 2_000, 100, 1_000, 200, days=1)
    for number, customer in enumerate(arrange.make_customers(8)):
        for days in (100, 20) if number < 6 else (100,):
            _use(customer, 0, MONDAY - dt.timedelta(days=days))
    _want(marketer)
    _want(analyst, "zh-hans")
    assert mail_weekly(MONDAY) == 2
    english, chinese = sorted(mail.outbox, key=lambda message: message.to != [marketer.email])
    client.force_login(marketer)
    for name, words in (
        ("retention", "75.0% of customers stay."),
        ("lift", "1 of them clearly kept customers."),
        ("lift", "1 of them clearly lost customers."),
        ("cost", "Too early to say what a customer kept costs."),
    ):
        page = client.get(reverse(f"campaigns:report-{name}")).content.decode()
        html = str(english.alternatives[0][0])  # type: ignore[attr-defined]
        assert words in page.replace("&#x27;", "'")
        assert words in english.body
        assert words in html
    assert "<" not in english.body
    assert "每周" in chinese.subject or "本周" in chinese.subject
    assert "75.0%" in chinese.body


def test_it_says_what_the_week_brought(marketer: User, analyst: User) -> None:
    """From Monday to Sunday by the shop's clock: a window that closed on Sunday night is news, one of this Monday is not yet."""
    for name, counts, opens, closes in (
        ("Kept some", (2_000, 600, 1_000, 200), "2026-12-01T09:00", "2027-01-31T23:30"),
        ("Lost some", (2_000, 100, 1_000, 200), "2026-11-27T09:00", "2027-01-25T00:00"),
        ("Older news", (2_000, 600, 1_000, 200), "2026-11-20T09:00", "2027-01-24T23:59"),
        ("Next week", (2_000, 600, 1_000, 200), "2026-12-03T09:00", "2027-02-01T00:00"),
        ("Just sent", (900, 10, 100, 1), "2027-01-27T09:00", "2027-03-28T09:00"),
    ):
        _say_when(_measured(name, *counts, is_complete=name != "Just sent"), opens, closes)
    _want(marketer)
    _want(analyst, "zh-hans")
    assert mail_weekly(MONDAY) == 2
    english, chinese = sorted(mail.outbox, key=lambda message: message.to != [marketer.email])
    said = english.body.split("Last week", 1)[1].split("Retention:", 1)[0]
    assert "Kept some: Its counting is over: 200 customers stayed who would have left" in said
    assert "Lost some: Its counting is over: fewer stayed than without the message" in said
    assert "Just sent: It began: 900 people to be written to so far, 100 held out." in said
    assert "Older news" not in said
    assert "Next week" not in said
    html = str(english.alternatives[0][0])  # type: ignore[attr-defined]
    addresses = re.findall(r"http://[^\s\"<]+", english.body)
    assert len(addresses) == len(set(addresses)) == 8
    assert all(f'href="{address}"' in html for address in addresses)
    assert "Its counting" not in chinese.body


def test_a_week_without_any_news_says_so(marketer: User) -> None:
    _want(marketer)
    mail_weekly(MONDAY)
    assert "No campaign began, and no campaign’s counting ended." in mail.outbox[0].body


def _say_when(campaign: Campaign, opens: str, closes: str) -> None:
    result = CampaignResult.objects.get(campaign=campaign)
    is_over = result.figures["retention"]["verdict"] != "too_early"
    result.figures |= {"window_start": f"{opens}:00+00:00", "window_end": f"{closes}:00+00:00", "is_complete": is_over}
    result.save()


def test_whose_right_went_while_their_mail_waited_gets_none(marketer: User, analyst: User) -> None:
    for user in (marketer, analyst):
        _want(user)
        WeeklyMail.objects.create(user=user, week=MONDAY.date(), attempts=1, tried_at=MONDAY - 2 * PAUSE)
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert mail_weekly(MONDAY) == 1
    assert (_states(), [message.to for message in mail.outbox]) == (["sent", "failed"], [[marketer.email]])


def test_no_customer_is_in_it(marketer: User) -> None:
    people = arrange.make_customers(40)
    _send(people, [])
    _want(marketer)
    mail_weekly(MONDAY)
    (message,) = mail.outbox
    words = f"{message.subject} {message.body} {message.alternatives[0][0]}"  # type: ignore[attr-defined]
    assert not any(
        word in words for word in ("Kim", "Number", "shopper.test", *(f"c{number}@" for number in range(40)))
    )


def test_one_click_ends_it_without_a_log_in(marketer: User, client: Client) -> None:
    choice = _want(marketer)
    mail_weekly(MONDAY)
    header = mail.outbox[0].extra_headers
    assert header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = header["List-Unsubscribe"].strip("<>").split("/", 3)[3]
    strict = Client(enforce_csrf_checks=True)
    assert "No more of these mails?" in strict.get(f"/{url}").content.decode()
    assert strict.post(f"/{url}").status_code == 403, "without the token of the form only mail programs may post"
    choice.refresh_from_db()
    assert choice.wants_weekly
    assert strict.post(f"/{url}", {"List-Unsubscribe": "One-Click"}).status_code == 204
    choice.refresh_from_db()
    assert not choice.wants_weekly
    assert mail_weekly(MONDAY + dt.timedelta(days=7)) == 0
    assert client.get(f"/{url}").status_code == 200
    for token in ("1.x", make_token(10**6), "nonsense"):
        assert client.post(reverse("campaigns:weekly-end", args=[token])).status_code == 404


def test_each_switches_it_on_in_their_own_page(marketer: User, client: Client) -> None:
    client.force_login(marketer)
    url = reverse("campaigns:notification-choice")
    assert "Monday morning" in client.get(url).content.decode()
    client.post(url, {"kinds": [], "wants_weekly": "on", "language": "en"})
    assert NotificationChoice.objects.get(user=marketer).wants_weekly
    client.post(url, {"kinds": [], "language": "en"})
    assert not NotificationChoice.objects.get(user=marketer).wants_weekly


def _use_server(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5.0


def test_a_server_that_is_down_is_asked_again_and_not_for_ever(marketer: User, settings: Settings) -> None:
    _use_server(settings, 1)
    _want(marketer)
    now = MONDAY
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert mail_weekly(now) == 0
        assert mail_weekly(now) == 0, "not at once again"
        assert WeeklyMail.objects.get().attempts == attempt
        now += PAUSE + dt.timedelta(seconds=1)
    assert _states() == ["failed"]


def test_what_the_server_refused_is_tried_again(marketer: User, settings: Settings) -> None:
    _want(marketer)
    with ScriptedSmtpServer(phase=At.RCPT, fault=Fault.TEMPORARY) as server:
        _use_server(settings, server.port)
        assert mail_weekly(MONDAY) == 0
        assert _states() == ["waiting"]
        assert mail_weekly(MONDAY + PAUSE + dt.timedelta(seconds=1)) == 1
        assert len(server.taken) == 1


def test_what_nobody_knows_of_is_never_sent_twice(marketer: User, settings: Settings) -> None:
    _want(marketer)
    with ScriptedSmtpServer(phase=At.DOT, fault=Fault.CUT) as server:
        _use_server(settings, server.port)
        assert mail_weekly(MONDAY) == 0
        assert _states() == ["unknown"]
        assert mail_weekly(MONDAY + dt.timedelta(hours=2)) == 0
        assert len(server.taken) == 1, "it had arrived"


def test_a_worker_that_died_leaves_a_row_that_is_not_sent_again(marketer: User) -> None:
    _want(marketer)
    WeeklyMail.objects.create(user=marketer, week=MONDAY.date(), state="sending", attempts=1, tried_at=MONDAY)
    assert mail_weekly(MONDAY + dt.timedelta(hours=1)) == 0
    assert (_states(), mail.outbox) == (["unknown"], [])


def test_a_week_that_is_over_is_not_mailed_late(marketer: User) -> None:
    _want(marketer)
    WeeklyMail.objects.create(user=marketer, week=MONDAY.date())
    assert mail_weekly(MONDAY + dt.timedelta(days=3)) == 0
    assert _states() == ["failed"]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_mail_each_once() -> None:
    for number in range(6):
        _want(User.objects.create_superuser(f"admin{number}", f"admin{number}@tarnside.test"))
    barrier, mailed = threading.Barrier(4), []

    def sweep() -> None:
        barrier.wait()
        try:
            mailed.append(mail_weekly(MONDAY))
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(mailed) == len(mail.outbox) == len({message.to[0] for message in mail.outbox}) == 6
