"""Categories that answer by themselves: switching them on with a confirmed notice, off, and stopping all of them at once."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.views.access import act_and_tell, current_user
from llm.configuration import configured_model
from support.answers import switching
from support.answers.figures import UNCHANGED_AT, share
from support.models import Answer, AnswerStatus, AutomaticAnswer, AutomaticCategory, AutomaticStop, Topic

from .access import carry_out, get_ticket_for

DAYS: Final = 90


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]  # it cannot be subscripted at run time
    """The settings of a category, and the tick that its notice was read."""

    confirmed = forms.BooleanField(
        label=gettext_lazy("I have read both notices. They say what the law of our customers asks for."), required=False
    )

    class Meta:
        model = AutomaticCategory
        fields = ("least_sureness", "sample_share", "most_per_hour", "most_per_day", "notice_en", "notice_zh")
        widgets = {name: forms.Textarea(attrs={"rows": 4}) for name in ("notice_en", "notice_zh")}
        help_texts = {
            "least_sureness": gettext_lazy("0.5 to 1: below it a person answers."),
            "sample_share": gettext_lazy("0.05 to 1: this share is put before people afterwards."),
        }


@require_safe
@permission_required("support.view_answer", raise_exception=True)
def show_automatic(request: HttpRequest) -> HttpResponse:
    """Every category, with what people made of its suggestions, and what was sent by itself."""
    since = timezone.now() - dt.timedelta(days=DAYS)
    stop = AutomaticStop.objects.select_related("changed_by").order_by("-pk").first()
    context = {
        "days": DAYS,
        "rows": _list_categories(since),
        "is_any_on": AutomaticCategory.objects.filter(is_on=True).exists(),
        "stop": stop if stop and stop.is_stopped else None,
        "may_switch": request.user.has_perm(switching.RIGHT),
        "may_stop": request.user.has_perm("support.answer_ticket"),
        "has_model": configured_model().is_configured,
    }
    return render(request, "support/automatic.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(switching.RIGHT, raise_exception=True)
def edit_category(request: HttpRequest, topic: str) -> HttpResponse:
    """The settings and the notice of one category; sending the form switches it on."""
    if topic not in Topic.values:
        raise Http404(topic)
    kept = AutomaticCategory.objects.filter(topic=topic).first()
    first = {"notice_en": switching.NOTICES["en"], "notice_zh": switching.NOTICES["zh"]}
    form = CategoryForm(request.POST or None, instance=kept, initial=first if kept is None else None)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        is_confirmed = bool(told.pop("confirmed"))
        try:
            switching.switch_on(current_user(request), topic, told, is_confirmed=is_confirmed, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            return redirect("support:automatic")
    context = {"form": form, "name": Topic(topic).label, "topic": topic, "is_on": bool(kept and kept.is_on)}
    return render(request, "support/automatic_category.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@permission_required(switching.RIGHT, raise_exception=True)
def switch_off(request: HttpRequest, topic: str) -> HttpResponse:
    user = current_user(request)
    act_and_tell(
        request, lambda: switching.switch_off(user, topic, now=timezone.now()), _("People answer this category again.")
    )
    return redirect("support:automatic")


@require_POST
@permission_required("support.view_answer", raise_exception=True)
def stop(request: HttpRequest) -> HttpResponse:
    """Stop every automatic answer at once."""
    user = current_user(request)
    act_and_tell(
        request,
        lambda: switching.stop_all(user, now=timezone.now()),
        _("Stopped: from now on people answer everything."),
    )
    return redirect("support:automatic")


@require_POST
@permission_required(switching.RIGHT, raise_exception=True)
def resume(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    act_and_tell(
        request, lambda: switching.let_go(user, now=timezone.now()), _("The categories that are on answer again.")
    )
    return redirect("support:automatic")


@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """What a person found of an automatic answer."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    automatic = AutomaticAnswer.objects.filter(ticket=ticket).first()
    if automatic is None:
        raise Http404
    verdict, remark = request.POST.get("verdict", ""), request.POST.get("remark", "")
    return carry_out(
        request,
        ticket,
        lambda: switching.check_answer_sent(user, automatic, verdict, remark, now=timezone.now()),
        _("Thank you. It counts on the page about quality."),
    )


@require_POST
def note_people_only(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer told somebody that they want no automated answers, or wants them again."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    customer, wanted = ticket.customer, request.POST.get("wanted") == "1"
    if customer is None:
        raise Http404
    return carry_out(
        request,
        ticket,
        lambda: switching.want_people_only(customer, wanted=wanted, user=user, now=timezone.now()),
        _("Saved."),
    )


def measure_automatic(since: dt.datetime) -> dict[str, dict[str, Any]]:
    """What was sent by itself since then, by topic: how many, how many checked and good with the interval, who answered back."""
    checked = ~Q(verdict="")
    rows = (
        AutomaticAnswer.objects.filter(sent_at__gte=since)
        .values("topic")
        .annotate(
            sent=Count("pk"),
            to_check=Count("pk", filter=Q(is_sampled=True, verdict="")),
            checked=Count("pk", filter=checked),
            good=Count("pk", filter=Q(verdict="good")),
            wrong=Count("pk", filter=Q(verdict="wrong")),
            back=Count("pk", filter=Q(answered_back_at__isnull=False) | Q(person_wanted_at__isnull=False)),
        )
        .order_by("topic")
    )
    return {row["topic"]: row | {"good_share": share(row["good"], row["checked"])} for row in rows}


def _list_categories(since: dt.datetime) -> list[dict[str, Any]]:
    kept = {one.topic: one for one in AutomaticCategory.objects.select_related("switched_by")}
    sent, asked = measure_automatic(since), _count_suggestions(since)
    return [
        {
            "topic": value,
            "name": label,
            "category": kept.get(value),
            "sent": sent.get(value),
            "asked": asked.get(value, {"tickets": 0, "decided": 0}),
        }
        for value, label in Topic.choices
    ]


def _count_suggestions(since: dt.datetime) -> dict[str, dict[str, Any]]:
    """What people made of the suggestions of each category: what would speak for switching it on."""
    by_people = Q(automatic=None, decided_at__isnull=False)
    rows = (
        Answer.objects.filter(made_at__gte=since)
        .values("ticket__topic")
        .annotate(
            tickets=Count("pk"),
            decided=Count("pk", filter=by_people & Q(status__in=[AnswerStatus.SENT, AnswerStatus.DISCARDED])),
            unchanged=Count("pk", filter=by_people & Q(status=AnswerStatus.SENT, share_changed__lt=UNCHANGED_AT)),
        )
        .order_by("ticket__topic")
    )
    return {row["ticket__topic"]: row | {"unchanged_share": share(row["unchanged"], row["decided"])} for row in rows}
