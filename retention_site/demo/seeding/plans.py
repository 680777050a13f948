"""What the demo shop's people had in mind: their segments and their campaigns. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retention_site.demo.people import ANALYST, MARKETER, SECOND_MARKETER, Person

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class SegmentPlan:
    """A segment and who saved it. The rule is the tree of `customers.segments.rules`."""

    name: str
    description: str
    rule: Rule
    author: Person = MARKETER


@dataclass(frozen=True)
class OfferPlan:
    """What a campaign promises; it is valid from the day of sending for `days`."""

    kind: str = "none"
    value: str | None = None
    code: str = ""
    min_basket: str | None = None
    days: int = 14


@dataclass(frozen=True)
class FollowUpPlan:
    """A further message: how long after the one before, to whom (FollowUp.OnlyIf), and what for."""

    wait_hours: int
    only_if: str
    purpose: str


@dataclass(frozen=True)
class CampaignPlan:
    """A campaign as its author enters it. `strength` is what its message does in the simulator (1: a good win-back);
    the application never sees it. `entering` are the fields of a live one."""

    name: str
    goal: str
    instruction: str
    segment: SegmentPlan
    author: Person = MARKETER
    offer: OfferPlan = field(default_factory=OfferPlan)
    holdout_share: float = 0.1
    attribution_days: int = 60
    send_window_hours: int = 24
    tone: str = ""
    avoid: str = ""
    talking_points: tuple[str, ...] = ()
    strength: float = 1.0
    entering: Rule = field(default_factory=dict)
    follow_ups: tuple[FollowUpPlan, ...] = ()


@dataclass(frozen=True)
class PastPlan:
    """A campaign that was sent so many days ago."""

    campaign: CampaignPlan
    days_ago: int


def _when(field_name: str, op: str, value: object) -> dict[str, object]:
    return {"field": field_name, "op": op, "value": value}


def _all(*rules: Rule) -> dict[str, object]:
    return {"match": "all", "rules": list(rules)}


QUIET_MONTH = SegmentPlan(
    "Quiet for a month", "Ordered before, but not in the last 30 days.", _all(_when("recency_days", "gte", 30))
)
QUIET_SEASON = SegmentPlan(
    "Quiet for four months",
    "No order for 120 days and more.",
    _all(_when("recency_days", "gte", 120), _when("orders_count", "gte", 2)),
)
LEAVING = SegmentPlan(
    "About to leave",
    "The model gives them little chance of another order.",
    _all(_when("churn_probability", "gte", 0.7), _when("recency_days", "between", [30, 365])),
    ANALYST,
)
VALUABLE_AT_RISK = SegmentPlan(
    "Valuable and at risk",
    "Expected to be worth 40 EUR and more in the next months, and more likely than not to be lost.",
    _all(_when("churn_probability", "gte", 0.5), _when("expected_value", "gte", 40)),
    ANALYST,
)
TENT_LOOKERS = SegmentPlan(
    "Looked at tents, bought none",
    "Viewed a tent in the last 60 days and did not order one.",
    _all(
        {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 60, "category": "Tents"},
        {"did": "ordered", "op": "lte", "times": 0, "within_days": 60, "category": "Tents"},
    ),
    SECOND_MARKETER,
)
CHINESE_QUIET = SegmentPlan(
    "Chinese readers gone quiet",
    "Customers who read Chinese, without an order for 45 days.",
    _all(_when("language", "is", "zh"), _when("recency_days", "gte", 45)),
    SECOND_MARKETER,
)
REGULARS_AT_RISK = SegmentPlan(
    "Regulars of the British Isles",
    "Five orders and more, and the next one is late.",
    _all(
        _when("country", "in", ["United Kingdom", "Ireland"]),
        _when("orders_count", "gte", 5),
        _when("churn_probability", "gte", 0.35),
    ),
)
SEGMENTS: tuple[SegmentPlan, ...] = (
    QUIET_MONTH, QUIET_SEASON, LEAVING, VALUABLE_AT_RISK, TENT_LOOKERS, CHINESE_QUIET, REGULARS_AT_RISK,
)  # fmt: skip

REMINDER = CampaignPlan(
    "A friendly reminder",
    "See whether a short note without an offer brings people back.",
    "Short and calm. No pressure.",
    QUIET_SEASON,
    SECOND_MARKETER,
    holdout_share=0.3,
    strength=0.4,
)
WE_MISS_YOU = CampaignPlan(
    "We miss you: 20 % off",
    "Bring back people who have not ordered for a month. Half are held out, to learn what an offer really does.",
    "Warm. Mention that the new season is here.",
    QUIET_MONTH,
    offer=OfferPlan("percent", "20", "BACK20", "60", days=28),
    holdout_share=0.5,
    attribution_days=35,
    strength=2.0,
)
FREE_DELIVERY = CampaignPlan(
    "Free delivery for valued customers",
    "Keep those who are worth most and seem to be drifting away.",
    "Thank them for their orders.",
    VALUABLE_AT_RISK,
    SECOND_MARKETER,
    offer=OfferPlan("free_shipping", code="GLIDE", days=21),
    holdout_share=0.2,
)
#: Oldest first. The simulated people answer to each of them. No window is open when the next campaign goes out: that one
#: would bring back more of the people who were held out than of those whom the first has brought back already.
PAST: tuple[PastPlan, ...] = (PastPlan(REMINDER, 150), PastPlan(WE_MISS_YOU, 80), PastPlan(FREE_DELIVERY, 40))

SEQUENCE = CampaignPlan(
    "Three notes before they go",
    "See whether three short notes bring back more people than one, and whether an order in between ends it.",
    "Short. One thought to a note.",
    LEAVING,
    SECOND_MARKETER,
    holdout_share=0.2,
    strength=0.6,
    follow_ups=(
        FollowUpPlan(72, "not_clicked", "Offer help with choosing"),
        FollowUpPlan(168, "always", "Leave the door open, without reproach"),
    ),
)
#: Under way today: the second note has gone out, the third is still to come. Longer ago than the caps look back.
UNDER_WAY = PastPlan(SEQUENCE, 9)

MISSED = CampaignPlan(
    "Weekend walks",
    "A note before the weekend.",
    "Something light about walking.",
    REGULARS_AT_RISK,
    send_window_hours=12,
)
CANCELLED = CampaignPlan(
    "Clearance of last season's tents",
    "Sell what is left of last season.",
    "Practical, a little cheeky.",
    TENT_LOOKERS,
    SECOND_MARKETER,
    offer=OfferPlan("percent", "25", "TENT25"),
)
IDEA = CampaignPlan(
    "Thank-you note to regulars",
    "An idea for next month; nothing is written yet.",
    "Thank them. No offer.",
    REGULARS_AT_RISK,
    SECOND_MARKETER,
)
DRAFTED = CampaignPlan(
    "Still looking for a tent?",
    "Help people decide who looked at tents and did not buy.",
    "Help them choose; do not push.",
    TENT_LOOKERS,
    offer=OfferPlan("amount", "15", "CAMP15", "120"),
    tone="Helpful, as a good shop assistant would talk",
    avoid="Fear of missing out; words such as hurry or last chance",
    talking_points=(
        "Every tent can be pitched and tried in the shop in Leith",
        "Our tents are repaired in our own workshop",
    ),
)
IN_REVIEW = CampaignPlan(
    "Back to the hills, in Chinese",
    "Win back customers who read Chinese.",
    "Friendly and polite.",
    CHINESE_QUIET,
    SECOND_MARKETER,
    offer=OfferPlan("percent", "10", "SHAN10", "50"),
    holdout_share=0.2,
    tone="亲切、礼貌、简短",
    avoid="催促的说法",
    talking_points=("客服可用中文答复",),
)
APPROVED = CampaignPlan(
    "Free delivery before the holidays",
    "Keep the most valuable of those who drift away.",
    "Warm and short.",
    VALUABLE_AT_RISK,
    SECOND_MARKETER,
    offer=OfferPlan("free_shipping", code="GLIDE", days=21),
    holdout_share=0.2,
)
SCHEDULED = CampaignPlan(
    "One more reason to stay: 15 % off",
    "Reach those who are about to leave before they are gone.",
    "Say that we would be glad to see them again.",
    LEAVING,
    offer=OfferPlan("percent", "15", "STAY15", "50"),
    holdout_share=0.2,
    tone="Direct and kind",
    avoid="Blame; how long they have been away, to the day",
    talking_points=("What is bought from us is repaired in our own workshop",),
)
LIVE = CampaignPlan(
    "Your next order is late",
    "Remind regular customers when the order that was expected of them does not come",
    "Short and friendly, without pressure. No offer.",
    REGULARS_AT_RISK,
    author=SECOND_MARKETER,
    holdout_share=0.2,
    attribution_days=30,
    entering={
        "kind": "triggered", "trigger": {"on": "overdue", "days": 14, "includes_present": True}, "re_entry_days": 90,
        "max_archetypes": 6,
    },
)  # fmt: skip
PAUSED = CampaignPlan(
    "A voucher for regulars",
    "Give regulars a reason to come by.",
    "As between old acquaintances.",
    REGULARS_AT_RISK,
    offer=OfferPlan("amount", "10", "TEN4YOU", "80"),
    send_window_hours=168,
)
