"""Answers without a person: off by default, only where everything speaks for it, once, with the notice, and people above it."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from pytest_django import Settings

from customers.ingest.recorder import NewEvent, record_events
from customers.models import AuditEntry, Customer
from support.answers import switching
from support.answers.automatic import find_obstacle, is_drawn
from support.answers.by_itself import answer_pending, make_person_link, send_by_itself, settle_stranded
from support.answers.knowledge import save_article
from support.answers.suggesting import suggest_answer
from support.mail.reading import parse_bytes
from support.mail.taking import take_in_mail
from support.models import (
    Answer,
    Article,
    AutomaticAnswer,
    AutomaticCategory,
    MailWay,
    PeopleOnly,
    Ticket,
    TicketChannel,
    TicketMessage,
    TriageReading,
)
from support.triage.correcting import correct_triage
from support.triage.deciding import triage_ticket
from tests.support.conftest import Ask
from tests.support.mail.letters import write_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("articles")]
QUESTION = "Can I return underwear?"
TRUE = "Underwear and opened water filters cannot be returned."
SETTINGS: dict[str, Any] = {
    "least_sureness": 0.5, "sample_share": 0.5, "most_per_hour": 20, "most_per_day": 100,
    "notice_en": switching.NOTICES["en"], "notice_zh": switching.NOTICES["zh"],
}  # fmt: skip
Prepare = Callable[..., Answer]


@pytest.fixture(autouse=True)
def kept_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def switched_on(site_admin: User, now: dt.datetime) -> AutomaticCategory:
    at = now - dt.timedelta(hours=1)
    return switching.switch_on(site_admin, "return", SETTINGS, is_confirmed=True, now=at)


def read_by_model(ticket: Ticket, now: dt.datetime, **values: str) -> None:
    """What a language model would have left behind."""
    told = {"topic": "return", "intent": "ask", "complaint": "no", "sentiment": "neutral", "urgency": "2"} | values
    verdicts = {field: {"value": value, "sureness": 0.9, "quote": ""} for field, value in told.items()}
    message = ticket.messages.newest_spoken()[0]
    TriageReading.objects.create(ticket=ticket, message=message, status="read", verdicts=verdicts)
    triage_ticket(ticket, now=now)


@pytest.fixture
def prepare(ask: Ask, now: dt.datetime) -> Prepare:
    """A question that everything speaks for."""

    def make(
        text: str = QUESTION, *, values: dict[str, str] | None = None, is_read: bool = True, **fields: Any
    ) -> Answer:
        ticket = ask(text, **fields)
        if is_read:
            read_by_model(ticket, now, **(values or {}))
        answer = suggest_answer(ticket, now=now)
        assert answer is not None
        return answer

    return make


def obstacle(answer: Answer, now: dt.datetime) -> str:
    ticket = Ticket.objects.get(pk=answer.ticket_id)
    answer.refresh_from_db()
    return find_obstacle(ticket, answer, AutomaticCategory.objects.filter(topic="return").first(), now=now)


def test_it_is_off_by_default(prepare: Prepare, now: dt.datetime) -> None:
    answer = prepare()
    assert (obstacle(answer, now), answer_pending(now=now), mail.outbox) == ("off", 0, [])


def test_what_everything_speaks_for_is_sent_once_and_says_so(
    prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime
) -> None:
    answer = prepare(subject="Return underwear")
    assert obstacle(answer, now) == ""
    assert (answer_pending(now=now), answer_pending(now=now)) == (1, 0)
    assert send_by_itself(answer, now=now) is None
    (sent,) = mail.outbox
    assert sent.to == ["kim@shopper.test"] and sent.extra_headers["Auto-Submitted"] == "auto-replied"
    assert TRUE in sent.body and "computer program" in sent.body and "/contact/person/" in sent.body
    assert "Return" not in sent.subject, "what a stranger wrote does not come back under our name"
    ticket = Ticket.objects.get()
    kept = AutomaticAnswer.objects.get()
    assert (ticket.status, kept.topic, kept.message.author, kept.message.send_status) == (
        "waiting",
        "return",
        None,
        "sent",
    )
    assert "/contact/person/" not in kept.message.text, "a link that acts is not shown to staff"
    answer.refresh_from_db()
    assert (answer.status, answer.share_changed, answer.decided_by) == ("sent", 0.0, None)
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"automatic_on", "automatic_sent"}


def mark(answer: Answer, **fields: Any) -> None:
    Ticket.objects.filter(pk=answer.ticket_id).update(**fields)


CASES: dict[str, Callable[[Answer, User, dt.datetime], object]] = {
    "stopped": lambda answer, user, now: switching.stop_all(user, now=now),
    "persons": lambda answer, user, now: mark(answer, assignee=user),
    "complaint": lambda answer, user, now: mark(answer, is_complaint=True),
    "mood": lambda answer, user, now: mark(answer, sentiment="negative"),
    "doubt": lambda answer, user, now: mark(answer, needs_look=True),
    "old": lambda answer, user, now: mark(answer, last_message_at=now - dt.timedelta(hours=13)),
    "no_address": lambda answer, user, now: (
        mark(answer, writer_email=""), Customer.objects.update(email="")
    ),
    "not_open": lambda answer, user, now: mark(answer, status="escalated"),
    "refused": lambda answer, user, now: Answer.objects.update(refusal="unanswered"),
    "unsupported": lambda answer, user, now: Answer.objects.update(
        sentences=[*answer.sentences, {"text": "We pay twice.", "supported": False, "why": ["no_source"]}]
    ),
    "unsure": lambda answer, user, now: AutomaticCategory.objects.update(least_sureness=1.0),
    "stale": lambda answer, user, now: save_article(
        user, {"title_en": "Returns", "text_en": "All can be returned."}, now=now, article=Article.objects.get(number=4), base=1
    ),
    "people_only": lambda answer, user, now: PeopleOnly.objects.create(customer=answer.ticket.customer, asked_at=now),
    "rate": lambda answer, user, now: _send_another(now),
}  # fmt: skip


def _send_another(now: dt.datetime) -> None:
    AutomaticCategory.objects.update(most_per_hour=1)
    ticket = Ticket.objects.create(channel="api", external_id="x", opened_at=now, last_message_at=now)
    message = TicketMessage.objects.create(ticket=ticket, direction="out", text="x", written_at=now)
    answer = Answer.objects.create(ticket=ticket, message=message, status="sent", made_at=now)
    AutomaticAnswer.objects.create(ticket=ticket, answer=answer, message=message, topic="return", sent_at=now)


@pytest.mark.parametrize("code", sorted(CASES))
def test_one_thing_against_it_and_a_person_answers(
    prepare: Prepare, switched_on: AutomaticCategory, support_agent: User, now: dt.datetime, code: str
) -> None:
    answer = prepare()
    CASES[code](answer, support_agent, now)
    assert (obstacle(answer, now), send_by_itself(answer, now=now)) == (code, None)
    assert mail.outbox == [] and not AutomaticAnswer.objects.filter(ticket=answer.ticket).exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"topic": "refund"}, "not_open"),
        ({"complaint": "yes"}, "complaint"),
        ({"urgency": "4"}, "mood"),
        ({"intent": "person"}, "person_wished"),
        ({"intent": "complain"}, "complaint"),
    ],
)
def test_a_model_that_says_something_else_leaves_it_to_people(
    prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime, values: dict[str, str], code: str
) -> None:
    assert (obstacle(prepare(values=values), now), answer_pending(now=now)) == (code, 0)


def test_without_a_model_nothing_is_sent(prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime) -> None:
    assert (obstacle(prepare(is_read=False), now), answer_pending(now=now)) == ("no_model", 0)


def test_a_complaint_that_the_shop_told_of_counts_too(
    prepare: Prepare, switched_on: AutomaticCategory, kim: Customer, now: dt.datetime
) -> None:
    answer = prepare()
    at = now - dt.timedelta(days=1)
    record_events(
        [NewEvent(customer_id=kim.pk, kind="complaint_opened", occurred_at=at, external_id="c")], source="shop"
    )
    assert obstacle(answer, now) == "complaint"


def test_a_correction_hands_it_to_people(
    prepare: Prepare, switched_on: AutomaticCategory, support_agent: User, now: dt.datetime
) -> None:
    answer = prepare()
    correct_triage(support_agent, answer.ticket, "sentiment", "positive", now=now)
    assert obstacle(answer, now) == "persons"


def test_who_answers_back_gets_a_person(
    prepare: Prepare, switched_on: AutomaticCategory, ask: Ask, now: dt.datetime, support_agent: User, client: Client
) -> None:
    answer = prepare()
    answer_pending(now=now)
    later = now + dt.timedelta(hours=2)
    ticket = ask(QUESTION, at=later)
    assert ticket.pk == answer.ticket_id
    ticket.refresh_from_db()
    assert (ticket.status, ticket.escalation, ticket.urgency) == ("escalated", "answered_back", 3)
    read_by_model(ticket, later)
    suggest_answer(ticket, now=later)
    assert answer_pending(now=later) == 0 and len(mail.outbox) == 1
    client.force_login(support_agent)
    assert "wrote again after an automatic answer" in client.get(f"/support/tickets/{ticket.pk}/").content.decode()


def test_one_writer_gets_one_in_a_day(prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime) -> None:
    prepare()
    answer_pending(now=now)
    assert obstacle(prepare(thread="another"), now) == "lately"


def test_the_link_to_a_person(
    prepare: Prepare, switched_on: AutomaticCategory, client: Client, now: dt.datetime
) -> None:
    answer = prepare()
    answer_pending(now=now)
    path = "/contact/" + make_person_link(answer.ticket).partition("/contact/")[2]
    for _time in range(3):
        assert client.get(path).status_code == 200
    assert Ticket.objects.get().status == "waiting" and not PeopleOnly.objects.exists()
    for _time in range(2):
        assert client.post(path, {"never_again": "1"}).status_code == 200
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.escalation) == ("escalated", "person_wanted")
    assert PeopleOnly.objects.get().noted_by is None
    assert client.post(path[:-3] + "xx/").status_code == 404


def test_who_may_switch(site_admin: User, support_agent: User, analyst: User, now: dt.datetime) -> None:
    for user in (support_agent, analyst):
        with pytest.raises(PermissionDenied):
            switching.switch_on(user, "return", SETTINGS, is_confirmed=True, now=now)
    with pytest.raises(ValidationError, match="Confirm"):
        switching.switch_on(site_admin, "return", SETTINGS, is_confirmed=False, now=now)
    for wrong in ({"notice_en": "Hello"}, {"least_sureness": 0.2}, {"sample_share": 0.0}):
        with pytest.raises(ValidationError):
            switching.switch_on(site_admin, "return", SETTINGS | wrong, is_confirmed=True, now=now)
    with pytest.raises(PermissionDenied):
        switching.stop_all(analyst, now=now)
    assert switching.stop_all(support_agent, now=now) and not switching.stop_all(support_agent, now=now)
    with pytest.raises(PermissionDenied):
        switching.let_go(support_agent, now=now)
    assert switching.let_go(site_admin, now=now) and not switching.is_stopped()
    assert not AutomaticCategory.objects.exists()


def test_the_page_switches_it_on_and_off_and_people_check_what_was_sent(
    prepare: Prepare, site_admin: User, support_agent: User, client: Client, now: dt.datetime
) -> None:
    client.force_login(site_admin)
    assert client.post("/answer-quality/automatic/return/", SETTINGS).status_code == 422
    assert client.post("/answer-quality/automatic/return/", SETTINGS | {"confirmed": "1"}).status_code == 302
    AutomaticCategory.objects.update(switched_at=now - dt.timedelta(hours=1), sample_share=1.0)
    answer = prepare()
    answer_pending(now=now)
    client.force_login(support_agent)
    path = f"/support/tickets/{answer.ticket_id}/"
    assert path in client.get("/support/?show=check").content.decode()
    client.post(f"{path}check/", {"verdict": "wrong", "remark": "Underwear in its seal may come back"})
    kept = AutomaticAnswer.objects.get()
    assert (kept.verdict, kept.checked_by) == ("wrong", support_agent)
    assert path not in client.get("/support/?show=check").content.decode()
    assert client.get("/answer-quality/automatic/return/").status_code == 403
    client.post("/answer-quality/automatic/stop/")
    assert switching.is_stopped()
    assert client.post("/answer-quality/automatic/return/off/").status_code == 403
    client.force_login(site_admin)
    client.post("/answer-quality/automatic/resumption/")
    client.post("/answer-quality/automatic/return/off/")
    assert not AutomaticCategory.objects.get().is_on


def test_the_sample_is_drawn_by_a_hash_of_the_ticket() -> None:
    small, large = ({pk for pk in range(1, 4001) if is_drawn(pk, share)} for share in (0.1, 0.3))
    assert small < large
    assert abs(len(small) / 4000 - 0.1) < 0.02 and abs(len(large) / 4000 - 0.3) < 0.03
    assert is_drawn(7, 1.0)


def test_a_mail_server_that_is_away_leaves_it_to_a_person(
    prepare: Prepare, switched_on: AutomaticCategory, settings: Settings, now: dt.datetime
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", taken.getsockname()[1]
        answer = prepare()
        assert answer_pending(now=now) == 1
    ticket = Ticket.objects.get(pk=answer.ticket_id)
    assert (ticket.status, ticket.escalation) == ("escalated", "not_sent")
    assert AutomaticAnswer.objects.get().message.send_status == "failed"
    assert answer_pending(now=now) == 0


def test_what_a_dead_worker_left_is_never_sent_again(
    prepare: Prepare, switched_on: AutomaticCategory, monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    def die(*_args: object, **_more: object) -> None:
        raise SystemExit

    answer = prepare()
    monkeypatch.setattr("support.answers.by_itself.hand_over", die)
    with pytest.raises(SystemExit):
        answer_pending(now=now)
    monkeypatch.undo()
    later = now + dt.timedelta(minutes=20)
    assert (answer_pending(now=later), settle_stranded(now=later), settle_stranded(now=later)) == (0, 1, 0)
    ticket = Ticket.objects.get(pk=answer.ticket_id)
    assert (ticket.status, AutomaticAnswer.objects.get().message.send_status, mail.outbox) == (
        "escalated",
        "unknown",
        [],
    )


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_send_one(prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime) -> None:
    answer = prepare()
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        try:
            send_by_itself(answer, now=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(mail.outbox), AutomaticAnswer.objects.count()) == (1, 1)


def test_the_wish_for_people_only_is_kept_by_staff_too(
    prepare: Prepare, support_agent: User, marketer: User, client: Client
) -> None:
    answer = prepare()
    path = f"/support/tickets/{answer.ticket_id}/people-only/"
    client.force_login(support_agent)
    client.post(path, {"wanted": "1"})
    assert PeopleOnly.objects.get().noted_by == support_agent
    client.post(path, {"wanted": "0"})
    assert not PeopleOnly.objects.exists()
    client.force_login(marketer)
    assert client.post(path, {"wanted": "1"}).status_code == 403


@pytest.mark.parametrize(("vouched", "code"), [([""], "unproven"), (["1"], ""), (["1", ""], "unproven")])
def test_mail_of_an_unproven_sender_is_a_persons(
    kim: Customer, switched_on: AutomaticCategory, settings: Settings, now: dt.datetime, vouched: list[str], code: str
) -> None:
    settings.SUPPORT_AUTH_SERVER = "mx.tarnside.test"
    for number, word in enumerate(vouched):
        more = {"In_Reply_To": "<m0@shopper.test>"} if number else {}
        raw = write_mail(QUESTION, subject="Underwear", message_id=f"<m{number}@shopper.test>", vouched=word, **more)
        take_in_mail(parse_bytes(raw), way=MailWay.IMAP, received_at=now, now=now)
    ticket = Ticket.objects.get()
    read_by_model(ticket, now)
    answer = suggest_answer(ticket, now=now)
    assert answer is not None
    assert obstacle(answer, now) == code
    assert (answer_pending(now=now), len(mail.outbox)) == (int(not code), int(not code))


def test_a_reply_to_our_mail_is_proof(prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime) -> None:
    answer = prepare(channel=TicketChannel.MAIL)
    Ticket.objects.update(tied_by="reply")
    assert obstacle(answer, now) == ""


def test_many_that_a_person_has_to_answer_hold_up_no_other(
    prepare: Prepare, switched_on: AutomaticCategory, ask: Ask, now: dt.datetime
) -> None:
    for number in range(21):
        prepare(thread=f"u{number}", is_read=False, customer=None, email=f"u{number}@shopper.test")
    prepare(thread="good")
    assert answer_pending(now=now) == 1


@pytest.mark.parametrize("address", ["[a@x.test", "a]b@x.test", "a@x..test", "a@[x"])
def test_an_address_that_no_header_takes_fails_and_says_so(
    prepare: Prepare, switched_on: AutomaticCategory, now: dt.datetime, address: str
) -> None:
    answer = prepare(customer=None)
    Ticket.objects.update(writer_email=address)
    sent = send_by_itself(Answer.objects.get(pk=answer.pk), now=now)
    assert sent is not None and sent.send_status in ("failed", "sent")
