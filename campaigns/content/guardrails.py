"""Checks a draft against the facts: what is false is blocked, what is doubtful is shown. No Django models here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _

from .checks import (
    codes,
    counts,
    days,
    deadlines,
    details,
    discounts,
    echoes,
    form,
    groups,
    identity,
    inferences,
    money,
    other_numbers,
    particulars,
    payments,
    promises,
    readability,
    scope,
    scoring,
    spam,
    spans,
    stock,
    voice,
    wording,
)
from .checks.fact_texts import measure_size
from .checks.reading import Draft, read_draft
from .checks.sheet import FactSheet, read_facts
from .findings import Claim, Finding, Review, Verdict, worst_verdict
from .ledger import list_claims

__all__ = [
    "CHECKS", "Claim", "Finding", "Review", "Verdict", "check_draft", "find_last_day", "review_draft", "worst_verdict",
]  # fmt: skip

Check = Callable[[FactSheet, Draft], Iterator[Finding]]

#: Every guard-rail, in the order in which its findings are shown. To add one, write such a function and name it here.
CHECKS: Final[tuple[Check, ...]] = (
    form.check_presence,
    form.check_length,
    form.check_hidden_characters,
    form.check_markup,
    form.check_placeholders,
    form.check_links,
    form.check_unsubscribe,
    form.check_address,
    discounts.check_percents,
    discounts.check_bare_discounts,
    money.check_money,
    discounts.check_bundles,
    days.check_dates,
    days.check_months,
    days.check_weekdays_of_feasts,
    deadlines.check_deadlines,
    days.check_expiry,
    spans.check_spans,
    particulars.check_contradicted_spans,
    codes.check_codes,
    stock.check_stock,
    counts.check_counts,
    promises.check_promises,
    promises.check_reach_of_promises,
    promises.check_scope,
    promises.check_presents,
    payments.check_when_charged,
    particulars.check_prizes,
    particulars.check_choices,
    details.check_composition,
    details.check_details,
    particulars.check_measures,
    particulars.check_pieces,
    particulars.check_limited_services,
    echoes.check_lists,
    echoes.check_blends,
    echoes.check_endings,
    echoes.check_denials,
    echoes.check_free_of,
    scope.check_scope_of_offer,
    promises.check_offer_exists,
    other_numbers.check_other_numbers,
    identity.check_signature,
    identity.check_branches,
    wording.check_language,
    inferences.check_sensitive_inferences,
    inferences.check_creepy_knowledge,
    groups.check_groups,
    scoring.check_scoring_words,
    readability.check_reading_level,
    spam.check_spam_words,
    wording.check_shouting,
    voice.check_banned_words,
    voice.check_avoided_words,
    voice.check_tone,
)

#: Those whose answer depends on the day of sending.
DAY_CHECKS: Final[tuple[Check, ...]] = (days.check_dates, deadlines.check_deadlines, spans.check_spans)
#: A send window is 168 hours at most, which touch so many days after the first.
DAYS_AHEAD: Final = 7


#: Signs of a draft and of the free text of its facts that are read. A draft of more than 4,000 is blocked as too long
#: anyway, and the time of some checks grows with the square of a text that has no sentences.
MOST_READ: Final = 8_000
MOST_FACTS: Final = 60_000


def check_draft(facts: Mapping[str, Any], draft: Mapping[str, Any]) -> list[Finding]:
    """All findings of a draft: {subject, preheader, body} or the slots of a Variant. Pure; odd input is empty input."""
    return list(review_draft(facts, draft, with_claims=False).findings)


def review_draft(facts: Mapping[str, Any], draft: Mapping[str, Any], *, with_claims: bool = True) -> Review:
    """The findings of a draft, and its claims with the facts that they stand on. Pure, like check_draft."""
    if refusal := _refuse_size(facts, draft):
        return Review((refusal,), ())
    sheet = read_facts(facts)
    read = read_draft(sheet, draft)
    findings = tuple(_run_checks(sheet, read))
    return Review(findings, list_claims(facts, sheet, read, findings) if with_claims else ())


def _refuse_size(facts: Mapping[str, Any], draft: Mapping[str, Any]) -> Finding | None:
    """What is too much to be read is blocked without being read."""
    if measure_size(draft, MOST_READ) > MOST_READ:
        return Finding("length", "block", "body", _("The text is too long to be read. Cut it."))
    if measure_size(facts, MOST_FACTS) > MOST_FACTS:
        return Finding(
            "facts", "block", "body", _("The facts are too many to check a text against. Name fewer products.")
        )
    return None


def find_last_day(facts: Mapping[str, Any], draft: Mapping[str, Any]) -> dt.date | None:
    """The last day of sending, from `send_date` on, on which what the draft says of days is as true as on the first.

    "Today only" holds on one day, "ends tomorrow" too, "starts today" too. None where nothing of it changes while the
    longest send window is open, or before the offer is over, which is looked at by itself. Pure.
    """
    sheet = read_facts(facts)
    if sheet.send_date is None or _refuse_size(facts, draft):
        return None
    read = read_draft(sheet, draft)
    known = _find_false_days(sheet, read)
    for ahead in range(1, DAYS_AHEAD + 1):
        day = sheet.send_date + dt.timedelta(days=ahead)
        if sheet.valid_until is not None and day > sheet.valid_until:
            return None
        if _find_false_days(replace(sheet, send_date=day), read) - known:
            return day - dt.timedelta(days=1)
    return None


def _find_false_days(sheet: FactSheet, read: Draft) -> set[Finding]:
    return {finding for finding in _run_checks(sheet, read, DAY_CHECKS) if finding.verdict == "block"}


def _run_checks(sheet: FactSheet, read: Draft, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    yield from dict.fromkeys(finding for check in checks for finding in check(sheet, read))
