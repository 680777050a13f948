"""Who may be written to. One SQL fragment, used when the audience is frozen and again just before each send."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.models import Campaign


def exclusion_case_sql(customer: str = "c") -> str:
    """SQL for the first ExclusionReason (a SkipReason of the same name) that holds for a row of customers_customer
    called `customer`, or ''. Its named parameters come from `exclusion_params`."""
    raise NotImplementedError


def exclusion_params(campaign: Campaign, *, now: dt.datetime) -> dict[str, Any]:
    """The parameters of `exclusion_case_sql` for one campaign."""
    raise NotImplementedError
