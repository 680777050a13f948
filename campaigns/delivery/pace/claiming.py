"""Claims where limits hold: passes over a mailbox provider that has had its share, and lets the others go on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from campaigns.delivery.channels import SMTP_ROUTE, Route
from campaigns.delivery.outbox import ClaimedMessage, claim_lease_s
from campaigns.models.message import DUE_FROM_SQL

from .meters import PacePlan
from .tokens import peek, wait_s

#: So many waiting rows are looked at for one claim; where they all have to wait, the next claim looks at those behind them.
WINDOW: Final = 2000
#: How often the rows at the front are looked at again while others behind them are sent.
FRONT_S: Final = 1.0
#: Before the first row: rows are looked at in the order in which they are due.
FRONT: Final = ("-infinity", 0)
NOBODY: Final = 2**31 - 1


@dataclass
class Place:
    """How far one connection has looked through the rows of a campaign, and when it last looked at the front. `holds`: it
    found rows there that have to wait."""

    after: tuple[str, int] = FRONT
    front_at: float = -FRONT_S
    holds: bool = False

    def next_start(self) -> tuple[str, int]:
        now = time.monotonic()
        if now < self.front_at + FRONT_S:
            return self.after
        self.front_at = now
        return FRONT


@dataclass(frozen=True)
class Budget:
    """What may leave now: of everything, and of each group that has a limit. `wait_s` until something may."""

    of_all: int
    by_group: Mapping[str, int] = field(default_factory=dict)
    wait_s: float = 0.0


def read_budget(plan: PacePlan) -> Budget:
    """Looks at the meters without taking anything; what they say may be less a moment later, never more than they allow."""
    held = peek(plan.meters)
    of_all = min((int(held[meter.key]) for meter in plan.of_all), default=NOBODY)
    by_group = {group: max(min(int(held[meter.key]) for meter in meters), 0) for group, meters in plan.by_group.items()}
    door_wait = max((wait_s(meter, held[meter.key]) for meter in plan.of_all), default=0.0)
    group_waits = [max(wait_s(meter, held[meter.key]) for meter in meters) for meters in plan.by_group.values()]
    wait = max(door_wait, min(group_waits, default=0.0))
    return Budget(max(of_all, 0), by_group, wait)


def claim_paced_batch(
    worker: str, *, campaign_id: int, size: int, plan: PacePlan, budget: Budget, place: Place, route: Route = SMTP_ROUTE
) -> list[ClaimedMessage]:
    """As `outbox.claim_batch` of e-mail, of those for whom the budget has something left.

    `place` moves on past rows that have to wait.
    """
    wanted = min(size, budget.of_all)
    if wanted < 1:
        place.holds = True
        return []
    start = place.next_start()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "campaign": campaign_id,
                "size": wanted,
                "worker": worker,
                "lease": claim_lease_s(),
                "route": route.name,
                "window_s": route.key_window_s,
                "after_due": start[0],
                "after_id": start[1],
                "window": WINDOW,
                "domains": list(plan.groups),
                "groups": list(plan.groups.values()),
                "limited": list(budget.by_group),
                "budgets": list(budget.by_group.values()),
            },
        )
        last_due, last_id, looked, taken = cursor.fetchone()
    rows: list[dict[str, Any]] = sorted(
        json.loads(taken) if isinstance(taken, str) else taken or [], key=lambda row: row["id"]
    )
    place.holds = looked > len(rows)
    if len(rows) < wanted and start == place.after:
        place.after = (last_due, last_id) if looked == WINDOW else FRONT
    return [
        ClaimedMessage(
            row["id"], row["campaign_id"], row["step"], row["customer_id"], row["variant_id"], row["attempts"],
            kept_slots=row["kept_slots"], entry=row["entry"],
        )
        for row in rows
    ]  # fmt: skip


def put_back(held: Mapping[int, str]) -> None:
    """`claimed -> queued` for messages whose meters were emptied by somebody else since the claim. `held`: worker by message."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message m SET status = 'queued', claimed_by = '', lease_until = NULL"
            " FROM unnest(%s::bigint[], %s::text[]) AS h(id, worker)"
            " WHERE m.id = h.id AND m.status = 'claimed' AND m.claimed_by = h.worker",
            [list(held), list(held.values())],
        )


#: The rank of a row among those of its group says whether the group's budget reaches it.
_CLAIM: Final = f"""
WITH looked AS MATERIALIZED (
    SELECT m.id, {DUE_FROM_SQL} AS due, limits.name AS grp
    FROM campaigns_message m
    JOIN customers_customer c ON c.id = m.customer_id
    LEFT JOIN unnest(%(domains)s::text[], %(groups)s::text[]) AS limits(domain, name)
      ON limits.domain = lower(split_part(c.email, '@', 2))
    WHERE m.campaign_id = %(campaign)s AND m.channel = 'email' AND m.status = 'queued'
      AND {DUE_FROM_SQL} <= (SELECT clock_timestamp())
      AND ({DUE_FROM_SQL}, m.id) > (%(after_due)s::timestamptz, %(after_id)s::bigint)
      AND (m.in_doubt_since IS NULL OR m.route = %(route)s
           AND m.in_doubt_since > clock_timestamp() - make_interval(secs => %(window_s)s))
    ORDER BY {DUE_FROM_SQL}, m.id LIMIT %(window)s
),
ranked AS (SELECT id, due, grp, row_number() OVER (PARTITION BY grp ORDER BY due, id) AS rank FROM looked),
last AS (SELECT due::text, id FROM looked ORDER BY looked.due DESC, id DESC LIMIT 1),
chosen AS (
    SELECT ranked.id FROM ranked
    LEFT JOIN unnest(%(limited)s::text[], %(budgets)s::int[]) AS left_over(name, n) ON left_over.name = ranked.grp
    WHERE ranked.grp IS NULL OR ranked.rank <= left_over.n
    ORDER BY ranked.due, ranked.id LIMIT %(size)s
),
waiting AS (
    SELECT id FROM campaigns_message WHERE id IN (SELECT id FROM chosen) AND status = 'queued'
    FOR UPDATE SKIP LOCKED
),
taken AS (
    UPDATE campaigns_message m
    SET status = 'claimed', claimed_by = %(worker)s, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
    FROM waiting, campaigns_campaign p
    WHERE m.id = waiting.id AND p.id = m.campaign_id AND p.status = 'sending'
    RETURNING m.id, m.campaign_id, m.step, m.customer_id, m.entry, m.variant_id, m.attempts,
              CASE WHEN m.in_doubt_since IS NOT NULL THEN m.slots END AS kept_slots
)
SELECT (SELECT due FROM last), (SELECT id FROM last), (SELECT count(*) FROM looked), (SELECT json_agg(taken) FROM taken)
"""
