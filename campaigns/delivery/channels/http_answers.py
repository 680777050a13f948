"""What the answer to an HTTP request allows the sender to conclude: the same for every provider and for web hooks.

The table stands in docs/sending.md. A server acts on a request once it has all of it (RFC 9112, 6).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from django.utils import timezone

from customers.outgoing import judging

from . import ChannelUnavailable, Outcome, Phase

LONGEST_WAIT_S = 3600.0
#: Answers after which nothing was sent whatever the server: not understood in time, too early, too many, not now.
NOT_TAKEN = frozenset({408, 425, 429, 503})
NOT_OUR_ACCOUNT = frozenset({401, 402, 403, 407})
_NUMBER = re.compile(r"\+?\d[\d ()-]{6,}\d")


def judge_answer(code: int, *, has_keys: bool) -> Outcome:
    """What a status that is no clear yes means. `has_keys`: the server knows the message's key and takes it once."""
    if code in NOT_TAKEN or code in NOT_OUR_ACCOUNT or 300 <= code <= 399:
        return Outcome.RETRY
    if 400 <= code <= 499:
        return Outcome.FAILED
    return judge_silence(has_keys=has_keys)  # 5xx of a gateway may hide a yes; a 2xx that nobody can read says nothing


def judge_silence(*, has_keys: bool) -> Outcome:
    """Nothing that settles it came back after the whole request had gone out."""
    return Outcome.REPEAT if has_keys else Outcome.UNKNOWN


class Patience:
    """Keeps to what a server asks for: until then nothing is sent over this connection (Retry-After, RFC 9110, 10.2.3)."""

    def __init__(self) -> None:
        self._left_alone_until: dt.datetime | None = None

    def require(self) -> None:
        """Raises ChannelUnavailable while the server wants to be left alone."""
        if self._left_alone_until is None:
            return
        wait_s = (self._left_alone_until - timezone.now()).total_seconds()
        if wait_s > 0:
            raise ChannelUnavailable(Phase.CONNECT, "the provider asked us to wait", wait_s=wait_s)
        self._left_alone_until = None

    def note(self, headers: Mapping[str, str]) -> float:
        """Seconds that an answer asks for, 0 for none."""
        asked = read_retry_after(str(headers.get("Retry-After") or ""), now=timezone.now())
        if asked > 0:
            self._left_alone_until = timezone.now() + dt.timedelta(seconds=asked)
        return asked


def hide_numbers(text: str) -> str:
    """Answers are kept and logged, and providers of text messages like to repeat the number."""
    return _NUMBER.sub("…", text)


def read_retry_after(value: str, *, now: dt.datetime) -> float:
    """Seconds, from a number or a date; 0 for none and for nonsense, an hour at most."""
    return judging.read_retry_after(value, now, longest_s=LONGEST_WAIT_S)
