"""Takes a merge back: each has their own again, and what came since under either id goes to that one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _

from customers.ingest.copying import Cursor
from customers.ingest.preferences import OBJECTION, forget_profile, read_preference
from customers.models import (
    AuditAction,
    ConsentRecord,
    Customer,
    CustomerAlias,
    CustomerMerge,
    MergeSuggestion,
    Preference,
    PreferenceChange,
    TrackingConsent,
    record_audit,
)
from customers.models.consent import forgetting
from customers.models.customer import ERASED_SOURCE, MERGED_SOURCE

from . import details, moving
from .consents import SOURCE, carry_refusals, find_said_as_one
from .locking import retry_until_free
from .plan import CannotMerge

log = structlog.get_logger(__name__)


def undo_merge(merge_id: int, *, actor: User | None, now: dt.datetime) -> CustomerMerge:
    """Take it back, in a transaction of its own. Raises CannotMerge where it was undone or erased before, where the survivor
    is merged into somebody else (that merge goes first), or where somebody writes to one of the two all the time.

    What came under the loser's id since goes to the loser; what came under the survivor's stays there. A no that was said
    meanwhile was said by both. What the merge kept is forgotten.
    """
    return retry_until_free(lambda: _undo(merge_id, actor=actor, now=now))


def why_not_undo(merge: CustomerMerge) -> str:
    """Why it cannot be undone, for staff; "" where it can. No query where the survivor came with the merge."""
    if merge.undone_at is not None:
        return _("It was undone before.")
    if not merge.kept or merge.survivor.source == ERASED_SOURCE:
        return _("The person was erased; nothing is kept that could be given back.")
    if merge.survivor.source == MERGED_SOURCE:
        return _("The customer was merged into another one afterwards. Undo that merge first.")
    return ""


def _undo(merge_id: int, *, actor: User | None, now: dt.datetime) -> CustomerMerge:
    merge = CustomerMerge.objects.get(pk=merge_id)
    loser, survivor = merge.loser_id, merge.holder_id
    with connection.cursor() as cursor:
        moving.lock_rows(cursor, loser, survivor)
        merge = CustomerMerge.objects.select_related("survivor").get(pk=merge_id)
        if reason := why_not_undo(merge):
            raise CannotMerge(reason)
        key = {name: merge.kept["customer"][name] for name in ("source", "external_id")}
        if Customer.objects.filter(**key).exists():
            raise CannotMerge(_("There is another customer with the old id by now."))
        below = _find_below(merge)
        CustomerAlias.objects.filter(**key, is_visitor=False, came_as=loser).delete()
        details.write_row(cursor, Customer._meta.db_table, "id", loser, merge.kept["customer"])
        rows = [merge.rows, *(lower.rows for lower in below)]
        moving.return_rows(cursor, loser, survivor, rows=rows, below=[lower.loser_id for lower in below])
        with forgetting():  # what the merge itself wrote of which answer holds
            ConsentRecord.objects.filter(pk__in=merge.kept["consents"]).delete()
            TrackingConsent.objects.filter(pk__in=merge.kept["tracking"]).delete()
        _return_values(cursor, merge)
        CustomerMerge.objects.filter(pk__in=[lower.pk for lower in below]).update(holder_id=loser)
    carry_refusals(loser, survivor, since=merge.merged_at, now=now)
    _carry_objection(loser, survivor, since=merge.merged_at, now=now)
    CustomerMerge.objects.filter(pk=merge.pk).update(undone_at=now, undone_by=actor, kept={}, rows={})
    merge.refresh_from_db()
    _keep_apart(loser, survivor, actor, now)
    record_audit(AuditAction.MERGE_UNDONE, actor=actor, about=("customer", survivor), merged=loser, merge=merge.pk)
    log.info("merge_undone", survivor=survivor, loser=loser)
    return merge


def _find_below(merge: CustomerMerge) -> list[CustomerMerge]:
    """The merges by which others had become a part of the loser before."""
    standing = list(CustomerMerge.objects.filter(holder_id=merge.holder_id, undone_at=None).exclude(pk=merge.pk))
    below: list[CustomerMerge] = []
    reached = {merge.loser_id}
    while more := [other for other in standing if other.survivor_id in reached and other not in below]:
        below += more
        reached |= {other.loser_id for other in more}
    return below


def _return_values(cursor: Cursor, merge: CustomerMerge) -> None:
    """The survivor's columns, choices and worked-out rows as they were; a later merge into the same survivor takes over what
    it would have to give back in turn."""
    kept, survivor = merge.kept, merge.survivor_id
    later = list(CustomerMerge.objects.filter(survivor_id=survivor, undone_at=None, pk__gt=merge.pk).order_by("pk"))
    moving.take_rows(cursor, survivor)  # worked out of what both did
    moving.put_rows(cursor, kept["worked_out"]["loser"])
    if later:
        _hand_over(kept, [other.kept for other in later])
        CustomerMerge.objects.bulk_update(later, ["kept"])
    else:
        moving.put_rows(cursor, kept["worked_out"]["survivor"])
    present = details.read_customer(cursor, survivor)
    back = details.take_back(present, kept.get("former", {}), kept.get("written", {}))
    details.write_row(cursor, Customer._meta.db_table, "id", survivor, back)
    _return_choices(cursor, survivor, kept.get("preference"))


def _return_choices(cursor: Cursor, survivor: int, kept: Any) -> None:
    present = details.read_preference_row(cursor, survivor)
    if not kept or present is None:
        return
    if kept["former"] is None and all(present[name] == value for name, value in kept["written"].items()):
        Preference.objects.filter(customer_id=survivor).delete()
        return
    former = kept["former"] or {"topics_off": []}
    back = details.take_back(present, former, kept["written"])
    if kept["former"] is None:
        back.pop("updated_at", None)
    details.write_row(cursor, Preference._meta.db_table, "customer_id", survivor, back)


def _hand_over(earlier: details.JSON, later: list[details.JSON]) -> None:
    """What a later merge wrote over values of this one, it now has to take back to what was there before both."""
    later[0]["worked_out"]["survivor"] = earlier["worked_out"]["survivor"]
    _hand_over_values(earlier, later)
    chosen = [kept["preference"] for kept in later if kept.get("preference")]
    if not earlier.get("preference") or not chosen:
        return
    if earlier["preference"]["former"] is None:
        chosen[0]["former"] = None
    else:
        _hand_over_values(earlier["preference"], [kept for kept in chosen if kept["former"] is not None])


def _hand_over_values(earlier: details.JSON, later: list[details.JSON]) -> None:
    """Each column to the first of the later ones that wrote it."""
    for name in earlier.get("former", {}):
        taker = next((kept for kept in later if name in kept.get("written", {})), None)
        if taker is not None:
            former = taker["former"]
            former |= details.take_back(former, {name: earlier["former"][name]}, {name: earlier["written"][name]})


def _carry_objection(loser: int, survivor: int, *, since: dt.datetime, now: dt.datetime) -> None:
    """An objection to profiling that was made while both were one holds for both, and nothing worked out of them comes back."""
    changes = PreferenceChange.objects.filter(changes__has_key=OBJECTION)
    said = find_said_as_one(changes, survivor, since=since)
    if said is None or not said.changes[OBJECTION]:
        return
    objects_at = dt.datetime.fromisoformat(said.changes[OBJECTION])
    for customer in Customer.objects.filter(pk__in=[loser, survivor]):
        if not read_preference(customer).objects_to_profiling_at:
            Preference.objects.update_or_create(customer=customer, defaults={OBJECTION: objects_at, "updated_at": now})
            PreferenceChange.objects.create(
                customer=customer, changes={OBJECTION: said.changes[OBJECTION]}, source=SOURCE, recorded_at=now
            )
        forget_profile(customer)


def _keep_apart(loser: int, survivor: int, actor: User | None, now: dt.datetime) -> None:
    """Nothing merges by itself whom people have parted."""
    first, second = sorted((loser, survivor))
    MergeSuggestion.objects.update_or_create(
        first_id=first,
        second_id=second,
        defaults={"status": MergeSuggestion.Status.APART, "decided_at": now, "decided_by": actor},
        create_defaults={
            "why": MergeSuggestion.Why.STAFF,
            "status": MergeSuggestion.Status.APART,
            "decided_at": now,
            "decided_by": actor,
        },
    )
