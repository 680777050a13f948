"""Text messages: one text with the shop's name before it, and offer, link and way out after it. Counted as they are billed.

3GPP TS 23.038: 160 characters of the GSM-7 alphabet to a message, or 153 to each part of a longer one; a single character outside
of it makes all of it UCS-2, with 70 and 67. The characters of the extension table count twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.composing import Frame, MessageSource, Words, add_fall_backs, describe_offer, phrases_in
from campaigns.content.findings import Finding
from campaigns.content.liquid_engine import fill, literal
from campaigns.content.markup import write_text

from .email import plain_links
from .filled import Measure, RenderedMessage, one_line

#: More parts than this cost more than an e-mail ever will, and hardly anybody reads them.
#: As composing.COMPOSER_VERSION, of text messages alone: since 4 the link has a number, and the way out a word to reply.
COMPOSED_BY: Final = 4
SEGMENTS_WARN: Final = 3
SEGMENTS_MOST: Final = 6
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True)
class SmsLength:
    """`units` of the alphabet that a text takes, and in how many parts it is sent and billed."""

    alphabet: str
    units: int
    segments: int


def count_segments(text: str) -> SmsLength:
    """How a text goes over the air."""
    if set(text) <= _BASIC | _EXTENDED:
        units = sum(2 if sign in _EXTENDED else 1 for sign in text)
        return SmsLength("GSM-7", units, _parts(units, 160, 153))
    units = len(text.encode("utf-16-be")) // 2
    return SmsLength("UCS-2", units, _parts(units, 70, 67))


class SmsWriter:
    """One text, kept in `opening`."""

    key = "sms"
    parts = ("opening",)

    def compose(self, words: Words, frame: Frame) -> MessageSource:
        phrases = phrases_in(frame.language)
        pieces = [
            write_text(add_fall_backs(words.opening, frame.language)),
            literal(describe_offer(frame.offer, frame.language)),
            "{{ link_1 }}",
            phrases.short_way_out,
        ]
        text = literal(phrases.short_sender.format(shop=frame.sender.name)) + " ".join(filter(None, pieces))
        links = (frame.sender.button_url,)
        return MessageSource("", "", "", text, version=COMPOSED_BY, channel=self.key, links=links)

    def fill(self, source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
        slots = plain_links(source) | {"stop_word": ""} | dict(slots)
        return RenderedMessage("", "", "", one_line(fill(source.text, slots, is_html=False)))

    def measure(self, copy: RenderedMessage) -> list[Measure]:
        length = count_segments(copy.text)
        return [
            Measure(_("Text messages"), length.segments, SEGMENTS_WARN, _("parts")),
            Measure(length.alphabet, length.units, _room(length), _("characters")),
        ]

    def find_faults(self, copy: RenderedMessage) -> list[Finding]:
        length = count_segments(copy.text)
        if length.segments <= SEGMENTS_WARN:
            return []
        message = _(
            "This is sent, and billed, as %(parts)d text messages (%(units)d characters in %(alphabet)s). Cut it."
        )
        told = message % {"parts": length.segments, "units": length.units, "alphabet": length.alphabet}
        return [Finding("segments", "block" if length.segments > SEGMENTS_MOST else "warn", "opening", told)]


def _parts(units: int, alone: int, each: int) -> int:
    return 1 if units <= alone else -(-units // each)


def _room(length: SmsLength) -> int:
    alone, each = (160, 153) if length.alphabet == "GSM-7" else (70, 67)
    return alone if length.segments == 1 else each * length.segments
