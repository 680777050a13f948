"""How far the people of a sequence have come, step by step, in both arms: who got there, who waits, who left and why.

Held-out people go through the same steps without a message, so that the share who left for an order before a step can be
compared. Counts alone: whether the difference is more than chance is said by the campaign's result.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Min

from campaigns.content.steps import Step, read_steps
from campaigns.models import Arm, Campaign, Entry, ExitReason


@dataclass(frozen=True)
class ArmCount:
    """People of one arm at one step: who came so far (`reached`), who will come to it (`waiting`), and who left between the
    step before and this one, by ExitReason."""

    reached: int = 0
    waiting: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StepCount:
    """One step: both arms, and what became of its messages. Opened is of `followed`, those who agreed that it is seen."""

    step: Step
    treated: ArmCount
    held: ArmCount
    sent: int = 0
    skipped: int = 0
    followed: int = 0
    opened: int = 0
    clicked: int = 0

    @property
    def reasons(self) -> list[tuple[str, int, int]]:
        """Why people left before this step, the commonest first: label, treated, held out."""
        both = Counter(self.treated.left) + Counter(self.held.left)
        return [
            (str(ExitReason(reason).label), self.treated.left.get(reason, 0), self.held.left.get(reason, 0))
            for reason, _people in both.most_common()
        ]


@dataclass(frozen=True)
class Funnel:
    """All steps, how many of each arm went through all of them, and when the next step of anybody is due."""

    steps: Sequence[StepCount]
    treated_through: int
    held_through: int
    next_at: dt.datetime | None


def read_funnel(campaign: Campaign) -> Funnel | None:
    """The funnel of a sequence; None where nobody has entered one. Four queries, whatever the number of steps."""
    steps = read_steps(campaign.pk)
    people = _count_entries(campaign.pk) if len(steps) > 1 else _People()
    if not people.total:
        return None
    messages = _count_messages(campaign.pk)
    rows, still_in = [], dict(people.total)
    for step in steps:
        arms = {}
        for arm in (Arm.TREATMENT, Arm.HOLDOUT):
            waiting = people.waiting[arm, step.number]
            left = {
                reason: n for (one, number, reason), n in people.left.items() if (one, number) == (arm, step.number)
            }
            still_in[arm] = still_in.get(arm, 0) - waiting - sum(left.values())
            arms[arm] = ArmCount(still_in[arm], waiting, left)
        rows.append(StepCount(step, arms[Arm.TREATMENT], arms[Arm.HOLDOUT], *messages.get(step.number, ())))
    due = Entry.objects.filter(campaign=campaign, next_at__isnull=False).aggregate(at=Min("next_at"))["at"]
    return Funnel(rows, people.through[Arm.TREATMENT], people.through[Arm.HOLDOUT], due)


@dataclass(frozen=True)
class _People:
    """People by arm: all, who waits for which step, who left before which and why, and who went through all."""

    total: Counter[str] = field(default_factory=Counter)
    waiting: Counter[tuple[str, int]] = field(default_factory=Counter)
    left: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    through: Counter[str] = field(default_factory=Counter)


def _count_entries(campaign_id: int) -> _People:
    people = _People()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT arm, coalesce(next_step, 0), exit_reason, count(*) FROM campaigns_entry"
            " WHERE campaign_id = %s AND arm <> 'excluded' GROUP BY 1, 2, 3",
            [campaign_id],
        )
        for arm, step, reason, number in cursor.fetchall():
            people.total[arm] += number
            if reason == ExitReason.COMPLETED:
                people.through[arm] += number
            elif reason:
                people.left[arm, step, reason] += number
            else:
                people.waiting[arm, step] += number
    return people


def _count_messages(campaign_id: int) -> Mapping[int, tuple[int, int, int, int, int]]:
    """By step: sent, skipped, those whose opening may be seen, opened, clicked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT step, count(*) FILTER (WHERE status IN ('accepted', 'delivered', 'bounced', 'complained')),
                   count(*) FILTER (WHERE status = 'skipped'),
                   count(*) FILTER (WHERE slots ? 'open_pixel'
                                    AND status IN ('accepted', 'delivered', 'bounced', 'complained')),
                   count(opened_at), count(clicked_at)
            FROM campaigns_message WHERE campaign_id = %s GROUP BY step
            """,
            [campaign_id],
        )
        return {step: tuple(counts) for step, *counts in cursor.fetchall()}
