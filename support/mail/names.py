"""The Message-IDs of our answers: derived from the row, the same on every try, and signed, so that nobody can make one up.

A reply is put into the conversation that it names. A number alone could be guessed, and anybody could write into
anybody's conversation.
"""

from __future__ import annotations

import hmac
import re

from django.conf import settings
from django.utils.crypto import salted_hmac

_NAME = re.compile(r"(?<![0-9A-Za-z.-])ticket\.(\d{1,18})\.(\d{1,18})\.([0-9a-f]{20})(?![0-9a-f])", re.IGNORECASE)


def derive_answer_id(ticket: int, message: int) -> str:
    """The Message-ID of an answer, with its brackets."""
    domain = settings.SUPPORT_ADDRESS.rpartition("@")[2] or "localhost"
    return f"<{_sign(ticket, message, settings.SECRET_KEY)}@{domain}>"


def read_answer_id(text: str) -> int | None:
    """The ticket that a Message-ID of ours names; None where no name in it has our signature."""
    for ticket, message, signature in _NAME.findall(text):
        wanted = f"ticket.{int(ticket)}.{int(message)}.{signature.lower()}"
        for secret in (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)):
            if hmac.compare_digest(_sign(int(ticket), int(message), secret), wanted):
                return int(ticket)
    return None


def _sign(ticket: int, message: int, secret: str) -> str:
    key = f"ticket.{ticket}.{message}"
    digest = salted_hmac("support.mail.answer_id", key, secret=secret, algorithm="sha256").hexdigest()
    return f"{key}.{digest[:20]}"
