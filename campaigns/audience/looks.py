"""Saved segments by which a campaign's result is looked at besides.

Chosen before the freeze, and their rules are kept with the frozen audience. Who is in which is written down when a person is
drawn (in a live campaign as they enter): asked later, a message would decide who counts as "has not ordered for 90 days".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from customers.models import Segment
from customers.segments.compiler import compile_rule
from customers.segments.faults import RuleError
from customers.segments.rules import parse_rule

log = structlog.get_logger(__name__)

#: With each more all are told less surely.
MOST_LOOKS: Final = 5


def tidy_looks(chosen: Any) -> list[int]:
    """The numbers of segments in the order given, each once. Raises ValidationError for others than saved ones in use."""
    if not isinstance(chosen, list) or not all(
        isinstance(number, int) and not isinstance(number, bool) for number in chosen
    ):
        raise ValidationError(_("Name segments by their numbers."))
    numbers = list(dict.fromkeys(chosen))
    if len(numbers) > MOST_LOOKS:
        raise ValidationError(
            _("At most %(most)d segments: with each more all are told less surely.") % {"most": MOST_LOOKS}
        )
    if Segment.objects.filter(pk__in=numbers, is_archived=False).count() < len(numbers):
        raise ValidationError(_("Choose segments that are saved and in use."))
    return numbers


def freeze_looks(campaign: Campaign, *, as_of: dt.datetime) -> list[dict[str, Any]]:
    """What `Campaign.looks` keeps: the chosen segments with their names and rules as they stand now. One whose rule is broken is
    left out; the segment's own page says what is wrong with it."""
    found = Segment.objects.in_bulk(campaign.looked_at)
    looks = [
        {"segment": number, "name": found[number].name, "rule": found[number].rule}
        for number in campaign.looked_at
        if number in found
    ]
    return [look for look in looks if _compile(look, as_of) is not None]


def mark_sql(looks: Sequence[Mapping[str, Any]], person: str, *, as_of: dt.datetime) -> tuple[str, dict[str, Any]]:
    """SQL of a whole number whose bit n is set where a person (an expression of their id) is in look n, and its parameters."""
    terms = ["0"]
    params: dict[str, Any] = {}
    for place, look in enumerate(looks):
        compiled = _compile(look, as_of)
        if compiled is None:  # bits keep their places
            continue
        sql, own = compiled
        # Each rule's parameters begin alike: here several stand in one statement.
        terms.append(
            f"CASE WHEN {person} IN ({sql.replace('%(segment_', f'%(look{place}_segment_')}) THEN {1 << place} ELSE 0 END"
        )
        params |= {f"look{place}_{name}": value for name, value in own.items()}
    return " + ".join(terms), params


def _compile(look: Mapping[str, Any], as_of: dt.datetime) -> tuple[str, dict[str, Any]] | None:
    try:
        compiled = compile_rule(parse_rule(look["rule"]), as_of=as_of)
    except RuleError as error:
        log.warning("look_left_out", segment=look["segment"], fault=type(error).__name__)
        return None
    return compiled.sql, compiled.params
