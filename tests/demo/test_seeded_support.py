"""The demo shop's support: its morning of tickets, and the conversations that came by mail."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User

from customers.models import Customer, Order
from retention_site.demo.people import PEOPLE
from retention_site.demo.seeding.support import open_support
from support.models import Attachment, Direction, MailSource, Refusal, Ticket, TiedBy

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def opened(db: None, settings: LazySettings, tmp_path: Path) -> int:
    settings.ATTACHMENT_DIR = tmp_path
    users = {}
    for person in PEOPLE:
        users[person] = User.objects.create_user(person.username, first_name=person.first_name)
        users[person].groups.add(Group.objects.get(name=person.role))
    people = Customer.objects.bulk_create(
        Customer(external_id=f"P{n}", email=f"p{n}@shopper.test", first_name="Kim", last_name="李" if n % 3 == 0 else "Lee",
                 language="zh-Hans" if n % 3 == 0 else "en")
        for n in range(300)
    )  # fmt: skip
    Order.objects.bulk_create(
        Order(external_id=f"O{person.pk}", customer=person, ordered_at=NOW - dt.timedelta(days=20), currency="GBP",
              total=Decimal("59.00"))
        for person in people
    )  # fmt: skip
    made = open_support(users, now=NOW)
    assert open_support(users, now=NOW) == made - 3, "the mails were taken in before"
    return made


def test_a_conversation_by_mail_is_threaded_cut_and_has_its_picture(opened: int) -> None:
    ticket = Ticket.objects.get(subject="Sole of my boots")
    first, answer, second = ticket.messages.order_by("pk")
    assert [first.direction, answer.direction, second.direction] == [Direction.IN, Direction.OUT, Direction.IN]
    assert ticket.tied_by == TiedBy.PERSON and ticket.customer is not None
    assert ticket.customer.first_name in answer.text and "{" not in answer.text
    assert "wrote:" not in second.text and second.mail.is_cut and "> Dear" in second.mail.whole
    assert "tracker" not in second.text + second.mail.whole
    (picture,) = second.attachments.all()
    assert (picture.content_type, picture.refusal) == ("image/png", Refusal.NONE)


def test_what_is_refused_is_named_and_whom_nothing_proves_is_nobody(opened: int) -> None:
    kept = {file.name: file.refusal for file in Attachment.objects.filter(message__ticket__subject="退货标签")}
    assert kept == {"退货单.pdf": Refusal.NONE, "照片.zip": Refusal.ARCHIVE}
    assert Ticket.objects.get(subject="Returning a tent").customer is None
    assert MailSource.objects.count() == 4
