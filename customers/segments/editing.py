"""Saving a segment: the rule as it is now, and a revision that keeps it as it was saved."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from customers.models import AuditAction, Segment, SegmentRevision, record_audit

from .archiving import SegmentIsArchived, hold_names
from .nodes import Membership
from .proposed import ProposedBy, read_proposal
from .resolve import resolve_memberships
from .rules import dump_rule, parse_rule, read_gently, walk


@transaction.atomic
def save_segment(
    user: User | AnonymousUser,
    *,
    name: str,
    rule: Any,
    now: dt.datetime,
    description: str = "",
    segment: Segment | None = None,
    proposal: str = "",
) -> Segment:
    """Create or change a segment. Saving the same rule again makes no new revision. With the signed `proposal` that the rule
    began as, its revision and the audit say which model proposed it, and whether it was changed before.

    Raises RuleError for a rule that cannot be used, SegmentIsArchived, PermissionDenied without the right.
    """
    right = "customers.change_segment" if segment else "customers.add_segment"
    if not isinstance(user, User) or not user.has_perm(right):
        raise PermissionDenied(right)
    parsed = parse_rule(rule)
    if any(isinstance(part, Membership) for _path, part in walk(parsed)):
        hold_names()  # two that are to name each other at the same moment would each find the other as it was
    resolve_memberships(parsed, own=segment.pk if segment else None)
    kept = Segment.objects.select_for_update(no_key=True).filter(pk=segment.pk).first() if segment else None
    if kept is not None and kept.is_archived:
        raise SegmentIsArchived
    segment = kept or Segment(created_by=user, number=0)
    is_kept = segment.number > 0 and segment.revisions.filter(number=segment.number).exists()
    is_new_rule = not is_kept or read_gently(segment.rule).rule != parsed
    tree = dump_rule(parsed)
    segment.name, segment.description = name.strip(), description.strip()
    segment.rule = tree if is_new_rule else segment.rule
    segment.number += is_new_rule
    segment.save()
    by = read_proposal(proposal, tree) if is_new_rule else None
    if is_new_rule:
        _keep_revision(segment, tree, user, now, by)
    told = {"proposed_by": by.model, "prompt": by.prompt, "call": by.call, "is_changed": by.is_changed} if by else {}
    record_audit(AuditAction.SEGMENT_SAVED, actor=user, about=("segment", segment.pk), revision=segment.number, **told)
    return segment


def _keep_revision(segment: Segment, tree: Any, user: User, now: dt.datetime, by: ProposedBy | None) -> None:
    revision = SegmentRevision(segment=segment, number=segment.number, rule=tree, saved_by=user, saved_at=now)
    if by is not None:
        revision.proposed_by, revision.proposed_with = by.model[:200], by.prompt[:80]
        revision.proposal_call, revision.is_proposal_changed = UUID(by.call), by.is_changed
    revision.save(force_insert=True)
