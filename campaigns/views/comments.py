"""Threads beside the texts and on Review: begun, answered, resolved, opened again. Each a noun to POST to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from campaigns.approval import comments, policy
from campaigns.content.channels import find_writer
from campaigns.models import Campaign, CommentPlace, ReviewComment, Variant
from customers.views.access import current_user

from .access import get_campaign_for, read_id


@dataclass(frozen=True)
class Thread:
    """A thread as a page shows it. `stands`: whether the quoted words still stand there, None where none were quoted."""

    row: ReviewComment
    replies: list[ReviewComment]
    field: str
    stands: bool | None


FIELD_LABELS = {
    "subject": gettext_lazy("Subject"),
    "preheader": gettext_lazy("Preheader"),
    "opening": gettext_lazy("Opening"),
    "story": gettext_lazy("Longer part"),
    "invitation": gettext_lazy("Invitation"),
    "button_label": gettext_lazy("Button"),
}


@require_POST
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a thread about a text, a part, or the campaign."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    asked = request.POST
    variant = _find_variant(campaign, asked.get("variant", ""))
    place = asked.get("place", CommentPlace.CAMPAIGN)
    if place not in CommentPlace.values:
        raise Http404

    def act() -> None:
        comments.start_thread(
            user, campaign, body=asked.get("body", ""), place=place, variant=variant, field=asked.get("field", ""),
            quote=asked.get("quote", ""), now=now,
        )  # fmt: skip

    return _carry_out(request, campaign, act, _("Your comment stands beside it."))


@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer in a thread; one that was resolved is open again."""
    thread, user, now = get_thread_for(request.user, pk), current_user(request), timezone.now()
    body = request.POST.get("body", "")
    return _carry_out(
        request, thread.campaign, lambda: comments.reply(user, thread, body=body, now=now), _("Answered.")
    )


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a thread is done."""
    thread, user, now = get_thread_for(request.user, pk), current_user(request), timezone.now()
    return _carry_out(request, thread.campaign, lambda: comments.resolve(user, thread, now=now), _("Resolved."))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a resolved thread again."""
    thread, user, now = get_thread_for(request.user, pk), current_user(request), timezone.now()
    return _carry_out(request, thread.campaign, lambda: comments.reopen(user, thread, now=now), _("It is open again."))


def get_thread_for(user: Any, pk: int) -> ReviewComment:
    """A thread with its campaign; PermissionDenied without the right to see campaigns, Http404 where there is none."""
    thread = ReviewComment.objects.threads().filter(pk=pk).first()
    get_campaign_for(user, thread.campaign_id if thread is not None else 0)
    return get_object_or_404(ReviewComment.objects.threads().select_related("campaign", "variant__archetype"), pk=pk)


def describe_threads(user: User, campaign: Campaign) -> dict[str, Any]:
    """The threads of a campaign, by text, by part, and those whose text is gone; two queries. `comment_back` is for forms."""
    found = ReviewComment.objects.threads().filter(campaign=campaign).order_by("pk")
    threads = [
        Thread(
            thread, list(thread.replies.all()), str(FIELD_LABELS.get(thread.field, "")), comments.still_stands(thread)
        )
        for thread in found.select_related("author", "resolved_by", "variant__archetype").prefetch_related(
            "replies__author"
        )
    ]
    by_text: dict[int, list[Thread]] = defaultdict(list)
    elsewhere = []
    for thread in threads:
        if thread.row.variant_id is not None:
            by_text[thread.row.variant_id].append(thread)
        else:
            elsewhere.append(thread)
    return {
        "threads": threads,
        "threads_by_text": dict(by_text),
        "threads_elsewhere": elsewhere,
        "open_threads": sum(thread.row.is_open for thread in threads),
        "comment_decision": policy.may_comment(user, campaign),
        "comment_places": [(value, label) for value, label in CommentPlace.choices if value != CommentPlace.TEXT],
    }


def hang_threads(cards: list[dict[str, Any]], by_text: dict[int, list[Thread]]) -> None:
    """Give every text of the cards its `threads`, the number of those that are open, and the parts that may be named."""
    for card in cards:
        for variant in card["variants"]:
            variant.archetype = card["archetype"]
            hang_threads_on(variant, by_text)


def hang_threads_on(variant: Any, by_text: dict[int, list[Thread]]) -> None:
    """The same for one text, whose archetype is loaded."""
    variant.threads = by_text.get(variant.pk, [])
    variant.open_threads = sum(thread.row.is_open for thread in variant.threads)
    variant.comment_fields = list_fields(variant)


def list_fields(variant: Variant) -> list[tuple[str, str]]:
    """The slots of a text that a comment may name."""
    return [
        (name, str(FIELD_LABELS[name])) for name in find_writer(variant.archetype.channel).parts if name in FIELD_LABELS
    ]


def _find_variant(campaign: Campaign, text: str) -> Variant | None:
    if not text:
        return None
    found = Variant.objects.select_related("archetype").filter(archetype__campaign=campaign)
    return get_object_or_404(found, pk=read_id(text))


def _carry_out(request: HttpRequest, campaign: Campaign, act: Callable[[], Any], done: str) -> HttpResponse:
    """Do it and go back to where the form stood, which is a path of this site or the Review page."""
    try:
        act()
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, done)
    back = request.POST.get("back", "")
    if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect(back)
    return redirect("campaigns:review-campaign", campaign.pk)
