"""The pages of support: what they show, who may do what on them, and that lists cost the same however long they are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from customers.models import Customer
from support.answers.suggesting import suggest_answer
from support.inbox.working import close_ticket
from support.models import Article, CannedAnswer, Ticket, TicketMessage
from support.views import contact
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True)
def counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests write from one address, and the count of an hour outlives a run of them."""
    monkeypatch.setattr(contact, "MOST_PER_HOUR", 10_000)


@pytest.fixture
def sam(client: Client, support_agent: User) -> Client:
    client.force_login(support_agent)
    return client


def test_the_queue_shows_the_most_urgent_first(sam: Client, ask: Ask) -> None:
    ask("How long does delivery take?", thread="a", subject="Delivery")
    ask("The stove exploded and burned my hand", thread="b", subject="Stove")
    page = sam.get("/support/").content.decode()
    assert page.index(">Stove</a>") < page.index(">Delivery</a>")


def test_a_new_shop_is_told_what_to_do_first(sam: Client, ask: Ask, support_agent: User, now: dt.datetime) -> None:
    page = sam.get("/support/").content.decode()
    assert "No tickets yet" in page and "/contact/: link to it" in page and "Write the first article" in page
    assert "Find a ticket" not in page, "nothing can be found yet"
    close_ticket(support_agent, ask("How long does delivery take?"), now=now)
    assert "All is answered" in sam.get("/support/").content.decode()
    assert "No ticket is of this kind" in sam.get("/support/?show=complaints").content.decode()
    assert "Nothing found" in sam.get("/support/?q=kayak").content.decode()


def test_the_queue_says_what_is_for_people_only_and_how_a_message_begins(sam: Client, ask: Ask) -> None:
    ask("Your heater caught fire, my son is in hospital.\n\nPlease call.", thread="a")
    ask("Where is my parcel? I wait since Monday.", thread="b", subject="Order 12")
    page = sam.get("/support/").content.decode()
    assert "somebody hurt" in page and page.count("somebody hurt") == 1
    assert ">Your heater caught fire, my son is in hospital." in page, "it came without a subject"
    assert "<small>Where is my parcel? I wait since Monday.</small>" in page


def test_the_queue_costs_the_same_for_three_and_for_thirty(
    sam: Client, ask: Ask, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for number in range(3):
        ask("Where is my parcel?", thread=f"a{number}")
    sam.get("/support/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        sam.get("/support/")
    for number in range(20):
        ask("Where is my parcel?", thread=f"b{number}")
    with django_assert_num_queries(len(few)):
        sam.get("/support/")


def test_a_search_finds_words_of_messages_and_numbers(sam: Client, ask: Ask) -> None:
    ticket = ask("My kettle whistles", thread="a", subject="Noise")
    ask("Other", thread="b", subject="Quiet")
    assert "Noise" in sam.get("/support/?q=whistles").content.decode()
    found = sam.get(f"/support/?q=%23{ticket.pk}").content.decode()
    assert "Noise" in found and "Quiet" not in found


def test_a_conversation_shows_its_suggestion_and_sends_what_the_person_wrote(
    sam: Client, ask: Ask, articles: None, now: dt.datetime
) -> None:
    ticket = ask("Can I return underwear?")
    suggest_answer(ticket, now=now)
    page = sam.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "Underwear and opened water filters cannot be returned." in page and "article 4, v1" in page
    seen = ticket.messages.get().pk
    sam.post(f"/support/tickets/{ticket.pk}/answers/", {"text": "No, sorry.", "seen": seen, "close": "1"})
    ticket.refresh_from_db()
    assert ([one.body.split("\n\n")[0] for one in mail.outbox], ticket.status) == (["No, sorry."], "closed")
    assert sam.post(f"/support/tickets/{ticket.pk}/answers/", {"text": "Again", "seen": seen}).status_code == 409


def test_an_answer_that_is_not_sent_stays_in_its_box(sam: Client, ask: Ask) -> None:
    ticket = ask("Where is it?")
    seen = ticket.messages.get().pk
    path = f"/support/tickets/{ticket.pk}/answers/"
    slot = sam.post(path, {"text": "Your order {order_number} is lost.", "seen": seen})
    assert slot.status_code == 422 and ">Your order {order_number} is lost.</textarea>" in slot.content.decode()
    ask("Hello?")
    late = sam.post(path, {"text": "We look for it.", "seen": seen})
    assert late.status_code == 409 and ">We look for it.</textarea>" in late.content.decode()
    again = sam.post(path, {"text": "We look for it.", "seen": late.context["seen"]})
    assert again.status_code == 302 and [one.body for one in mail.outbox] == ["We look for it."]


def test_a_conversation_with_messages_out_of_order_is_answered(sam: Client, ask: Ask, now: dt.datetime) -> None:
    ticket = ask("Can I return underwear?")
    ask("I have a question.", at=now - dt.timedelta(minutes=1))
    seen = sam.get(f"/support/tickets/{ticket.pk}/").context["seen"]
    assert sam.post(f"/support/tickets/{ticket.pk}/answers/", {"text": "No, sorry.", "seen": seen}).status_code == 302
    assert [one.body for one in mail.outbox] == ["No, sorry."]


def test_a_reply_from_a_clock_that_is_late_stands_below_what_it_answers(
    sam: Client, ask: Ask, now: dt.datetime
) -> None:
    ticket = ask("Is parking free?")
    newest = ticket.messages.newest_spoken()[0].pk
    sam.post(f"/support/tickets/{ticket.pk}/answers/", {"text": "Yes, it is.", "seen": newest})
    ask("And for how long?", at=now - dt.timedelta(hours=8))
    page = sam.get(f"/support/tickets/{ticket.pk}/").content.decode()
    places = [
        page.index(f'<p class="words" dir="auto">{text}') for text in ("Is parking", "Yes, it is.", "And for how long")
    ]
    assert places == sorted(places)


def test_what_a_customer_writes_is_text_and_nothing_else(sam: Client, ask: Ask) -> None:
    ticket = ask('<script>alert(1)</script><img src=x onerror="a()"> [x](https://evil.example)', subject="<b>x</b>")
    page = sam.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>x</b>" not in page
    assert 'href="https://evil.example' not in page


def test_what_turns_the_direction_of_a_line_is_not_kept(ask: Ask) -> None:
    ticket = ask("مرحبا \u202egnp.exe\u202c \x1b[31mred\x07\n\tnext", subject="a\u2067b\x00c")
    assert ticket.messages.get().text == "مرحبا gnp.exe [31mred\n\tnext" and ticket.subject == "abc"


def test_two_who_look_at_it_are_told(sam: Client, ask: Ask, make_user: Any) -> None:
    ticket = ask("Where is it?")
    other = Client()
    other.force_login(make_user("sue", "support"))
    other.get(f"/support/tickets/{ticket.pk}/")
    assert "sue" in sam.get(f"/support/tickets/{ticket.pk}/presence/").content.decode()


@pytest.mark.parametrize(
    "noun", ["answers", "notes", "assignment", "tags", "escalation", "closing", "corrections", "suggestion"]
)
def test_who_may_only_look_changes_nothing(client: Client, ask: Ask, analyst: User, noun: str) -> None:
    ticket = ask("Where is it?")
    client.force_login(analyst)
    data = {"text": "x", "seen": ticket.messages.get().pk, "reason": "x", "field": "topic", "value": "order"}
    assert client.post(f"/support/tickets/{ticket.pk}/{noun}/", data).status_code == 403
    ticket.refresh_from_db()
    assert (ticket.status, ticket.tags, ticket.messages.count()) == ("open", [], 1)


def test_an_article_is_written_and_asked(sam: Client) -> None:
    answer = sam.post(
        "/articles/new/", {"title_en": "Parking", "text_en": "Parking is free behind the shop.", "base": "0"}
    )
    assert answer.status_code == 302
    assert Article.objects.get().current is not None
    assert "Parking is free behind the shop." in sam.get("/articles/?try=Is+parking+free%3F").content.decode()
    assert sam.post("/articles/new/", {"title_en": "", "text_en": "Text"}).status_code == 422


def test_a_refusal_says_what_the_nearest_article_lacks_and_of_a_complaint_nothing(
    sam: Client, ask: Ask, articles: None, now: dt.datetime
) -> None:
    """Another article may well speak of it: that none does is said only where none was found."""
    asked = ask("Do you deliver on Saturdays?")
    answer = suggest_answer(asked, now=now)
    assert answer is not None and answer.lacking
    told = f"The nearest one does not speak of: {answer.lacking[0]}"
    assert told in sam.get(f"/support/tickets/{asked.pk}/").content.decode()
    assert told in sam.get("/articles/?try=Do+you+deliver+on+Saturdays%3F").content.decode()
    complaint = ask("This is ridiculous. I have written twice, I want my money back.", thread="b")
    suggest_answer(complaint, now=now)
    page = sam.get(f"/support/tickets/{complaint.pk}/").content.decode()
    assert "No answer is suggested" in page and "does not speak of" not in page


def test_without_an_article_none_speaks_of_it(sam: Client, ask: Ask, now: dt.datetime) -> None:
    ticket = ask("Do you rent out kayaks?")
    suggest_answer(ticket, now=now)
    assert "None speaks of: rent out, kayaks." in sam.get(f"/support/tickets/{ticket.pk}/").content.decode()


def test_gaps_name_what_the_articles_lack(sam: Client, ask: Ask, articles: None, now: dt.datetime) -> None:
    suggest_answer(ask("Do you have climbing shoes for children?"), now=now)
    page = sam.get("/articles/gaps/").content.decode()
    assert "climbing" in page


def test_the_contact_form_takes_a_message_once(client: Client, kim: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "YOUNGEST_S", -1)
    token = client.get("/contact/").context["token"]
    data = {"email": "kim@shopper.test", "subject": "Returns", "text": "How long?", "token": token, "name": "Kim"}
    assert [client.post("/contact/", data).status_code for _time in range(2)] == [200, 200]
    assert Ticket.objects.get().customer == kim


@pytest.mark.parametrize("token", ["", "forged", "eyJhdCI6MX0:1tabc:xyz"])
def test_a_form_that_was_not_ours_is_refused(client: Client, token: str) -> None:
    data = {"email": "a@b.test", "subject": "x", "text": "y", "token": token}
    assert client.post("/contact/", data).status_code == 422
    assert not Ticket.objects.exists()


def test_a_machine_fills_in_what_nobody_sees(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "YOUNGEST_S", -1)
    token = client.get("/contact/").context["token"]
    data = {"email": "a@b.test", "subject": "x", "text": "y", "token": token, "website": "spam.example"}
    assert client.post("/contact/", data).status_code == 200
    assert not Ticket.objects.exists()


def test_many_messages_from_one_place_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "YOUNGEST_S", -1)
    monkeypatch.setattr(contact, "_count", lambda request: contact.MOST_PER_HOUR + 1)
    token = client.get("/contact/").context["token"]
    assert (
        client.post("/contact/", {"email": "a@b.test", "subject": "x", "text": "y", "token": token}).status_code == 422
    )


def test_the_api_takes_a_message_in_once(kim: Customer, make_user: Any) -> None:
    api = APIClient()
    api.force_authenticate(make_user("shop", "integration"))
    body = {"thread": "c1", "external_id": "m1", "customer": "K1", "text": "Where is my parcel?", "subject": "Parcel"}
    assert [api.post("/api/v1/tickets/", body).status_code for _time in range(2)] == [201, 200]
    told = api.get(f"/api/v1/tickets/{Ticket.objects.get().pk}/").json()
    assert (told["topic"], len(told["messages"])) == ("delivery", 1)
    TicketMessage.objects.create(
        ticket=Ticket.objects.get(), direction="note", text="She calls often", written_at=timezone.now()
    )
    for answer in (api.post("/api/v1/tickets/", body), api.get(f"/api/v1/tickets/{Ticket.objects.get().pk}/")):
        assert "She calls often" not in answer.content.decode() and len(answer.json()["messages"]) == 1
    assert api.post("/api/v1/tickets/", body | {"customer": "nobody"}).status_code == 400
    assert api.get("/api/v1/articles/").status_code == 200


def test_the_api_asks_for_the_right(kim: Customer, make_user: Any) -> None:
    api = APIClient()
    api.force_authenticate(make_user("mo", "marketer"))
    body = {"thread": "c1", "external_id": "m1", "customer": "K1", "text": "Where is my parcel?"}
    assert (api.post("/api/v1/tickets/", body).status_code, api.get("/api/v1/tickets/").status_code) == (403, 403)


def test_quality_counts_what_became_of_suggestions(sam: Client, ask: Ask, articles: None) -> None:
    at = timezone.now()
    ticket = ask("Can I return underwear?", at=at)
    answer = suggest_answer(ticket, now=at)
    assert answer is not None
    sam.post(f"/support/tickets/{ticket.pk}/answers/", {"text": answer.text, "seen": ticket.messages.get().pk})
    (row,) = sam.get("/answer-quality/").context["rows"]
    assert (row["made"], row["unchanged"], row["edited"]) == (1, 1, 0)


def test_canned_answers_are_written_changed_and_taken_away(sam: Client, ask: Ask, marketer: User) -> None:
    said = {"name": "Thanks", "language": "en", "text": "Dear {first_name}, thank you."}
    assert sam.post("/support/canned/new/", said | {"text": "Dear {surname}"}).status_code == 422
    assert sam.post("/support/canned/new/", said).status_code == 302
    assert sam.post("/support/canned/new/", said).status_code == 422, "the name is taken in this language"
    kept = CannedAnswer.objects.get()
    sam.post(f"/support/canned/{kept.pk}/", said | {"text": "Hello {first_name}."})
    ticket = ask("Where is my parcel?")
    assert "Hello Kim." in sam.get(f"/support/tickets/{ticket.pk}/?canned={kept.pk}").content.decode()
    other = Client()
    other.force_login(marketer)
    assert other.get("/support/canned/").status_code == 403
    assert other.post(f"/support/canned/{kept.pk}/removal/").status_code == 403
    sam.post(f"/support/canned/{kept.pk}/removal/")
    assert not CannedAnswer.objects.exists()


def test_the_queue_is_narrowed_by_tag_lateness_and_who_has_it(sam: Client, ask: Ask, support_agent: User) -> None:
    late = ask("My kettle whistles", thread="a", subject="Kettle")
    mine = ask("My tent drips", thread="b", subject="Tent", at=timezone.now())
    sam.post(f"/support/tickets/{late.pk}/tags/", {"tags": "noise, kettles"})
    sam.post(f"/support/tickets/{mine.pk}/assignment/", {"assignee": support_agent.pk})
    queries = (("tag=noise", late), ("q=noise", late), ("show=late", late), ("show=nobodys", late), ("show=mine", mine))
    for query, shown in queries:
        page = sam.get(f"/support/?{query}").content.decode()
        assert [one.pk for one in (late, mine) if f"/tickets/{one.pk}/" in page] == [shown.pk], query


def test_a_message_longer_than_a_screen_is_folded_and_a_shorter_one_is_not(sam: Client, ask: Ask) -> None:
    short = ask("Is parking free?\n" * 20, thread="a")
    assert 'class="long"' not in sam.get(f"/support/tickets/{short.pk}/").content.decode()
    for thread, text in (
        ("b", "Is parking free?\n" * 40),
        ("c", "Is parking free? " * 200),
        ("d", "停车免费吗？" * 120),
    ):
        page = sam.get(f"/support/tickets/{ask(text, thread=thread).pk}/").content.decode()
        assert page.count('class="long"') == 1 and "Show all of it" in page, thread


def test_a_hold_is_said_at_the_head_of_its_conversation(sam: Client, ask: Ask) -> None:
    """On a phone the customer's card stands far below it."""
    ticket = ask("This is ridiculous. I have written twice, I want my money back.")
    head, _rest = sam.get(f"/support/tickets/{ticket.pk}/").content.decode().split('class="talk"')
    assert 'href="#customer">no promotions</a>' in head


def test_a_slot_that_is_misspelt_is_not_sent(sam: Client, ask: Ask) -> None:
    ticket = ask("How long does delivery take?")
    newest = ticket.messages.newest_spoken()[0].pk
    typed = {"text": "Your order {order_nummer} is on its way.", "seen": newest}
    refused = sam.post(f"/support/tickets/{ticket.pk}/answers/", typed)
    assert refused.status_code == 422 and "{order_nummer} is on its way" in refused.content.decode()
    assert "There is no slot {order_nummer}. Is {order_number} meant?" in refused.content.decode()
    assert not mail.outbox
    own = {"text": "Write {city} behind the comma.", "seen": newest}
    assert sam.post(f"/support/tickets/{ticket.pk}/answers/", own).status_code == 302, "braces of one's own"


def test_who_has_no_name_is_called_as_they_call_themself(sam: Client, ask: Ask, kim: Customer) -> None:
    Customer.objects.filter(pk=kim.pk).update(first_name="", last_name="")
    kim.refresh_from_db()
    named, bare = ask("Is parking free?", thread="a", name="K. Walk"), ask("Is parking free?", thread="b")
    page = sam.get("/support/").content.decode()
    assert ">K. Walk</a>" in page and f">{kim.email}</a>" in page
    assert [named.asker, bare.asker] == ["K. Walk", kim.email]
