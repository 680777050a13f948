"""Threads of a review: begun beside a text or a part, answered, resolved, opened again. They change no state of a campaign.

Every function checks the right and takes the campaign's row lock. Raises PermissionDenied, TransitionConflict, NotReady.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.audience.archetypes import label_archetype
from campaigns.content.channels import find_writer
from campaigns.models import Campaign, CommentPlace, ReviewComment, TransitionConflict, Variant

from . import policy
from .policy import NotReady

#: A reviewer who needs more words than this should talk.
LONGEST_COMMENT: Final = 2000
LONGEST_QUOTE: Final = 500


@transaction.atomic
def start_thread(
    user: User,
    campaign: Campaign,
    *,
    body: str,
    place: str = CommentPlace.CAMPAIGN,
    variant: Variant | None = None,
    field: str = "",
    quote: str = "",
    now: dt.datetime,
) -> ReviewComment:
    """Begin a thread. About a text it may name one of its fields and quote words of it, which must stand there now."""
    _lock(campaign)
    policy.may_comment(user, campaign).enforce()
    place = CommentPlace.TEXT if variant is not None else CommentPlace(place)
    if place == CommentPlace.TEXT and variant is None:
        raise NotReady([_("Say which text the comment is about.")])
    return ReviewComment.objects.create(
        campaign=campaign,
        place=place,
        variant=variant,
        about=_name_text(variant) if variant is not None else "",
        field=field,
        quote=_check_quote(campaign, variant, field, quote),
        seen_hash=variant.content_hash if variant is not None else "",
        body=_check_body(body),
        author=user,
        created_at=now,
    )


@transaction.atomic
def reply(user: User, thread: ReviewComment, *, body: str, now: dt.datetime) -> ReviewComment:
    """Answer in a thread. A thread that was resolved is open again: whoever answers is not done."""
    _lock(thread.campaign)
    policy.may_comment(user, thread.campaign).enforce()
    if thread.parent_id is not None:
        raise TransitionConflict(_("This is an answer; answer the comment that it answers."))
    answer = ReviewComment.objects.create(
        campaign=thread.campaign, parent=thread, place=thread.place, body=_check_body(body), author=user, created_at=now
    )
    ReviewComment.objects.filter(pk=thread.pk).update(resolved_at=None, resolved_by=None)
    thread.refresh_from_db()
    return answer


@transaction.atomic
def resolve(user: User, thread: ReviewComment, *, now: dt.datetime) -> ReviewComment:
    """Say that a thread is done. TransitionConflict where it was already."""
    _lock(thread.campaign)
    policy.may_comment(user, thread.campaign).enforce()
    is_done = ReviewComment.objects.open_threads().filter(pk=thread.pk).update(resolved_at=now, resolved_by=user)
    if not is_done:
        raise TransitionConflict(_("This comment was resolved already."))
    thread.refresh_from_db()
    return thread


@transaction.atomic
def reopen(user: User, thread: ReviewComment, *, now: dt.datetime) -> ReviewComment:
    """Open a resolved thread again. TransitionConflict where it is open."""
    _lock(thread.campaign)
    policy.may_comment(user, thread.campaign).enforce()
    resolved = ReviewComment.objects.threads().filter(pk=thread.pk, resolved_at__isnull=False)
    if not resolved.update(resolved_at=None, resolved_by=None):
        raise TransitionConflict(_("This comment is open."))
    thread.refresh_from_db()
    return thread


def count_open(campaign: Campaign) -> int:
    """How many threads of a campaign are open."""
    return ReviewComment.objects.open_threads().filter(campaign=campaign).count()


def still_stands(thread: ReviewComment) -> bool | None:
    """Whether the quoted words still stand where they stood; None where nothing was quoted. Needs `variant` loaded."""
    if not thread.quote:
        return None
    if thread.variant is None:
        return False
    fields = [thread.field] if thread.field else find_writer(thread.variant.archetype.channel).parts
    return any(thread.quote in getattr(thread.variant, name) for name in fields)


def _lock(campaign: Campaign) -> None:
    if not Campaign.objects.select_for_update().filter(pk=campaign.pk).exists():
        raise TransitionConflict(_("This campaign no longer exists."))
    campaign.refresh_from_db()


def _name_text(variant: Variant) -> str:
    """What the text is called, for the day on which it is gone."""
    step = f" {variant.step}" if variant.step > 1 else ""
    return f"{label_archetype(variant.archetype)}{step} {variant.label}"[:300]


def _check_body(body: str) -> str:
    body = body.strip()
    if not body:
        raise NotReady([_("Write what you want to say.")])
    if len(body) > LONGEST_COMMENT:
        raise NotReady([_("At most %(n)d characters.") % {"n": LONGEST_COMMENT}])
    return body


def _check_quote(campaign: Campaign, variant: Variant | None, field: str, quote: str) -> str:
    quote = quote.strip()
    if variant is None:
        if field or quote:
            raise NotReady([_("Only a text can be quoted.")])
        return ""
    if variant.archetype.campaign_id != campaign.pk:
        raise NotReady([_("This text is of another campaign.")])
    parts = find_writer(variant.archetype.channel).parts
    if field and field not in parts:
        raise NotReady([_("This text has no such part.")])
    if len(quote) > LONGEST_QUOTE:
        raise NotReady([_("Quote at most %(n)d characters.") % {"n": LONGEST_QUOTE}])
    if quote and not any(quote in getattr(variant, name) for name in ([field] if field else parts)):
        raise NotReady([_("The quoted words do not stand in this text. Look at it again.")])
    return quote
