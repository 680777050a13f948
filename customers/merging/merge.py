"""Makes one customer a part of another: everything of both under one row, and everything kept that undoing needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import structlog
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from customers.ingest.copying import Cursor
from customers.models import AuditAction, Customer, CustomerAlias, CustomerMerge, MergeSuggestion, record_audit
from customers.models.customer import MERGED_SOURCE

from . import details, moving
from .consents import write_consents, write_tracking
from .locking import retry_until_free
from .plan import Plan, plan_merge

log = structlog.get_logger(__name__)


def merge_customers(
    loser: int,
    survivor: int,
    *,
    reason: str,
    actor: User | None,
    now: dt.datetime,
    note: str = "",
) -> CustomerMerge:
    """Make `loser` a part of `survivor`, in a transaction of its own: all of it or nothing.

    Orders, events, consents and whatever else follows stands under the survivor; campaigns keep the rows of both; scores and
    interests of both go, and are worked out anew. What comes later for the loser's id lands on the survivor. Raises
    CannotMerge, also where somebody writes to one of the two all the time.
    """
    return retry_until_free(lambda: _merge(loser, survivor, reason=reason, actor=actor, now=now, note=note))


def _merge(loser: int, survivor: int, *, reason: str, actor: User | None, now: dt.datetime, note: str) -> CustomerMerge:
    with connection.cursor() as cursor:
        moving.lock_rows(cursor, loser, survivor)
        plan = plan_merge(loser, survivor, counts=False)
        earlier = CustomerMerge.objects.filter(holder_id=loser, undone_at=None)
        kept = {
            "customer": plan.loser,
            **_combine(cursor, plan, now),
            "tracking": write_tracking(loser, survivor, now=now),
            "worked_out": {
                "loser": moving.take_rows(cursor, loser),
                "survivor": moving.take_rows(cursor, survivor),
            },
        }
        rows, moved = moving.move_rows(cursor, loser, survivor, others=list(earlier.values_list("rows", flat=True)))
        kept["consents"] = write_consents(plan.consents, survivor, now=now)
        earlier.update(holder_id=survivor)
        _leave_row(cursor, plan, survivor, now)
    merge = CustomerMerge.objects.create(
        survivor_id=survivor,
        loser_id=loser,
        holder_id=survivor,
        reason=CustomerMerge.Reason(reason),
        note=note[:200],
        merged_at=now,
        merged_by=actor,
        moved=moved,
        rows=rows,
        kept=kept,
        held={held.channel: dataclasses.asdict(held.holds) for held in plan.consents},
        contaminated=[dataclasses.asdict(found) for found in plan.contaminated],
    )
    MergeSuggestion.objects.filter(Q(first=loser, second=survivor) | Q(first=survivor, second=loser)).update(
        status=MergeSuggestion.Status.MERGED, decided_at=now, decided_by=actor
    )
    record_audit(
        AuditAction.CUSTOMER_MERGED, actor=actor, about=("customer", survivor), merged=loser, merge=merge.pk, why=reason
    )
    log.info("customers_merged", survivor=survivor, loser=loser, rows=sum(moved.values()))
    return merge


def _combine(cursor: Cursor, plan: Plan, now: dt.datetime) -> details.JSON:
    """Write what holds into the survivor's row and choices; returns what was written and what stood there before."""
    survivor, kept = plan.survivor["id"], details.JSON()
    if plan.changes:
        written = {**plan.changes, "updated_at": now.isoformat()}
        details.write_row(cursor, Customer._meta.db_table, "id", survivor, written)
        fresh = details.read_customer(cursor, survivor)
        kept |= {
            "written": {name: fresh[name] for name in written},
            "former": {name: plan.survivor[name] for name in written},
        }
    if plan.chosen:
        before = plan.preference
        written = {**plan.chosen, "updated_at": now.isoformat()}
        details.save_preference_row(cursor, survivor, written, is_new=before is None)
        after = details.read_preference_row(cursor, survivor) or {}
        kept["preference"] = {
            "written": {name: after[name] for name in written},
            "former": {name: before[name] for name in written} if before else None,
        }
    return kept


def _leave_row(cursor: Cursor, plan: Plan, survivor: int, now: dt.datetime) -> None:
    """Empty the loser's row, and make its key one of the survivor's."""
    loser = plan.loser["id"]
    Customer.objects.filter(pk=loser).empty(MERGED_SOURCE, uuid.uuid4().hex)
    CustomerAlias.objects.create(
        customer_id=survivor,
        source=plan.loser["source"],
        external_id=plan.loser["external_id"],
        merged_at=now,
        merged_by="merge",
        came_as=loser,
    )
