"""The circuit breaker: when going on would only spoil more messages or the sender's name, it says why and stops."""

from __future__ import annotations

import threading

from django.utils.translation import gettext_noop

from .breaker_words import say_cause, words_for
from .channels import ChannelUnavailable, Outcome, Reply

#: Failed connections in a row, with growing waits between them, before the campaign is paused.
CONNECTIONS_IN_A_ROW = 5
#: Messages in a row of which the server took none.
REFUSALS_IN_A_ROW = 25
#: Copies in a row that could not be made: one is a poison row, several are a fault of ours that would skip everybody.
UNMADE_IN_A_ROW = 3


class Breaker:
    """Counts over all connections of one sweep; anything that succeeds starts the count anew."""

    def __init__(self, channel: str = "email") -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._connections = 0
        self._refusals = 0
        self._unmade = 0

    def note_connected(self) -> None:
        with self._lock:
            self._connections = 0

    def note_unavailable(self, error: ChannelUnavailable) -> str:
        """The sentence with which to pause, or "" to go on trying."""
        with self._lock:
            self._connections += 1
            failed = self._connections
        words = words_for(self._channel)
        if error.is_final:
            return words.refused % {"error": error}
        if failed >= CONNECTIONS_IN_A_ROW:
            return words.unreachable % {"n": failed, "error": error}
        return ""

    def note_copy(self, problem: str = "") -> str:
        """A copy was made, or why not: the sentence with which to pause, or "" to go on."""
        with self._lock:
            self._unmade = self._unmade + 1 if problem else 0
            unmade = self._unmade
        if unmade < UNMADE_IN_A_ROW:
            return ""
        sentence = gettext_noop(
            "%(n)s messages in a row could not be made (%(problem)s). Tell who runs Rekindle, then resume."
        )
        return sentence % {"n": unmade, "problem": problem[:150]}

    def note_reply(self, reply: Reply) -> str:
        """The sentence with which to pause, or "" to go on."""
        with self._lock:
            self._refusals = 0 if reply.outcome is Outcome.ACCEPTED else self._refusals + 1
            refused = self._refusals
        if reply.cause:
            return say_cause(reply.cause, reply.summary, self._channel)
        if refused < REFUSALS_IN_A_ROW:
            return ""
        return words_for(self._channel).took_none % {"n": refused, "answer": reply.summary}

    def wait_s(self) -> float:
        """Seconds to wait before the next try to connect: half a second, doubled each time."""
        with self._lock:
            return float(min(0.5 * 2 ** max(self._connections - 1, 0), 8.0))
