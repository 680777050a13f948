"""The public preference centre and "Why did I get this?", in the customer's language: GET shows, POST acts, no log-in."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.audience.topics import list_topics
from campaigns.content.voice import LANGUAGES
from campaigns.delivery import preferences
from campaigns.delivery.own_data.asking import NAMES, waiting_kinds
from campaigns.delivery.preferences import FEWER, PAUSES_DAYS, Choices, Standing, read_standing, save_choices
from campaigns.delivery.unsubscribe import BadToken, read_token
from campaigns.delivery.why import explain_message
from customers.api.counting import count_within
from customers.models import Channel, ConsentRecord, PrivacyRequest

#: What each change of a consent says to the person who made it.
_SAID: Final[dict[str, Promise]] = {
    ConsentRecord.Status.GIVEN: gettext_lazy("You agreed"),
    ConsentRecord.Status.WITHDRAWN: gettext_lazy("You took it back"),
    ConsentRecord.Status.PENDING: gettext_lazy("You asked for it, and did not confirm yet"),
    ConsentRecord.Status.EXPIRED: gettext_lazy("It ended by itself, because it was not used"),
}
#: So many wishes for data in ten minutes of one person.
MOST_ASKED: Final = 10
ASKED_WINDOW_S: Final = 600
#: Where that was; what a shop calls its own forms is shown as it calls them.
_WHERE: Final[dict[str, Promise]] = {
    "preferences": gettext_lazy("on this page"),
    "page": gettext_lazy("on the unsubscribe page"),
    "unsubscribe": gettext_lazy("on the unsubscribe page"),
    "one-click": gettext_lazy("by the button of your mail program"),
    "checkout": gettext_lazy("at the checkout"),
    "sign-up form": gettext_lazy("in our sign-up form"),
    "reply": gettext_lazy("by your answer to a message"),
    "provider": gettext_lazy("as your mail provider told us"),
}


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What comes, how often, and what may be done with what is known. Fetching it changes nothing."""
    try:
        standing = read_standing(token)
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(standing.interface_language):
        if standing.customer is None:
            return render(request, "campaigns/preferences.html", _describe(request, token, standing))
        if request.method == "POST":
            save_choices(token, _read_form(request.POST), now=timezone.now())
            with translation.override(read_standing(token).interface_language):
                messages.success(request, _("Saved. It holds from now on."))
            return redirect("campaigns:preferences", token)
        return render(request, "campaigns/preferences.html", _describe(request, token, standing))


@login_not_required
@never_cache
@require_POST
def ask_for_data(request: HttpRequest, token: str) -> HttpResponse:
    """A copy of their data, or to be erased: they confirm it by a fresh mail, because this link may have been passed on."""
    kind, by_staff = request.POST.get("kind", ""), "by_staff" in request.POST
    try:
        language = read_standing(token).interface_language
        with translation.override(language):
            if not _is_within(token):
                messages.error(request, _("That was often. Wait ten minutes, and ask once more."))
            elif kind in PrivacyRequest.Kind.values:
                asked = preferences.ask_for_data(token, kind, by_staff=by_staff, now=timezone.now())
                messages.success(request, _say_what_is_next(asked))
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    return redirect("campaigns:preferences", token)


def _say_what_is_next(asked: PrivacyRequest | None) -> str:
    if asked is not None and asked.status == PrivacyRequest.Status.WAITING:
        return _("A mail with a link is on its way to the address that we have. Confirm there that it was you.")
    return _("We have noted it. Within 30 days you will hear from us.")


def _is_within(token: str) -> bool:
    """Whether so few asked for this person in the last ten minutes. Behind a proxy all have one network address, and nobody has
    the links of others: so it counts people."""
    return count_within(f"campaigns.views.preferences:{read_token(token).customer_id}", ASKED_WINDOW_S) <= MOST_ASKED


@login_not_required
@never_cache
@require_safe
def show_why(request: HttpRequest, token: str) -> HttpResponse:
    """Why this person got this message, from what is stored."""
    try:
        language = read_standing(token).interface_language
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(language):
        context = {"why": explain_message(token, now=timezone.now()), "token": token, **_shop()}
        return render(request, "campaigns/why.html", context)


def _read_form(form: QueryDict) -> Choices:
    """What was ticked. A number that the page does not offer counts as none chosen."""
    fewer, pause = form.get("most_per_month", ""), form.get("pause", "")
    return Choices(
        channels=form.getlist("channel"),
        topics=form.getlist("topic"),
        most_per_month=next((most for most in FEWER if most and fewer == str(most)), None),
        pause_days=next((days for days in (0, *PAUSES_DAYS) if pause == str(days)), None),
        may_profile="may_profile" in form,
        allows_tracking="allows_tracking" in form,
        language=form.get("language", ""),
    )


def _describe(request: HttpRequest, token: str, standing: Standing) -> dict[str, Any]:
    kept, now = standing.preference, timezone.now()
    paused_until = kept.paused_until if kept and kept.paused_until and kept.paused_until > now else None
    off = set(kept.topics_off) if kept else set()
    return {
        **_shop(),
        "token": token,
        "is_known": standing.customer is not None,
        "channels": [(key, Channel(key).label, is_on) for key, is_on in standing.channels.items()],
        "topics": [(key, name, meaning, key not in off) for key, name, meaning in list_topics()],
        "fewer": [(most or "", _name_most(most), most == (kept.most_per_month if kept else None)) for most in FEWER],
        "pauses": PAUSES_DAYS,
        "paused_until": paused_until,
        "may_profile": kept is None or kept.objects_to_profiling_at is None,
        "allows_tracking": standing.allows_tracking,
        "languages": _list_languages(standing.customer.language) if standing.customer else [],
        "waiting": [(kind, NAMES[kind]) for kind in waiting_kinds(standing.customer)] if standing.customer else [],
        "consents": [_tell_consent(row) for row in preferences.list_consents(standing.customer)]
        if standing.customer
        else [],
    }


def _list_languages(theirs: str) -> list[tuple[str, str, bool]]:
    """Those in which texts are written, each in its own words; one of theirs that is not among them stays unless they choose."""
    short = theirs.lower()[:2]
    known = [(code, _name_language(code), code == short) for code in LANGUAGES]
    return known if short in LANGUAGES or not theirs else [("", _name_language(short), True), *known]


def _name_language(code: str) -> str:
    try:
        return str(get_language_info("zh-hans" if code == "zh" else code)["name_local"])
    except KeyError:
        return code


def _tell_consent(row: ConsentRecord) -> dict[str, Any]:
    """One change of what they agreed to: the channel, what was said, when, where, and the very words where they are kept."""
    proof = row.proof if isinstance(row.proof, dict) else {}
    is_bought = row.legal_basis == ConsentRecord.LegalBasis.EXISTING_CUSTOMER and row.status == row.Status.GIVEN
    return {
        "channel": Channel(row.channel).label if row.channel in Channel.values else row.channel,
        "status": row.status,
        "said": _("You bought from us and did not object") if is_bought else _SAID.get(row.status, row.status),
        "at": row.recorded_at,
        "where": _WHERE.get(str(proof.get("by"))) or _WHERE.get(row.source, row.source),
        "wording": str(proof.get("wording") or "")[:1000],
    }


def _name_most(most: int | None) -> str:
    if most is None:
        return _("As it comes")
    return ngettext("At most %(n)d a month", "At most %(n)d a month", most) % {"n": most}


def _shop() -> dict[str, str]:
    return {"shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL}
