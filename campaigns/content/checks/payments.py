"""When the shop takes the money: with the order, as it is sent, or when it arrives. Where the facts say one of these, a text may
not say another. Facts that say nothing of it are not looked at here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, read_support
from .sheet import FactSheet
from .text import sentence_span

ORDER, DISPATCH, ARRIVAL = "order", "dispatch", "arrival"


def check_when_charged(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "We'll charge your card when you order", where the facts say "Pre-orders are charged on dispatch"."""
    known = {moment for moment, _span in find_moments(read_support(sheet).passage.text)}
    if not known:
        return
    for reading in draft.readings:
        for moment, span in find_moments(reading.masked):
            if moment not in known:
                yield reading.finding("finance", "block", _("The facts say that money is taken at another time."), span)


def find_moments(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The moments at which money is said to be taken, each with its place. "Not charged today" names none, "not charged until
    it ships" the one after "until"."""
    for charge in _CHARGED.finditer(text):
        start, end = sentence_span(text, charge.start())
        end = min(end, charge.end() + _NEAR)
        said = sorted(
            (m.start(), m.end(), moment) for moment, words in _MOMENTS for m in words.finditer(text, charge.end(), end)
        )
        if _NOT.search(text[start : charge.end()]):
            said = [place for place in said if _UNTIL.search(text[charge.end() : place[1]])]
        for _first, until, moment in said[:1]:  # what follows speaks of something else: "..., so order today"
            yield moment, (charge.start(), until)
    for match in _ZH.finditer(text):
        yield _ZH_MOMENTS[match[1]], match.span()


#: What is said of the moment stands within so many signs behind the verb.
_NEAR = 60
_CHARGED = re.compile(
    r"\b(?:(?:charge|debit|bill)(?:s|d|ed)? (?:you|your (?:card|account)|the (?:card|account))"
    r"|(?:card|account|orders?|you|money|payment)(?:'ll| will|'re| are| is|'s| won't| aren't| isn't)?(?: not| only| never| be)*"
    r" (?:charged|debited|billed|taken)|takes? (?:the |your )?payment)\b",
    re.IGNORECASE,
)
_MOMENTS = (
    (
        ORDER,
        re.compile(
            r"\b(?:(?:when|as|once) you (?:pre-?order|order|place\b)|(?:when|once) (?:the|your) (?:pre-?)?order is placed"
            r"|at (?:the )?check-?out|at the time of (?:the )?(?:order|purchase)|on ordering|with (?:the|your) order|up ?front"
            r"|today|straight away|immediately|right away)\b",
            re.IGNORECASE,
        ),
    ),
    (
        DISPATCH,
        re.compile(
            r"\b(?:(?:on|at|before|upon|until|after) (?:dispatch|shipping|shipment|posting)"
            r"|(?:when|once|until|before|as|after)(?: \w+){1,4} (?:ships?|shipped|dispatch(?:es|ed)?|sent|posted|leaves?)"
            r"|ships?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        ARRIVAL,
        re.compile(
            r"\b(?:(?:on|upon|until|after) (?:delivery|arrival|receipt)"
            r"|(?:when|once|until|after)(?: \w+){1,4} (?:arrives?|delivered))\b",
            re.IGNORECASE,
        ),
    ),
)
_NOT = re.compile(r"n't\b|\bnot\b|\bnever\b|\bno\b", re.IGNORECASE)
_UNTIL = re.compile(r"\b(?:until|before)\b", re.IGNORECASE)
_ZH_MOMENTS = {"下单": ORDER, "发货": DISPATCH, "出库": DISPATCH, "收货": ARRIVAL, "签收": ARRIVAL, "到货": ARRIVAL}
_ZH = re.compile(
    r"(?<!不在)(下单|发货|出库|收货|签收|到货)(?:后|时|前|当天|当日|即|才|再|立即)*(?:才|会|再|向您|为您|统一)*(?:扣款|扣费|收款)"
)
