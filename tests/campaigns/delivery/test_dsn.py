"""Mail about our mail: RFC 3464 reports as mail servers write them, complaints, and everything that is neither."""

from __future__ import annotations

import datetime as dt
import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from campaigns.delivery.channels import Cause
from campaigns.delivery.channels.refusals import find_cause, is_lasting
from campaigns.delivery.dsn import read_report_mail
from campaigns.delivery.names import MessageKey, derive_name
from campaigns.models import Campaign, DeliveryEvent, DeliveryKind, Message
from customers.models import Suppression

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
NAME = derive_name(12, 1, 345)


def dsn(
    *,
    to: str = f"bounces+{NAME}@mail.fernweh.test",
    action: str = "failed",
    status: str = "5.1.1",
    answer: str = "smtp; 550 5.1.1 <kim@shopper.test> User unknown",
    recipient: str = "kim@shopper.test",
    original: str = "Message-ID: <other@fernweh.test>",
    date: str = "Mon, 23 Nov 2026 11:00:00 +0000",
) -> bytes:
    """As Postfix writes one."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Date: {date}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

This is the mail system. I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Mon, 23 Nov 2026 10:59:00 +0000

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.shopper.test
Diagnostic-Code: {answer}

--b
Content-Type: text/rfc822-headers

From: Fernweh <hello@fernweh.test>
{original}
Subject: Your jacket misses you

--b--
""".encode()


ARF = f"""\
From: <abuse@mailbox.example>
To: <fbl@fernweh.test>
Date: Mon, 23 Nov 2026 11:30:00 +0000
Subject: FW: Your jacket misses you
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b
Content-Type: message/rfc822

From: Fernweh <hello@fernweh.test>
Message-ID: <{NAME}@fernweh.test>
Subject: Your jacket misses you

Hello
--b--
""".encode()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, DeliveryKind.BOUNCED),
        ({"status": "5.1.2", "answer": "smtp; 550 no such domain"}, DeliveryKind.BOUNCED),
        ({"status": "5.2.1", "answer": "smtp; 550 disabled"}, DeliveryKind.BOUNCED),
        ({"status": "5.2.2", "answer": "smtp; 552 mailbox full"}, DeliveryKind.SOFT_BOUNCED),
        ({"status": "4.4.7", "answer": "smtp; expired"}, DeliveryKind.SOFT_BOUNCED),
        ({"status": "5.7.1", "answer": "smtp; 550 refused by policy"}, DeliveryKind.SOFT_BOUNCED),
        ({"action": "delayed", "status": "4.4.1"}, DeliveryKind.DEFERRED),
        ({"action": "delivered", "status": "2.0.0"}, DeliveryKind.DELIVERED),
        ({"action": "relayed", "status": "2.0.0"}, DeliveryKind.ACCEPTED),
        ({"action": "FAILED"}, DeliveryKind.BOUNCED),
    ],
)
def test_a_delivery_report_says_what_became_of_the_message(changes: dict[str, str], kind: DeliveryKind) -> None:
    (report,) = read_report_mail(dsn(**changes), now=NOW)
    assert (report.key, report.kind) == (MessageKey(12, 1, 345), kind)
    assert report.occurred_at == NOW - dt.timedelta(hours=1)
    assert report.address == "kim@shopper.test" and not report.trusts_address
    assert "@shopper" not in report.detail, "answers are kept, addresses in them are not"


def test_the_message_is_found_by_what_the_report_brings_back() -> None:
    (report,) = read_report_mail(dsn(to="hello@fernweh.test", original=f"Message-ID: <{NAME}@fernweh.test>"), now=NOW)
    assert report.key == MessageKey(12, 1, 345)
    (report,) = read_report_mail(dsn(to="x@fernweh.test"), now=NOW, recipient=f"bounces+{NAME}@mail.fernweh.test")
    assert report.key == MessageKey(12, 1, 345)


def test_a_report_about_no_message_of_ours_is_none() -> None:
    forged = NAME[:-1] + ("0" if NAME[-1] != "0" else "1")
    assert read_report_mail(dsn(to="hello@fernweh.test"), now=NOW) == []
    assert read_report_mail(dsn(to=f"bounces+{forged}@mail.fernweh.test"), now=NOW) == []


def test_a_complaint_is_one() -> None:
    (report,) = read_report_mail(ARF, now=NOW)
    assert (report.kind, report.key) == (DeliveryKind.COMPLAINED, MessageKey(12, 1, 345))
    assert read_report_mail(ARF.replace(b"abuse\nUser", b"not-spam\nUser"), now=NOW) == []


def test_an_answer_to_a_message_is_no_report() -> None:
    mail = f"To: bounces+{NAME}@mail.test\r\nSubject: Re: hi\r\n\r\nStatus: 5.1.1\r\nAction: failed\r\n".encode()
    assert read_report_mail(mail, now=NOW) == []


def test_the_same_report_twice_is_one_and_another_is_another() -> None:
    (first,), (second,) = read_report_mail(dsn(), now=NOW), read_report_mail(dsn(), now=NOW + dt.timedelta(minutes=5))
    assert first.event_id == second.event_id
    (third,) = read_report_mail(dsn(action="delayed", status="4.4.1"), now=NOW)
    assert third.event_id != first.event_id


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 +0000", "nonsense", "Fri, 01 Jan 2099 00:00:00 +0000", ""])
def test_a_broken_clock_is_not_believed(date: str) -> None:
    (report,) = read_report_mail(dsn(date=date), now=NOW)
    assert report.occurred_at == NOW


@given(noise=st.binary(max_size=300), cut=st.integers(0, 1200))
def test_broken_mail_never_breaks_the_reader(noise: bytes, cut: int) -> None:
    for mail in (noise, dsn()[:cut] + noise, dsn()[:cut] + noise + dsn()[cut:]):
        for report in read_report_mail(mail, now=NOW):
            assert report.key == MessageKey(12, 1, 345)


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [
        (535, "5.7.8 wrong", Cause.LOGIN),
        (550, "5.7.26 unauthenticated mail is prohibited", Cause.REPUTATION),
        (550, "5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org", Cause.REPUTATION),
        (421, "4.7.28 unusual rate of unsolicited mail originating from your IP", Cause.REPUTATION),
        (
            550,
            "5.7.515 Access denied, sending domain does not meet the required authentication level",
            Cause.REPUTATION,
        ),
        (550, "5.1.1 no such user", Cause.NONE),
        (552, "5.2.2 over quota", Cause.NONE),
        (550, "5.7.1 relaying denied", Cause.NONE),
        (250, "2.0.0 ok, reputation of the sending ip is good", Cause.NONE),
        (451, "4.7.1 greylisted", Cause.NONE),
    ],
)
def test_answers_about_us_are_told_from_answers_about_them(code: int, text: str, cause: Cause) -> None:
    assert find_cause(code, text) == cause


@pytest.mark.parametrize(
    ("status", "lasting"),
    [
        ("5.1.1", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.1.8", False),
        ("5.2.2", False),
        ("4.1.1", False),
        ("", None),
    ],
)
def test_which_status_means_that_an_address_is_dead(status: str, lasting: bool | None) -> None:
    assert is_lasting(status) is lasting


@pytest.fixture
def bounce(running: Campaign) -> bytes:
    Message.objects.update(status="unknown", sending_at=dt.datetime.now(dt.UTC))
    message = Message.objects.select_related("customer").earliest("pk")
    name = derive_name(message.campaign_id, message.step, message.customer_id)
    return dsn(to=f"bounces+{name}@mail.fernweh.test", recipient=message.customer.email)


def test_a_bounce_on_standard_input_settles_and_suppresses(bounce: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for _time in range(2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bounce)))
        call_command("take_in_bounces")
    assert Message.objects.filter(status="bounced").count() == 1
    assert (DeliveryEvent.objects.count(), Suppression.objects.count()) == (1, 1)


def test_a_maildir_is_worked_off(bounce: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new" / "1.a.host").write_bytes(bounce)
    (tmp_path / "cur" / "2.b.host:2,S").write_bytes(bounce)
    (tmp_path / "new" / "3.c.host").write_bytes(b"Subject: I am on holiday\r\n\r\nBye\r\n")

    call_command("take_in_bounces", maildir=tmp_path)

    assert (
        "3 mails: 1 reports taken in, 1 known before, 0 of messages that are gone, 1 mails" in capsys.readouterr().out
    )
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ["3.c.host"], "what is no report stays for a person"
    with pytest.raises(CommandError):
        call_command("take_in_bounces", maildir=tmp_path / "new")
