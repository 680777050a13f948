"""The page Limits and country rules: what holds a message back, and what the law of each country wants of it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.country_editing import FIELDS, remove_country_rule, save_country_rule
from campaigns.audience.topics import list_topics
from campaigns.models import CountryRule
from customers.views.access import current_user

from .pace import describe_pace

#: In the address, the rule for every country that has none.
OTHERS = "others"


class CountryRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A country's rule; names of the country one to a line."""

    names = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False, label=gettext_lazy("Also called"),
        help_text=gettext_lazy("As your data writes it, one to a line: Germany, Deutschland."),
    )  # fmt: skip

    class Meta:
        model = CountryRule
        fields = FIELDS
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            for name in ("quiet_from", "quiet_until", "sms_quiet_from", "sms_quiet_until")
        }
        help_texts = {
            "subject_prefix": gettext_lazy("Put before the subject of every mail to this country, such as (광고)."),
            "consent_months": gettext_lazy("Older consents no longer count. Empty: for ever."),
            "existing_months": gettext_lazy("How long somebody who bought may be written to without a consent. Empty: for ever."),
            "unused_months": gettext_lazy(
                "A consent that no message went out on for so long lapses, and the lapse is written down. Empty: never."
            ),
            "needs_double_opt_in": gettext_lazy(
                "A new consent by e-mail counts once the person presses the button that we mail them. Where the law asks for"
                " proof of the address, as in Germany."
            ),
            "quiet_from": gettext_lazy("By the customer's own clock. Whoever is due then is written to when it is over."),
            "sms_quiet_from": gettext_lazy("Text messages make a sound at night: give them longer quiet hours. Empty: as above."),
            "note": gettext_lazy("Which law, and who decided it. For your colleagues."),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["names"] = "\n".join(self.instance.names)

    def clean_names(self) -> list[str]:
        return [line.strip()[:80] for line in self.cleaned_data["names"].splitlines() if line.strip()][:40]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for start, end in (("quiet_from", "quiet_until"), ("sms_quiet_from", "sms_quiet_until")):
            if (cleaned.get(start) is None) != (cleaned.get(end) is None):
                self.add_error(end, _("Give both ends, or none."))
        return cleaned


@require_safe
@permission_required("campaigns.view_countryrule", raise_exception=True)
def show_limits(request: HttpRequest) -> HttpResponse:
    """All limits, each with what it does, and the rule of each country."""
    return render(request, "campaigns/limits.html", _describe(request))


@require_POST
@permission_required("campaigns.change_countryrule", raise_exception=True)
def add_country(request: HttpRequest) -> HttpResponse:
    """To the form of a country that has no rule yet."""
    country = request.POST.get("country", "").strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", country):
        messages.error(request, _("Give the two letters of the country, such as DE."))
        return redirect("campaigns:limits")
    return redirect("campaigns:country-rule", country)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.change_countryrule", raise_exception=True)
def edit_country(request: HttpRequest, country: str) -> HttpResponse:
    """One country's rule."""
    if country != OTHERS and not re.fullmatch(r"[A-Z]{2}", country):
        raise Http404
    code = "" if country == OTHERS else country
    kept = CountryRule.objects.filter(country=code).first() or CountryRule(country=code)
    form = CountryRuleForm(request.POST if request.method == "POST" else None, instance=kept)
    if request.method == "POST" and form.is_valid():
        try:
            save_country_rule(current_user(request), code, form.cleaned_data, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("campaigns:limits")
    context = {"form": form, "country": code, "key": country, "is_kept": kept.pk is not None}
    return render(request, "campaigns/country_rule.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("campaigns.change_countryrule", raise_exception=True)
def remove_country(request: HttpRequest, country: str) -> HttpResponse:
    """The country falls under the rule for all others."""
    try:
        remove_country_rule(current_user(request), "" if country == OTHERS else country)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Removed. The rule for all other countries holds there now."))
    return redirect("campaigns:limits")


def _describe(request: HttpRequest) -> dict[str, Any]:
    return {
        "rules": CountryRule.objects.select_related("updated_by").order_by("country"),
        "others": OTHERS,
        "holdout": settings.HOLDOUT_SHARE,
        "topics": list_topics(),
        "address": settings.SHOP_POSTAL_ADDRESS,
        "may_change": request.user.has_perm("campaigns.change_countryrule"),
        **describe_pace(request, now=timezone.now()),
    }
