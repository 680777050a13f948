"""What is shown of a rule while it is written: whom it means now, and the way to their list."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from customers.filters import MAX_RULE_TEXT
from customers.ingest.clock import read_shop_clock
from customers.insights.browsing import count_customers
from customers.segments.checking import check_rule
from customers.segments.estimating import Estimate, preview_quickly
from customers.segments.preview import Preview, preview_query
from customers.segments.rules import Group, Reading, dump_rule
from customers.segments.telling import tell_reading

#: Web servers refuse addresses of more than 8,190 bytes; the list's own words and places come to it.
LONGEST_ADDRESS: Final = 7_500
NOT_COUNTED: Final[dict[str, Any]] = {"sentence": "", "size": None, "sample": [], "total": 0, "warnings": []}


def preview(rule: Group | None, *, is_exact: bool = False) -> dict[str, Any]:
    """What stands beside the rows: count, sample, sentence, what is to be said of the rule; NOT_COUNTED of none. `is_exact`
    counts everybody, however long it takes."""
    if rule is None:
        return NOT_COUNTED
    total = count_customers().number
    as_of = read_shop_clock(timezone.now())
    told = tell_reading(Reading(rule, ()), as_of=as_of, counts=False)
    found: Preview | None = None
    if told.query is not None:
        found = preview_query(told.query) if is_exact else preview_quickly(told.query, total=total)
    return {
        "sentence": told.sentence,
        "size": found.size if found else None,
        "estimate": found if isinstance(found, Estimate) else None,
        "faults": told.faults,
        "warnings": [finding for finding in check_rule(rule, as_of=as_of) if not finding.is_fault],
        "sample": found.sample if found else [],
        "total": max(total, found.size if found else 0),
        "list_url": _list_address(rule),
    }


def _list_address(rule: Group) -> str:
    """The list of customers by a rule; "" for one that is too long for an address."""
    text = json.dumps(dump_rule(rule), ensure_ascii=False, separators=(",", ":"))
    address = f"{reverse('customers:list')}?{urlencode({'rule': text})}"
    return address if len(text) <= MAX_RULE_TEXT and len(address) <= LONGEST_ADDRESS else ""
