"""Reads answers of mail servers: what concerns our log-in or our good name, and not the one message."""

from __future__ import annotations

import re

from . import Cause

#: Answers that concern our log-in (RFC 4954): trying the next message cannot help.
AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})

#: RFC 3463 status codes that say "not from you": failed SPF, DKIM, DMARC or reverse DNS (RFC 7372, RFC 7489).
_BAD_NAME_STATUS = re.compile(r"\b[45]\.7\.(2[0-9]|509|515)\b")
#: What block lists and large mailbox providers write beside a plain 5.7.1.
_BAD_NAME_WORDS = re.compile(
    r"spamhaus|spamcop|barracudacentral|proofpoint\.com/?\S*\bblock|\bblock(ed|list\w*) (using|by|due to|because)|\bblacklist"
    r"|\b(poor|bad|low) (ip |domain |sender )?reputation|reputation of (the |your )?(sending|ip|domain)"
    r"|unsolicited (mail|e-?mail|bulk)|\b(fails?|failed|violates) (the )?(dmarc|spf|dkim)|unauthenticated (mail|e-?mail)"
    r"|dmarc policy|sender authentication",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


def find_cause(code: int, text: str) -> Cause:
    """What an answer says of us: `code` is of SMTP (0 where there is none), `text` the server's words."""
    if code in AUTHENTICATION_CODES:
        return Cause.LOGIN
    if 200 <= code <= 399:
        return Cause.NONE
    is_about_us = _BAD_NAME_STATUS.search(text) or _BAD_NAME_WORDS.search(text)
    return Cause.REPUTATION if is_about_us else Cause.NONE


def is_lasting(status: str, text: str = "") -> bool | None:
    """Whether a failure says that the address is dead. `status` and `text` may hold a status of RFC 3463.

    True for 5.1.x but 5.1.5 and 5.1.8 (no such mailbox, no such domain), False for every other 5.x.x and all 4.x.x (full,
    too large, refused as spam: the address lives); None where nothing says.
    """
    found = _STATUS.search(status) or _STATUS.search(text)
    if found is None:
        return None
    kind, subject, detail = found.groups()
    if kind != "5":
        return False
    return (subject == "1" and detail not in {"5", "7", "8", "9"}) or (subject, detail) in {("2", "1"), ("4", "4")}
