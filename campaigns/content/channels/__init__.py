"""The ways in which a text reaches a person: what each is written in, how it is composed, filled and measured.

To add a channel: a module with such a writer, a line in `_WRITERS`, prompts for its slots, and its page preview.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from campaigns.content.composing import Frame, MessageSource, Words
from campaigns.content.findings import Finding

from .email import EmailWriter
from .filled import Measure, RenderedMessage
from .push import PushWriter
from .sms import SmsWriter
from .webhook import WebhookWriter

__all__ = ["ChannelWriter", "Measure", "RenderedMessage", "compose", "find_writer"]


class ChannelWriter(Protocol):
    """One channel. All of it is pure: the same arguments give the same bytes for ever."""

    @property
    def key(self) -> str: ...

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns of Variant that this channel has, in the order of the page."""
        ...

    def compose(self, words: Words, frame: Frame) -> MessageSource: ...

    def fill(self, source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage: ...

    def measure(self, copy: RenderedMessage) -> list[Measure]:
        """How long a copy is, in what its channel counts."""
        ...

    def find_faults(self, copy: RenderedMessage) -> list[Finding]:
        """What is wrong with a copy as this channel sends it."""
        ...


def find_writer(key: str) -> ChannelWriter:
    """The writer of a channel; e-mail for one that is not known."""
    return _WRITERS.get(key, _WRITERS["email"])


def compose(words: Words, frame: Frame, *, channel: str = "email") -> MessageSource:
    """The Liquid of a text. A pure function: the same arguments give the same bytes for ever."""
    return find_writer(channel).compose(words, frame)


_WRITERS: Final[Mapping[str, ChannelWriter]] = {
    writer.key: writer for writer in (EmailWriter(), SmsWriter(), PushWriter(), WebhookWriter())
}
