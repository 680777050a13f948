"""What the pages of voice and policies share: the language that is shown, the history, and the difference of two versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.approval.voice import Saved
from campaigns.content.voice import LANGUAGES
from campaigns.models import BrandVoice, ShopPolicies

ROWS_PER_PAGE: Final = 20
LANGUAGE_NAMES: Final = {"en": gettext_lazy("English"), "zh": gettext_lazy("Chinese")}
#: Name of a part, words before, words after.
Change = tuple[str, str, str]


def read_language(request: HttpRequest) -> str:
    """The language that the page shows: ?lang=zh, else the first."""
    chosen = request.GET.get("lang", "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def read_number(text: str, default: int = 0) -> int:
    """The number of a revision as a page sends it."""
    return int(text) if text.isdecimal() and len(text) < 10 else default


def list_languages() -> list[tuple[str, str]]:
    """Code and name of each language, for the tabs."""
    return [(code, str(LANGUAGE_NAMES[code])) for code in LANGUAGES]


def describe_history(
    request: HttpRequest,
    model: type[BrandVoice] | type[ShopPolicies],
    newest: int,
    describe: Callable[[Any], Mapping[str, str]],
) -> dict[str, Any]:
    """The page of a history: every version with who saved it, and the difference of two, word by word.

    `describe` gives the texts of a language by the names of its parts.
    """
    before, after = _pick_two(request, model, newest)
    old = before.texts if before else {}
    return {
        "page": _page_revisions(request, model),
        "newest": newest,
        "before": before,
        "after": after,
        "changes": _list_changes(old, after.texts, describe) if after else [],
    }


def write_lines(entries: Sequence[str]) -> str:
    """Entries one to a line. The last has its end too, or one more entry would look like a change of the one before."""
    return "".join(f"{entry}\n" for entry in entries)


def tell_saved(request: HttpRequest, saved: Saved[Any]) -> None:
    """Say what a new revision did, and name the campaigns that went back."""
    checked = ngettext(
        "v%(number)d is saved. %(n)d text that is not sent yet was checked again.",
        "v%(number)d is saved. %(n)d texts that are not sent yet were checked again.",
        saved.checked,
    ) % {"number": saved.revision.number, "n": saved.checked}
    blocked = ngettext("%(n)d of them is blocked.", "%(n)d of them are blocked.", saved.blocked) % {"n": saved.blocked}
    messages.success(request, f"{checked} {blocked}" if saved.blocked else checked)
    for campaign in saved.returned:
        told = _("“%(name)s” went back to draft: one of its texts is blocked now.") % {"name": campaign.name}
        messages.warning(request, told)


def restore_revision(request: HttpRequest, act: Callable[[], Saved[Any]], page: str) -> HttpResponse:
    """Restore, say what it did, and show the history; what there is to say against it becomes a sentence there."""
    try:
        tell_saved(request, act())
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    return redirect(page)


def _page_revisions(request: HttpRequest, model: type[BrandVoice] | type[ShopPolicies]) -> Page[Any]:
    """The revisions, newest first, with who saved them; their texts are not read."""
    found = model._default_manager.select_related("saved_by").defer("texts").order_by("-number")
    return Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))


def _pick_two(
    request: HttpRequest, model: type[BrandVoice] | type[ShopPolicies], newest: int
) -> tuple[Any | None, Any | None]:
    """The two revisions to be compared, ?from= and ?to=; the newest with the one before it unless others are asked for."""
    last = read_number(request.GET.get("to", ""), newest)
    first = read_number(request.GET.get("from", ""), last - 1)
    found = {row.number: row for row in model._default_manager.filter(number__in=[first, last])}
    return found.get(first), found.get(last)


def _list_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], describe: Callable[[Any], Mapping[str, str]]
) -> list[tuple[str, Sequence[Change]]]:
    """By language, the parts that differ; `describe` gives the texts of a language by the names of its parts."""
    changes: list[tuple[str, Sequence[Change]]] = []
    for code, name in list_languages():
        old, new = describe(before.get(code)), describe(after.get(code))
        differing = [(part, old[part], new[part]) for part in new if old[part] != new[part]]
        if differing:
            changes.append((name, differing))
    return changes
