"""Thirty simulated days of overlapping campaigns: nobody gets more than the caps allow, whatever runs at once.

The sender's clock is the database's, so it is not the clock that is moved but the past: before each step all earlier sends are
put back by its length. Judged by what the sink saw, not by the rows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .history import most_in_window
from .sink import read_arrivals
from .stage import CONNECTIONS, Stage

if TYPE_CHECKING:
    from customers.models import Customer

DAY_S = 86_400.0
#: Between the mark, which the caps count by, and the arrival.
SLACK_S = 5.0
#: Each campaign takes this share of the people, so that they overlap without being the same.
SHARE = 0.4
#: So many of the people asked for one message a month at most.
CHOOSY = 0.1


def measure_caps(stage: Stage, people: int, days: int) -> dict[str, object]:
    """`people` x `days` customer-days. One or two campaigns at once, every 8 to 40 simulated hours."""
    from django.conf import settings

    from campaigns.models import Message

    dice = random.Random(stage.seed + 3)
    customers = make_people(people)
    choosy = {customer.email for customer in customers[: int(people * CHOOSY)]}
    moments: dict[str, list[float]] = defaultdict(list)
    passed_s, campaigns = 0.0, 0
    while passed_s < days * DAY_S:
        before = len(read_arrivals(stage.log))
        for _number in range(dice.randint(1, 2)):
            campaigns += 1
            begin_campaign(f"caps {campaigns}", dice.sample(customers, int(people * SHARE)))
        send_everything()
        for arrival in read_arrivals(stage.log)[before:]:
            moments[arrival.recipient].append(passed_s + arrival.at_s)
        step_s = dice.uniform(8, 40) * 3_600
        move_the_past(step_s)
        passed_s += step_s
    widths = {settings.FREQUENCY_CAP_DAYS * DAY_S: settings.FREQUENCY_CAP_MESSAGES}
    skipped = Message.objects.filter(campaign__name__startswith="caps ", skip_reason="capped").count()
    exceeded = count_exceeded(moments, widths) + count_exceeded(
        {who: at for who, at in moments.items() if who in choosy}, {30 * DAY_S: 1}
    )
    return {
        "size": people * days,
        "campaigns": campaigns,
        "sent": sum(map(len, moments.values())),
        "capped": skipped,
        "most_in_a_window": max(most_in_window(at, next(iter(widths)) - SLACK_S) for at in moments.values()),
        "exceeded": exceeded,
        "is_right": not exceeded and skipped > 0 and len(moments) == people,
    }


def count_exceeded(moments: Mapping[str, Sequence[float]], widths: Mapping[float, int]) -> int:
    """People who got more than `widths[width]` messages within some span of `width` seconds."""
    return sum(
        any(most_in_window(at, width - SLACK_S) > most for width, most in widths.items()) for at in moments.values()
    )


def make_people(count: int) -> list[Customer]:
    from customers.models import Preference
    from tests.campaigns import arrange

    people = arrange.make_customers(count, prefix="caps")
    chosen = people[: int(count * CHOOSY)]
    Preference.objects.bulk_create(Preference(customer=customer, most_per_month=1) for customer in chosen)
    return people


def begin_campaign(name: str, people: list[Customer]) -> None:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from tests.campaigns import arrange

    now, cast = timezone.now(), arrange.make_cast()
    User.objects.update(email="")
    draft = arrange.make_campaign(cast.marketer, people, name=name, send_at=now, now=now)
    draft.allowed_drift_share = 1.0  # most of these people are capped by now, which is what is to be seen
    draft.save(update_fields=["allowed_drift_share"])
    arrange.start(draft, cast, now=now)


def send_everything() -> None:
    """In this process, over as many connections as the workers would have."""
    from django.utils import timezone

    from campaigns.delivery.scheduler import finish_campaigns
    from campaigns.delivery.sender import send_waiting_messages

    while send_waiting_messages(seconds=60, connections=2 * CONNECTIONS).has_more:
        pass
    finish_campaigns(timezone.now())


def move_the_past(seconds: float) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET sending_at = sending_at - make_interval(secs => %s) WHERE sending_at IS NOT NULL",
            [seconds],
        )
