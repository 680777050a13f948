"""Push notifications: a title and a body as the phone shows them; code adds the offer and where a tap leads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.composing import Frame, MessageSource, Words, add_fall_backs, describe_offer
from campaigns.content.findings import Finding
from campaigns.content.liquid_engine import fill, literal
from campaigns.content.markup import write_text

from .filled import Measure, RenderedMessage, one_line
from .payload import fill_payload, write_payload

#: What a locked phone shows before it cuts: about 50 characters of the title and 150 of the body.
TITLE_SHOWN: Final = 50
BODY_SHOWN: Final = 150
#: The whole notification: Apple and Google take four kilobytes.
MOST_BYTES: Final = 4_096


class PushWriter:
    """Title in `subject`, body in `opening`."""

    key = "push"
    parts = ("subject", "opening")

    def compose(self, words: Words, frame: Frame) -> MessageSource:
        title = add_fall_backs(words.subject, frame.language)
        body = [
            write_text(add_fall_backs(words.opening, frame.language)),
            literal(describe_offer(frame.offer, frame.language)),
        ]
        payload = {"title": title, "body": " ".join(filter(None, body)), "link": literal(frame.sender.button_url)}
        return MessageSource(subject=title, preheader="", html="", text=write_payload(payload), channel=self.key)

    def fill(self, source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
        return RenderedMessage(
            one_line(fill(source.subject, slots, is_html=False)), "", "", fill_payload(source.text, slots)
        )

    def measure(self, copy: RenderedMessage) -> list[Measure]:
        body = str(json.loads(copy.text)["body"])
        return [
            Measure(_("Title"), len(copy.subject), TITLE_SHOWN, _("characters")),
            Measure(_("Body"), len(body), BODY_SHOWN, _("characters")),
        ]

    def find_faults(self, copy: RenderedMessage) -> list[Finding]:
        if len(copy.text.encode()) > MOST_BYTES:
            return [Finding("too_big", "block", "opening", _("The notification is larger than phones take. Cut it."))]
        title, body = self.measure(copy)
        found = []
        if title.is_over:
            found.append(Finding("length", "warn", "subject", _("Phones cut a title after about 50 characters.")))
        if body.is_over:
            message = _("Phones cut the body, offer and all, after about 150 characters.")
            found.append(Finding("length", "warn", "opening", message))
        return found
