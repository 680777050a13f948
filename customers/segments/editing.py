"""Saving a segment: the rule as it is now, and a revision that keeps it as it was saved."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from customers.models import AuditAction, Segment, SegmentRevision, record_audit

from .resolve import resolve_memberships
from .rules import dump_rule, parse_rule, read_gently


@transaction.atomic
def save_segment(
    user: User | AnonymousUser,
    *,
    name: str,
    rule: Any,
    now: dt.datetime,
    description: str = "",
    segment: Segment | None = None,
) -> Segment:
    """Create or change a segment. Saving the same rule again makes no new revision.

    Raises RuleError for a rule that cannot be used, PermissionDenied without the right.
    """
    right = "customers.change_segment" if segment else "customers.add_segment"
    if not isinstance(user, User) or not user.has_perm(right):
        raise PermissionDenied(right)
    parsed = parse_rule(rule)
    resolve_memberships(parsed, own=segment.pk if segment else None)
    kept = Segment.objects.select_for_update().filter(pk=segment.pk).first() if segment else None
    segment = kept or Segment(created_by=user, number=0)
    is_kept = segment.number > 0 and segment.revisions.filter(number=segment.number).exists()
    is_new_rule = not is_kept or read_gently(segment.rule).rule != parsed
    tree = dump_rule(parsed)
    segment.name, segment.description = name.strip(), description.strip()
    segment.rule = tree if is_new_rule else segment.rule
    segment.number += is_new_rule
    segment.save()
    if is_new_rule:
        SegmentRevision.objects.create(segment=segment, number=segment.number, rule=tree, saved_by=user, saved_at=now)
    record_audit(AuditAction.SEGMENT_SAVED, actor=user, about=("segment", segment.pk), revision=segment.number)
    return segment
