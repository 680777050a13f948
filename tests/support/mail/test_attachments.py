"""Files of mail: few, small, of known kinds, in a store of their own; saved by staff who may; gone with the person."""

from __future__ import annotations

import base64
import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from customers.models import AuditEntry, Customer, ErasedPerson, Suppression
from customers.models.kept_files import find_file, list_files, remove_strays, write_file
from customers.privacy.addresses import count_rows, erase_address, export_address
from customers.privacy.erasure import erase_customer
from customers.privacy.export import dump_export, export_customer
from customers.privacy.repeating import repeat_erasures
from support.inbox.working import close_ticket
from support.mail.retention import forget_old
from support.models import Attachment, MailSource, Ticket, TicketMessage

from .conftest import Take
from .letters import PDF, PNG, write_mail

pytestmark = pytest.mark.django_db
FILES = [("bill.pdf", PDF), ("zip.png", PNG)]


@pytest.fixture(autouse=True)
def _erasures(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")


def told() -> list[tuple[str, str]]:
    return list(Attachment.objects.order_by("position").values_list("name", "refusal"))


def names() -> set[str]:
    return {path.name for path in list_files()}


# --- What is kept ----------------------------------------------------------------------------------------------------


def test_files_are_kept_under_names_that_say_nothing(take: Take, settings: Settings) -> None:
    take(write_mail(files=FILES))
    rows = list(Attachment.objects.all())
    assert [(row.name, row.content_type, row.refusal) for row in rows] == [
        ("bill.pdf", "application/pdf", ""), ("zip.png", "image/png", ""),
    ]  # fmt: skip
    path = find_file(rows[0].stored_as)
    assert path and path.read_bytes() == PDF and path.stat().st_mode & 0o777 == 0o600
    assert path.is_relative_to(settings.ATTACHMENT_DIR) and "bill" not in str(path)
    assert names() == {row.stored_as for row in rows}


def test_what_is_refused_is_named_with_its_reason(
    take: Take, settings: Settings, client: Client, support_agent: User
) -> None:
    settings.ATTACHMENTS_PER_MAIL, settings.ATTACHMENT_MB = 1, 1
    files = [
        ("invoice.pdf", b"MZ\x90\0 a program"), ("page.txt", b"<html><script>x</script>"), ("all.zip", b"PK\x03\x04"),
        ("big.pdf", PDF + b"x" * 1_100_000), ("nothing.pdf", b""), ("one.pdf", PDF), ("two.pdf", PDF),
    ]  # fmt: skip
    take(write_mail(files=files))
    assert told() == [
        ("invoice.pdf", "program"), ("page.txt", "active"), ("all.zip", "unknown"), ("big.pdf", "too_large"),
        ("nothing.pdf", "empty"), ("one.pdf", ""), ("two.pdf", "too_many"),
    ]  # fmt: skip
    assert len(names()) == 1
    client.force_login(support_agent)
    page = client.get(f"/support/tickets/{Ticket.objects.get().pk}/").content.decode()
    assert "refused: a program" in page and "refused: too large" in page and "one.pdf" in page


def test_all_files_of_a_mail_together_have_a_limit(take: Take, settings: Settings) -> None:
    settings.ATTACHMENTS_MB = 1
    take(write_mail(files=[("a.pdf", PDF + b"x" * 700_000), ("b.pdf", PDF + b"x" * 700_000), ("c.pdf", PDF)]))
    assert told() == [("a.pdf", ""), ("b.pdf", "too_large"), ("c.pdf", "")]


def test_a_mail_of_hundreds_of_files_names_forty(take: Take) -> None:
    take(write_mail(files=[(f"{number}.pdf", PDF) for number in range(60)]))
    assert Attachment.objects.count() == 40 and Attachment.objects.filter(refusal="").count() == 10


def test_names_of_the_store_lead_nowhere_else(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    for name in ("../secret", "..", "", "/etc/passwd", "a" * 31, "A" * 32, "0" * 32):
        assert find_file(name) is None


# --- Saving ----------------------------------------------------------------------------------------------------------


def test_staff_who_may_save_it_and_a_browser_never_shows_it(take: Take, client: Client, support_agent: User) -> None:
    take(write_mail(files=[("page.html", PNG), ('na"me\u202e.png', PNG)]))
    client.force_login(support_agent)
    for row in Attachment.objects.all():
        answer = client.get(f"/support/attachments/{row.pk}/")
        assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]
        assert answer["Content-Disposition"].startswith("attachment;") and ".png" in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Type"] == "image/png" and "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(action="exported", object_kind="attachment").count() == 2


def test_nobody_else_gets_it(take: Take, client: Client, marketer: User, outsider: User, support_agent: User) -> None:
    take(write_mail(files=[("a.pdf", PDF), ("b.exe", b"MZ\0")]))
    kept, refused = Attachment.objects.all()
    assert client.get(f"/support/attachments/{kept.pk}/").status_code == 302
    for user in (marketer, outsider):
        client.force_login(user)
        assert client.get(f"/support/attachments/{kept.pk}/").status_code == 403
    client.force_login(support_agent)
    assert client.get(f"/support/attachments/{refused.pk}/").status_code == 404
    assert client.get("/support/attachments/999999/").status_code == 404


# --- Going -----------------------------------------------------------------------------------------------------------


def test_files_go_and_are_given_out_with_the_person(
    take: Take, kim: Customer, now: dt.datetime, django_capture_on_commit_callbacks: Any
) -> None:
    take(write_mail(vouched="yes", files=FILES))
    take(write_mail(sender="other@shopper.test", message_id="<o@x.test>", files=[("other.pdf", PDF + b"other")]))
    told = export_customer(kim, actor=None, now=now)["tables"]
    assert [base64.b64decode(row["content"]) for row in told["support.Attachment"]] == [PDF, PNG]
    assert told["support.MailSource"][0]["headers"] and "other.pdf" not in dump_export({"tables": told})
    with django_capture_on_commit_callbacks(execute=True):
        erase_customer(kim, actor=None, reason="asked", now=now)
    left = Attachment.objects.get()
    assert left.name == "other.pdf" and names() == {left.stored_as}


def test_what_is_tied_to_nobody_goes_with_whose_address_it_has(
    take: Take, kim: Customer, now: dt.datetime, django_capture_on_commit_callbacks: Any
) -> None:
    """A sender without a proof is tied to nobody; when the person asks, what was written from their address is theirs."""
    take(write_mail("First", sender="KIM@shopper.test", files=FILES))
    take(write_mail("Second", sender="other@shopper.test", message_id="<o@x.test>"))
    assert not Ticket.objects.exclude(customer=None).exists()
    told = export_customer(kim, actor=None, now=now)["tables"]
    assert [row["text"] for row in told["support.TicketMessage"]] == ["First"] and len(told["support.Attachment"]) == 2
    with django_capture_on_commit_callbacks(execute=True):
        report = erase_customer(kim, actor=None, reason="asked", now=now)
    assert report.deleted["support.Ticket"] == 1 and report.deleted["support.Attachment"] == 2
    assert [message.text for message in TicketMessage.objects.all()] == ["Second"] and names() == set()


def test_a_conversation_of_another_customer_stays_whoever_wrote_it(take: Take, kim: Customer, now: dt.datetime) -> None:
    take(write_mail("First"))
    other = Customer.objects.create(external_id="O", email="other@shopper.test")
    Ticket.objects.update(customer=other)
    erase_customer(kim, actor=None, reason="asked", now=now)
    assert Ticket.objects.get().customer == other


def test_somebody_who_is_no_customer_is_found_by_their_address(
    take: Take, site_admin: User, now: dt.datetime, django_capture_on_commit_callbacks: Any
) -> None:
    take(write_mail("First", files=FILES))
    take(write_mail("Second", sender="other@shopper.test", message_id="<o@x.test>"))
    assert count_rows("Kim@Shopper.test") == {
        "support.Ticket": 1, "support.TicketMessage": 1, "support.Attachment": 2, "support.MailSource": 1,
    }  # fmt: skip
    told = export_address("kim@shopper.test", actor=site_admin, now=now)["tables"]
    assert told["support.TicketMessage"][0]["text"] == "First" and "customers.Customer" not in told
    with django_capture_on_commit_callbacks(execute=True):
        erase_address("kim@shopper.test", actor=site_admin, reason="asked by letter", now=now)
    assert count_rows("kim@shopper.test") == {} and names() == set() and Ticket.objects.count() == 1
    assert Suppression.objects.filter(reason="erased", channel="email").count() == 1
    assert not AuditEntry.objects.filter(details__icontains="kim@").exists()
    # A backup of the day before brings it back.
    ErasedPerson.objects.all().delete()
    take(write_mail("First", message_id="<again@shopper.test>", files=FILES))
    with django_capture_on_commit_callbacks(execute=True):
        repeat_erasures(now)
    assert count_rows("kim@shopper.test") == {} and names() == set() and Ticket.objects.count() == 1


def test_files_are_forgotten_some_time_after_the_ticket_was_closed(
    take: Take, support_agent: User, now: dt.datetime, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.SUPPORT_FILE_DAYS = 30
    take(write_mail("It broke.\n\n> quoted words", files=FILES))
    close_ticket(support_agent, Ticket.objects.get(), now=now)
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_old(now=now + dt.timedelta(days=29)) == 0
        assert forget_old(now=now + dt.timedelta(days=31)) == 3
        assert forget_old(now=now + dt.timedelta(days=31)) == 0
    assert names() == set() and told() == [("bill.pdf", "forgotten"), ("zip.png", "forgotten")]
    source = MailSource.objects.get()
    assert (source.whole, source.headers) == ("", "") and TicketMessage.objects.get().text == "It broke."
    settings.SUPPORT_FILE_DAYS = 0
    take(write_mail("Another", message_id="<b@x.test>", files=FILES))
    close_ticket(support_agent, Ticket.objects.latest("pk"), now=now)
    assert forget_old(now=now + dt.timedelta(days=9999)) == 0


def test_a_file_that_no_row_names_is_removed_when_it_is_old(settings: Settings) -> None:
    young, old, known = (write_file(name) for name in (b"young", b"old", b"known"))
    hours_ago = time.time() - 7200
    for name in (old, known):
        path = find_file(name)
        assert path
        os.utime(path, (hours_ago, hours_ago))
    assert remove_strays({known}) == 1 and names() == {young, known}
