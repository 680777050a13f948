"""Mails as they come: built by hand where a library would tidy them."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime

from tests.support.conftest import NOW

KIM = "Kim Lee <kim@shopper.test>"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
#: What the trusted server of the tests says of a sender it believes.
VOUCHED = (
    "mx.tarnside.test; spf=pass smtp.mailfrom=shopper.test; dkim=pass header.d=shopper.test;"
    " dmarc=pass header.from=shopper.test"
)


def write_mail(
    text: str = "Where is my parcel?",
    *,
    sender: str = KIM,
    message_id: str = "<m1@shopper.test>",
    subject: str = "A question",
    html: str = "",
    files: list[tuple[str, bytes]] | None = None,
    **fields: str,
) -> bytes:
    """A mail as a mail program writes it; `fields` are further header fields, with _ for -."""
    mail = EmailMessage()
    if fields.pop("vouched", ""):
        mail["Authentication-Results"] = VOUCHED
    mail["From"], mail["To"], mail["Subject"] = sender, "help@tarnside.test", subject
    mail["Date"] = format_datetime(NOW)
    if message_id:
        mail["Message-ID"] = message_id
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files or []:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()
