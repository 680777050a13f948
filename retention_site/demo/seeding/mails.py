"""Conversations that came by mail: answered and continued with a picture, in Chinese with a file that is refused, and one
whose writer nothing proves.

The mails are written as mail programs write them and taken in by the function that takes in every mail.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
import zlib
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User

from customers.models import Customer
from support.answers.sending import promise_answer
from support.answers.slots import fill_slots
from support.answers.suggesting import suggest_answer
from support.inbox.tying import list_candidates, tie_by_hand
from support.mail.names import derive_answer_id
from support.mail.reading import parse_bytes
from support.mail.taking import take_in_mail
from support.models import MailSource, MailWay, Ticket, TicketMessage
from support.models.message import SendStatus

#: Nobody can have an address there (RFC 2606).
DOMAIN: Final = "mail.example"
ANSWER: Final = (
    "Dear {first_name},\n\nthank you for the note. Your boots are still under warranty. Please send us a picture of the"
    " sole, so that the workshop can see whether it can be glued.\n\nSam, Tarnside support"
)
FIRST: Final = (
    "Hello,\n\nthe sole of my left boot has come loose at the toe after one winter. Do your boots have a warranty?\n\n"
    "Kind regards\n{name}\n\n-- \nsent from the train, please excuse typing errors\n"
)
SECOND: Final = (
    "Hello Sam,\n\nhere is the picture. How long does the repair take? I leave for Norway in three weeks.\n\n"
    "Kind regards\n{name}\n\nOn {day}, Tarnside support <{address}> wrote:\n{quoted}\n"
)
SECOND_HTML: Final = (
    "<html><body><p>Hello Sam,</p><p>here is the picture. <b>How long does the repair take?</b> I leave for Norway in three"
    " weeks.</p><p>Kind regards<br>{name}</p><div>On {day}, Tarnside support &lt;{address}&gt; wrote:<blockquote>{quoted}"
    "</blockquote></div><img src='http://tracker.example/open.gif' width='1' height='1'></body></html>"
)
CHINESE: Final = "您好，\n\n退货的标签在哪里可以打印？附件是我的退货单。\n\n谢谢\n{name}\n\n发自我的手机\n"
UNKNOWN: Final = (
    "Good morning,\n\nI would like to return the tent that I received on Friday. How many days do I have?\n\n"
    "Best wishes\nMartha\n"
)


def write_mails(agent: User, *, now: dt.datetime) -> int:
    """Take them in, answer the first and have it answered. Returns how many conversations; safe to run again."""
    people = Customer.objects.known().filter(orders__isnull=False).exclude(email="").distinct().order_by("pk")
    english = people.filter(language__startswith="en")[3:4].first()
    chinese = people.filter(language__startswith="zh")[2:3].first()
    made = 0
    if english is not None:
        made += _write_about_boots(english, agent, now)
    if chinese is not None:
        files = (("退货单.pdf", _draw_pdf()), ("照片.zip", _pack()))
        text = CHINESE.format(name=chinese.last_name or chinese.first_name)
        made += _tie(
            _take(_write(chinese.email, "label", "退货标签", text, now, 4.5, files=files), now, 4.5), agent, now
        )
    made += _take(_write(f"martha@{DOMAIN}", "tent", "Returning a tent", UNKNOWN, now, 1.5), now, 1.5) is not None
    return made


def _write_about_boots(customer: Customer, agent: User, now: dt.datetime) -> bool:
    """Asked yesterday, answered by a person, and asked on with a picture and the whole of our answer below."""
    name, asked = customer.first_name, 28.0
    first = _take(_write(customer.email, "boot-1", "Sole of my boots", FIRST.format(name=name), now, asked), now, asked)
    if first is None:
        return False
    _tie(first, agent, now - dt.timedelta(hours=asked - 1))
    ticket, at = first.ticket, now - dt.timedelta(hours=asked - 2)
    ticket.refresh_from_db()
    suggest_answer(ticket, now=at, may_ask=False)
    answer = promise_answer(agent, ticket, fill_slots(ANSWER, ticket), seen=first.pk, now=at)
    TicketMessage.objects.filter(pk=answer.pk).update(send_status=SendStatus.SENT)
    answer.refresh_from_db()
    quoted = "\n".join(f"> {line}".rstrip() for line in answer.text.splitlines())
    told = {"name": name, "day": f"{at:%a, %d %b %Y at %H:%M}", "address": settings.SUPPORT_ADDRESS}
    mail = _write(
        customer.email,
        "boot-2",
        "Re: Sole of my boots",
        SECOND.format(quoted=quoted, **told),
        now,
        2.5,
        html=SECOND_HTML.format(quoted=answer.text.replace("\n", "<br>"), **told),
        files=(("left boot.png", _draw_picture()),),
        answers=derive_answer_id(ticket.pk, answer.pk),
    )
    _take(mail, now, 2.5)
    return True


def _write(
    sender: str,
    name: str,
    subject: str,
    text: str,
    now: dt.datetime,
    hours_ago: float,
    *,
    html: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    answers: str = "",
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, settings.SUPPORT_ADDRESS, subject
    mail["Date"] = format_datetime(now - dt.timedelta(hours=hours_ago))
    mail["Message-ID"] = f"<demo-{name}@{DOMAIN}>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for file_name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=file_name)
    return mail.as_bytes()


def _take(raw: bytes, now: dt.datetime, hours_ago: float) -> TicketMessage | None:
    """The message that came of it; None where it was taken in before."""
    at = now - dt.timedelta(hours=hours_ago)
    mail = parse_bytes(raw)
    if take_in_mail(mail, way=MailWay.IMAP, received_at=at, now=at) is None:
        return None
    named = str(mail["Message-ID"]).strip("<>")
    source = MailSource.objects.select_related("message__ticket").filter(internet_id=named).first()
    return source.message if source is not None else None


def _tie(message: TicketMessage | None, agent: User, now: dt.datetime) -> bool:
    """No mail server of the demo shop vouches for anybody, so a colleague says whose it is."""
    if message is None:
        return False
    ticket = Ticket.objects.get(pk=message.ticket_id)
    for customer in list_candidates(ticket)[:1]:
        tie_by_hand(agent, ticket, customer, now=now)
    return True


def _draw_picture(width: int = 160, height: int = 120) -> bytes:
    """A small picture (PNG, RFC 2083): a dark sole on a light floor, with a gap at the toe."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            is_sole = 60 < y < 84 and 20 < x < 140
            is_gap = is_sole and x > 104 and abs(y - 72) < (x - 100) / 8
            rows += b"\xf4\xe9\xd6" if is_gap else b"\x3c\x2f\x28" if is_sole else bytes((196, 188, 172 + y // 6))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _pack() -> bytes:
    """An archive, which is not taken: nobody can see what is in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.png", _draw_picture())
    return packed.getvalue()


def _draw_pdf() -> bytes:
    """The least PDF that shows a line of text (ISO 32000-1, annex H.3)."""
    text = b"BT /F1 18 Tf 72 720 Td (Return slip) Tj ET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    )
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(made),
    )
