"""Putting a segment away that nobody needs any more, and taking it back. Nothing is deleted but who was in it last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, Segment, record_audit

from .membership import list_users

#: So many of those that need a segment are named in a refusal.
MOST_NAMED: Final = 5
#: Held while a segment is saved that names others, or is archived: what one looks at, the other may be about to change.
LOCK: Final = "customers.segments.naming"


@dataclass(frozen=True)
class Use:
    """What needs a segment: another one whose rule names it, or a campaign that is not over, with its state in words."""

    kind: Literal["segment", "campaign"]
    pk: int
    name: str
    state: str = ""

    def __str__(self) -> str:
        if self.kind == "segment":
            return _("the segment “%(name)s”") % {"name": self.name}
        return _("the campaign “%(name)s” (%(state)s)") % {"name": self.name, "state": self.state}


class SegmentInUse(Exception):
    """It is needed, so it cannot be archived. `uses` are those that need it."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(uses)
        self.uses = uses

    def __str__(self) -> str:
        named = ", ".join(map(str, self.uses[:MOST_NAMED]))
        if len(self.uses) > MOST_NAMED:
            named = _("%(named)s and %(n)d more") % {"named": named, "n": len(self.uses) - MOST_NAMED}
        return _("It is still used: %(named)s. Take it out there first.") % {"named": named}


class SegmentIsArchived(Exception):
    """Its rule stays as it is until it is taken back."""

    def __str__(self) -> str:
        return _("This segment is archived. Take it back before you change it.")


ListUses = Callable[[int], Iterable[Use]]
_listers: list[ListUses] = []


def tell_uses(lister: ListUses) -> None:
    """Let an app above say which of its things need the segment of a number."""
    if lister not in _listers:
        _listers.append(lister)


def list_uses(segment: Segment) -> list[Use]:
    """All that needs a segment now."""
    named = [Use("segment", other.pk, other.name) for other in list_users(segment)]
    return [*named, *(use for lister in _listers for use in lister(segment.pk))]


@transaction.atomic
def archive_segment(user: User | AnonymousUser, segment: Segment) -> Segment:
    """No longer offered, counted or listed; its revisions, sizes and who came and went stay. A second time changes nothing.

    Raises SegmentInUse, PermissionDenied without the right.
    """
    return _put(user, segment, is_archived=True)


@transaction.atomic
def restore_segment(user: User | AnonymousUser, segment: Segment) -> Segment:
    """Take it back: the next sweep counts it as for the first time. A second time changes nothing. Raises PermissionDenied."""
    return _put(user, segment, is_archived=False)


def hold_names() -> None:
    """For the rest of this transaction nobody else saves a segment that names others, or archives one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])


def _put(user: User | AnonymousUser, segment: Segment, *, is_archived: bool) -> Segment:
    if not user.has_perm("customers.change_segment"):
        raise PermissionDenied("customers.change_segment")
    hold_names()
    kept = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)  # not waiting for a sweep that counts it
    if kept.is_archived == is_archived:
        return kept
    if is_archived and (uses := list_uses(kept)):
        raise SegmentInUse(uses)
    kept.is_archived = is_archived
    kept.save(update_fields=["is_archived", "updated_at"])
    action = AuditAction.SEGMENT_ARCHIVED if is_archived else AuditAction.SEGMENT_RESTORED
    record_audit(action, actor=user, about=("segment", kept.pk), revision=kept.number)
    return kept
