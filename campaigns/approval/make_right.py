"""A campaign that begins as a whole: a kind word to whoever had a complaint, once it is solved and the quiet time is over.

The hold (`support.inbox.complaints`) dates the end of a complaint at the end of its cooling time, so the segment cannot reach
anybody earlier, and an open complaint of the same person keeps them out. What was withdrawn as no complaint does not count.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign, CampaignKind, CampaignStatus
from customers.models import Segment
from customers.segments.archiving import restore_segment
from customers.segments.editing import save_segment
from customers.segments.rules import dump_rule, parse_rule

from .editing import create_campaign

DAYS_AFTER: Final = 30
RULE: Final[dict[str, Any]] = {
    "match": "all",
    "rules": [
        {
            "did": "complaint_solved",
            "op": "gte",
            "times": 1,
            "within_days": DAYS_AFTER,
            "where": [
                {"property": "withdrawn", "type": "flag", "op": "unknown"},
                {"property": "because", "type": "text", "op": "unknown"},  # held for a mood, and no complaint
            ],
        },
        {"field": "has_open_complaint", "op": "is", "value": False},
    ],
}


@transaction.atomic
def start_make_right(user: User, *, now: dt.datetime) -> Campaign:
    """A draft that lets people in as their complaint is solved; its segment is made where no segment has this rule.

    It is edited, approved, held out from and capped like any other; pressed again, the draft that waits is taken up.
    Raises PermissionDenied.
    """
    User.objects.select_for_update().get(pk=user.pk)  # a double click makes one
    tree = dump_rule(parse_rule(RULE))
    segment = Segment.objects.filter(rule=tree).order_by("is_archived", "pk").first()
    if segment is not None and segment.is_archived:
        segment = restore_segment(user, segment)
    segment = segment or save_segment(
        user,
        name=_("Complaint solved, nothing open"),
        rule=RULE,
        description=_("Whose complaint was solved in the last 30 days, after the time without promotions."),
        now=now,
    )
    waiting = Campaign.objects.filter(
        author=user, segment=segment, kind=CampaignKind.TRIGGERED, status=CampaignStatus.DRAFT
    )
    if (draft := waiting.order_by("-pk").first()) is not None:
        return draft
    fields = {
        "name": _("Make it right"),
        "goal": _("Keep customers whose complaint we have solved"),
        "instruction": _(
            "Say that we know something went wrong and that we are glad it is solved. Ask whether all is well now."
        ),
        "tone": _("Personal, plain, without excuses"),
        "avoid": _("What the complaint was about; blame; selling something in the first sentence"),
        "segment": segment,
        "kind": CampaignKind.TRIGGERED,
        "trigger": {"on": "segment", "includes_present": True},
        "re_entry_days": 90,
        "max_archetypes": 3,
    }
    return create_campaign(user, fields, now=now)
