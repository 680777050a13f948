"""The Policies page: what the shop promises to everybody, how many texts say so, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.voice import restore_policies, save_policies
from campaigns.content.policies import LONGEST_SENTENCE, MOST_SENTENCES, Use, count_policy_claims, read_policies
from campaigns.models import ShopPolicies, TransitionConflict
from customers.views.access import current_user

from .revisions import (
    describe_history,
    list_languages,
    read_language,
    read_number,
    restore_revision,
    tell_saved,
    write_lines,
)

RIGHT: Final = "campaigns.add_shoppolicies"
EMPTY_ROWS: Final = 3


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.view_shoppolicies", raise_exception=True)
def show_policies(request: HttpRequest) -> HttpResponse:
    """Read and save the sentences of one language (?lang=), a row each; an emptied row is a promise taken back."""
    language, saved = read_language(request), read_policies()
    base = saved.number if saved else 0
    sentences = list(saved.texts.get(language, [])) if saved else []
    errors: list[str] = []
    status = 200
    if request.method == "POST":
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied(_("Your role does not allow this."))
        sentences = request.POST.getlist("sentence")[: 2 * MOST_SENTENCES]
        base = read_number(request.POST.get("base", ""))
        status, errors = _save(request, language, sentences, base)
        if status == 302:
            return redirect(f"{reverse('campaigns:policies')}?lang={language}")
        base = _newest_number() if status == 409 else base
    context = {
        "language": language,
        "languages": list_languages(),
        "saved": saved,
        "base": base,
        "errors": errors,
        "rows": _describe_rows(sentences),
        "note": request.POST.get("note", ""),
        "may_edit": request.user.has_perm(RIGHT),
        "longest": LONGEST_SENTENCE,
    }
    return render(request, "campaigns/policies.html", context, status=status)


@require_safe
@permission_required("campaigns.view_shoppolicies", raise_exception=True)
def show_history(request: HttpRequest) -> HttpResponse:
    """Every version with who saved it, and the difference of two, word by word."""
    context = describe_history(request, ShopPolicies, _newest_number(), _describe_parts) | {
        "may_edit": request.user.has_perm(RIGHT),
        "title": _("Policies"),
        "home": "campaigns:policies",
        "restoration": "campaigns:policies-restoration",
    }
    return render(request, "campaigns/revisions.html", context)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Make older policies the newest again."""
    user, base, now = current_user(request), read_number(request.POST.get("base", "")), timezone.now()
    return restore_revision(
        request, lambda: restore_policies(user, number, base=base, now=now), "campaigns:policies-history"
    )


def _save(request: HttpRequest, language: str, sentences: Sequence[str], base: int) -> tuple[int, list[str]]:
    """302 where they are saved; else the status of the page, and what is to be said."""
    note = request.POST.get("note", "")
    try:
        saved = save_policies(
            current_user(request), {language: list(sentences)}, base=base, note=note, now=timezone.now()
        )
    except TransitionConflict as error:
        return 409, [str(error)]
    except ValidationError as error:
        return 422, list(error.messages)
    tell_saved(request, saved)
    return 302, []


def _describe_rows(sentences: Sequence[str]) -> list[dict[str, Any]]:
    """Each sentence with the texts that claim it, and some empty rows to be filled."""
    uses = count_policy_claims()
    rows: list[dict[str, Any]] = [{"sentence": one, "use": uses.get(one, Use())} for one in sentences if one.strip()]
    empty = min(EMPTY_ROWS, MOST_SENTENCES - len(rows))
    return rows + [{"sentence": "", "use": None, "is_first": not number} for number in range(empty)]


def _newest_number() -> int:
    newest = read_policies()
    return newest.number if newest is not None else 0


def _describe_parts(sentences: Any) -> dict[str, str]:
    return {_("What we promise"): write_lines(sentences or [])}
