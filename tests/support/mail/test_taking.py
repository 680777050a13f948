"""One mail, one message: threaded by its references, tied to nobody without a proof, and what no person wrote opens nothing."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from pytest_django import Settings

from campaigns.delivery.names import derive_message_id
from campaigns.models import Campaign, Message
from customers.models import Customer, CustomerEvent
from support.answers.sending import send_answer
from support.inbox.late import link_late_customers
from support.inbox.tying import list_candidates, tie_by_hand
from support.inbox.working import close_ticket
from support.mail.names import derive_answer_id, read_answer_id
from support.models import MailSource, SeenMail, Ticket, TicketMessage
from support.triage.correcting import correct_triage
from tests.campaigns import arrange
from tests.support.conftest import Ask

from .conftest import Take
from .letters import KIM, write_mail

pytestmark = pytest.mark.django_db
COMPLAINT = "This is unacceptable. The tent arrived broken and nobody answers. I am very disappointed."


def answer(user: User, ticket: Ticket, text: str, *, now: dt.datetime) -> str:
    """Answer it; returns the Message-ID that left."""
    seen = ticket.messages.newest_spoken().values_list("pk", flat=True).first() or 0
    assert send_answer(user, ticket, text, seen=seen, now=now).send_status == "sent"
    return str(outbox.outbox[-1].extra_headers["Message-ID"])


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_mail_twice_is_one_message(take: Take, kim: Customer) -> None:
    assert [take(write_mail()) for _time in range(2)] == ["taken", None]
    assert (Ticket.objects.count(), TicketMessage.objects.count(), SeenMail.objects.count()) == (1, 1, 1)
    ticket = Ticket.objects.get()
    assert (ticket.channel, ticket.subject, ticket.writer_email) == ("mail", "A question", "kim@shopper.test")
    assert ticket.triaged_at is not None and ticket.topic == "delivery"


def test_a_copy_that_says_something_else_changes_nothing(take: Take) -> None:
    take(write_mail("Where is my parcel?"))
    assert take(write_mail("Something else")) is None
    assert TicketMessage.objects.get().text == "Where is my parcel?"


# --- Whose it is -----------------------------------------------------------------------------------------------------


def test_an_address_alone_ties_to_nobody(take: Take, kim: Customer, now: dt.datetime) -> None:
    take(write_mail(COMPLAINT))
    ticket = Ticket.objects.get()
    assert ticket.customer is None and ticket.is_complaint and not MailSource.objects.get().is_proven
    assert link_late_customers() == 0, "nor does the sweep"
    assert not CustomerEvent.objects.exists()


def test_a_sender_that_our_server_vouches_for_is_tied_and_held(take: Take, kim: Customer) -> None:
    take(write_mail(COMPLAINT, vouched="yes"))
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.tied_by) == (kim, "server")
    assert set(CustomerEvent.objects.values_list("kind", flat=True)) == {"ticket_opened", "complaint_opened"}
    source = MailSource.objects.get()
    assert (
        source.results == {"spf": "pass", "dkim": "pass", "dmarc": "pass"} and source.vouched_by == "mx.tarnside.test"
    )


def test_a_field_that_the_sender_forged_ties_to_nobody(take: Take, kim: Customer, settings: Settings) -> None:
    settings.SUPPORT_AUTH_SERVER = "mx.other.test"
    take(write_mail(vouched="yes"))
    assert Ticket.objects.get().customer is None


def test_two_senders_in_one_mail_prove_nothing(take: Take, kim: Customer) -> None:
    raw = write_mail(vouched="yes").replace(
        b"From: Kim Lee <kim@shopper.test>", b"From: Kim <kim@shopper.test>, Eve <eve@evil.test>"
    )
    take(raw)
    assert Ticket.objects.get().customer is None


def test_who_becomes_a_customer_later_is_tied_where_the_sender_was_proved(take: Take) -> None:
    take(write_mail(COMPLAINT, vouched="yes"))
    take(write_mail(COMPLAINT, sender="eve@shopper.test", message_id="<e@shopper.test>"))
    kim = Customer.objects.create(external_id="K", email="kim@shopper.test")
    Customer.objects.create(external_id="E", email="eve@shopper.test")
    assert (link_late_customers(), link_late_customers()) == (1, 0)
    assert list(Ticket.objects.exclude(customer=None).values_list("customer", "tied_by")) == [(kim.pk, "server")]


def test_a_colleague_ties_it_and_the_complaint_holds_from_then_on(
    take: Take, kim: Customer, support_agent: User, now: dt.datetime
) -> None:
    other = Customer.objects.create(external_id="O", email="other@shopper.test")
    take(write_mail(COMPLAINT))
    ticket = Ticket.objects.get()
    assert list_candidates(ticket) == [kim]
    with pytest.raises(ValidationError):
        tie_by_hand(support_agent, ticket, other, now=now)
    tie_by_hand(support_agent, ticket, kim, now=now)
    assert (ticket.customer, ticket.tied_by) == (kim, "person")
    assert CustomerEvent.objects.filter(kind="complaint_opened", customer=kim).count() == 1


# --- Threads ---------------------------------------------------------------------------------------------------------


def test_a_reply_finds_its_conversation_whatever_its_subject(
    take: Take, kim: Customer, support_agent: User, now: dt.datetime
) -> None:
    take(write_mail())
    ticket = Ticket.objects.get()
    ours = answer(support_agent, ticket, "It is on its way.", now=now)
    sent = outbox.outbox[-1]
    assert sent.extra_headers["In-Reply-To"] == "<m1@shopper.test>" and "help@tarnside.test" in sent.from_email
    close_ticket(support_agent, ticket, now=now)

    reply = "Thank you, it came.\n\nOn Monday, Tarnside <help@tarnside.test> wrote:\n> It is on its way."
    take(write_mail(reply, message_id="<m2@shopper.test>", subject="Something quite different", In_Reply_To=ours))

    ticket.refresh_from_db()
    assert Ticket.objects.count() == 1 and ticket.status == "open"
    newest = ticket.messages.latest("pk")
    assert newest.text == "Thank you, it came." and newest.mail.is_cut and "> It is on its way." in newest.mail.whole


def test_a_reply_to_an_answer_in_another_channel_joins_it(
    take: Take, ask: Ask, support_agent: User, now: dt.datetime
) -> None:
    ticket = ask("How long is delivery?")
    ours = answer(support_agent, ticket, "Three days.", now=now)
    take(write_mail("Thanks", References=f"<x@y.test> {ours}"))
    assert Ticket.objects.get().messages.count() == 3


def test_the_same_subject_is_no_thread(take: Take) -> None:
    take(write_mail(subject="Re: A question [#1]"))
    take(write_mail(subject="Re: A question [#1]", message_id="<m2@shopper.test>"))
    assert Ticket.objects.count() == 2


def test_nobody_writes_into_a_conversation_whose_name_they_make_up(take: Take, ask: Ask) -> None:
    ticket = ask("How long is delivery?")
    true = derive_answer_id(ticket.pk, 1)
    forged = [
        true.replace(f"ticket.{ticket.pk}.", f"ticket.{ticket.pk + 1}."),
        true.replace("ticket.", "ticket.1"),
        f"<ticket-{ticket.pk}-1@tarnside.test>",
        f"<ticket.{ticket.pk}.1.{'0' * 20}@tarnside.test>",
    ]
    assert read_answer_id(true) == ticket.pk and not any(read_answer_id(name) for name in forged)
    for number, name in enumerate(forged):
        take(write_mail(sender="eve@evil.test", message_id=f"<e{number}@evil.test>", In_Reply_To=name))
    assert ticket.messages.count() == 1 and Ticket.objects.count() == 5


def test_people_answer_their_own_mail_and_others_do_not(take: Take) -> None:
    take(write_mail())
    take(write_mail("PS: it is order 17", message_id="<m2@shopper.test>", In_Reply_To="<m1@shopper.test>"))
    assert Ticket.objects.get().messages.count() == 2
    take(write_mail(sender="eve@evil.test", message_id="<m3@evil.test>", In_Reply_To="<m1@shopper.test>"))
    assert Ticket.objects.count() == 2


@pytest.fixture
def sent(now: dt.datetime) -> Message:
    """A message of a campaign that somebody has in their mailbox."""
    cast = arrange.make_cast()
    running: Campaign = arrange.start(arrange.make_campaign(cast.marketer, send_at=arrange.NOW), cast)
    return Message.objects.filter(campaign=running).earliest("pk")


def test_a_reply_to_a_campaign_opens_a_ticket_of_its_customer_and_message(take: Take, sent: Message) -> None:
    name = derive_message_id(sent.campaign_id, sent.step, sent.customer_id, domain="tarnside.test")
    sender = f"Somebody <{sent.customer.email.upper()}>"
    take(write_mail("What does the red one cost?", sender=sender, subject="RE: 回复：Sale", In_Reply_To=name))
    take(write_mail("And the blue one?", sender=sender, message_id="<m2@x.test>", In_Reply_To=name))
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.tied_by, ticket.sent_number) == (sent.customer, "reply", sent.pk)
    assert ticket.subject == "Sale"
    assert ticket.messages.count() == 2


def test_whoever_it_was_forwarded_to_is_not_its_customer(take: Take, sent: Message) -> None:
    name = derive_message_id(sent.campaign_id, sent.step, sent.customer_id, domain="tarnside.test")
    take(write_mail("What does the red one cost?", sender="friend@elsewhere.test", In_Reply_To=name))
    ticket = Ticket.objects.get()
    assert ticket.customer is None and ticket.sent_number == sent.pk


def test_a_made_up_name_of_a_campaigns_message_names_none(take: Take, sent: Message) -> None:
    name = derive_message_id(sent.campaign_id, sent.step, sent.customer_id, domain="tarnside.test")
    forged = re.sub(r"\.[0-9a-f]{20}@", f".{'0' * 20}@", name)
    take(write_mail(sender=sent.customer.email, In_Reply_To=forged))
    assert (Ticket.objects.get().customer, Ticket.objects.get().sent_number) == (None, None)


# --- What no person wrote --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto_reply"),
        ({"Precedence": "list"}, "list"),
        ({"Return_Path": "<>"}, "bounce"),
        ({"sender": "help@tarnside.test"}, "ours"),
        ({"sender": "undisclosed"}, "nobody"),
    ],
)
def test_machines_open_nothing_and_are_not_answered(
    take: Take, ask: Ask, support_agent: User, now: dt.datetime, fields: dict[str, str], outcome: str
) -> None:
    ticket = ask("How long is delivery?")
    ours = answer(support_agent, ticket, "Three days.", now=now)
    sent = len(outbox.outbox)
    assert take(write_mail("I am away", **fields)) == outcome  # type: ignore[arg-type]
    assert take(write_mail("I am away", message_id="<m2@x.test>", In_Reply_To=ours, **fields)) == outcome  # type: ignore[arg-type]
    ticket.refresh_from_db()
    assert (Ticket.objects.count(), ticket.messages.count(), ticket.status) == (1, 2, "waiting")
    assert len(outbox.outbox) == sent


def test_machines_that_do_not_say_so_are_stopped_by_their_number(take: Take, now: dt.datetime) -> None:
    outcomes = [take(write_mail(message_id=f"<m{number}@shopper.test>")) for number in range(33)]
    assert outcomes == ["taken"] * 30 + ["flood"] * 3
    assert take(write_mail(message_id="<other@x.test>", sender="other@shopper.test")) == "taken"
    later = now + dt.timedelta(hours=1, minutes=1)
    assert take(write_mail(message_id="<later@shopper.test>"), at=later) == "taken"


def test_a_mail_that_we_fail_at_is_noted_and_holds_up_nothing(take: Take, settings: Settings) -> None:
    settings.SUPPORT_FIND_SENT = "retention_site.nothing.of_this_name"
    raw = write_mail(In_Reply_To="<x@y.test>")
    assert take(raw, place="7:12") == "unreadable"
    seen = SeenMail.objects.get()
    assert (seen.outcome, seen.place, TicketMessage.objects.count()) == ("unreadable", "7:12", 0)


def test_a_mail_of_odd_signs_is_taken(take: Take) -> None:
    odd = b"From: =?utf-7?B?K3gtMkFBLQ==?= <kim@shopper.test>\nSubject: a\x00b\xff\nMessage-ID: <odd\x01@x>\n\n"
    odd += b"nul \x00 and \xff\xfe\n"
    assert take(odd) == "taken"
    assert take(b"From: " + KIM.encode() + b"\n\n") == "taken", "an empty one"
    assert take(b"") == "nobody"


def test_a_complaint_with_an_old_date_counts_after_what_a_person_confirmed(
    take: Take, kim: Customer, support_agent: User, now: dt.datetime
) -> None:
    take(write_mail("Where is my parcel?", message_id="<c1@shopper.test>", vouched="1"), at=now)
    ticket = Ticket.objects.get()
    correct_triage(support_agent, ticket, "complaint", "no", now=now + dt.timedelta(minutes=10))
    angry = write_mail(  # dated before the person's word, and delivered after it
        "This is unacceptable, I want my money back!", message_id="<c2@shopper.test>", vouched="1",
        In_Reply_To="<c1@shopper.test>",
    )  # fmt: skip
    take(angry, at=now + dt.timedelta(minutes=30))
    ticket.refresh_from_db()
    assert ticket.messages.count() == 2 and ticket.is_complaint
