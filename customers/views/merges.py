"""Merging two customers: the list of merges and suggestions, both side by side, and taking it back."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.merging.merge import merge_customers
from customers.merging.plan import CannotMerge, Plan, plan_merge
from customers.merging.suggesting import keep_apart, list_open
from customers.merging.undo import undo_merge, why_not_undo
from customers.models import Channel, Customer, CustomerMerge, MergeSuggestion

from .privacy import read_user

PAGE_SIZE = 25
MOST_CANDIDATES = 8


@require_safe
@permission_required("customers.view_customermerge", raise_exception=True)
def list_merges(request: HttpRequest) -> HttpResponse:
    """Whom we think to be one person, and every merge with its undo."""
    suggestions = Paginator(list_open(), PAGE_SIZE).get_page(request.GET.get("suggestions"))
    merges = CustomerMerge.objects.select_related("survivor", "loser", "merged_by")
    page = Paginator(merges, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "suggestions": suggestions,
        "page": page,
        "rows": [_tell_merge(merge) for merge in page],
    }
    return render(request, "customers/merges.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.merge_customer", raise_exception=True)
def merge_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Without a second customer: find one. With one: both side by side, what would move and what would hold; then merge."""
    customer = get_object_or_404(Customer.objects.known(), pk=pk)
    other = _find_other(request, customer)
    if other is None:
        return _choose(request, customer)
    # The one whose page it is stays, unless asked the other way round.
    keeps, loser = (other, customer) if request.GET.get("keep") == "other" else (customer, other)
    try:
        plan = plan_merge(loser.pk, keeps.pk)
    except CannotMerge as refusal:
        messages.error(request, str(refusal))
        return redirect("customers:detail", pk)
    context = {"customer": customer, "other": other, "keeps": keeps, "loser": loser, **_tell_plan(plan, loser, keeps)}
    if request.method != "POST":
        return render(request, "customers/merge.html", context)
    if request.POST.get("confirm", "").strip() != loser.external_id:
        context |= {"is_wrong": True, "note": request.POST.get("note", "")}
        return render(request, "customers/merge.html", context, status=422)
    return _merge(request, loser, keeps)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.merge_customer", raise_exception=True)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what goes back and what stays, and takes the merge back."""
    merge = get_object_or_404(CustomerMerge.objects.select_related("survivor", "loser"), pk=pk)
    reason = why_not_undo(merge)
    if request.method != "POST":
        context = {"merge": merge, "row": _tell_merge(merge), "reason": reason}
        return render(request, "customers/merge_undo.html", context)
    try:
        undo_merge(pk, actor=read_user(request), now=timezone.now())
    except CannotMerge as refusal:
        messages.error(request, str(refusal))
        return redirect("customers:merges")
    messages.success(request, _("Undone: these are two customers again."))
    return redirect("customers:detail", merge.loser_id)


@require_POST
@permission_required("customers.merge_customer", raise_exception=True)
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """They are two people: not suggested again."""
    row = get_object_or_404(MergeSuggestion, pk=pk)
    if keep_apart(row, actor=read_user(request), now=timezone.now()):
        messages.success(request, _("Noted: two people. They are not suggested again."))
    return redirect("customers:merges")


def tell_identity(customer: Customer) -> dict[str, Any]:
    """For the customer's page: under which other ids they are known, what was merged, and whom we think to be the same."""
    merges = CustomerMerge.objects.filter(holder=customer, undone_at=None).select_related("survivor")
    return {"merged_people": [_tell_merge(merge) for merge in merges], "alike": _list_alike(customer)}


def _merge(request: HttpRequest, loser: Customer, keeps: Customer) -> HttpResponse:
    try:
        merge_customers(
            loser.pk,
            keeps.pk,
            reason=CustomerMerge.Reason.STAFF,
            actor=read_user(request),
            now=timezone.now(),
            note=request.POST.get("note", "").strip(),
        )
    except CannotMerge as refusal:
        messages.error(request, str(refusal))
        return redirect("customers:detail", keeps.pk)
    messages.success(request, _("Merged. It can be undone from this page and from the list of merges."))
    return redirect("customers:detail", keeps.pk)


def _choose(request: HttpRequest, customer: Customer) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    others = Customer.objects.known().exclude(pk=customer.pk)
    found = list(others.matching(words)[: MOST_CANDIDATES + 1]) if words else []
    context = {
        "customer": customer,
        "q": words,
        "found": found[:MOST_CANDIDATES],
        "has_more": len(found) > MOST_CANDIDATES,
        "alike": _list_alike(customer),
    }
    return render(request, "customers/merge_choose.html", context)


def _find_other(request: HttpRequest, customer: Customer) -> Customer | None:
    wanted = request.GET.get("with", "")
    if not wanted.isdecimal() or len(wanted) > 18:
        return None
    return Customer.objects.known().exclude(pk=customer.pk).filter(pk=int(wanted)).first()


def _list_alike(customer: Customer) -> list[tuple[MergeSuggestion, Customer]]:
    """Whom we think to be the same person, each with the suggestion that says so."""
    suggested = list_open().filter(Q(first=customer) | Q(second=customer))[:MOST_CANDIDATES]
    return [(row, row.second if row.first_id == customer.pk else row.first) for row in suggested]


def _tell_merge(merge: CustomerMerge) -> dict[str, Any]:
    """A merge in words. The old id stands in what is kept for the undo; after it the row has it again."""
    kept = merge.kept.get("customer") or {}
    name = " ".join(part for part in (kept.get("first_name"), kept.get("last_name")) if part)
    if merge.undone_at is not None:
        kept, name = {"external_id": merge.loser.external_id, "source": merge.loser.source}, str(merge.loser)
    return {
        "merge": merge,
        "old_id": kept.get("external_id", ""),
        "old_source": kept.get("source", ""),
        "old_email": kept.get("email", ""),
        "old_name": name,
        "moved": _tell_counts(merge.moved),
        "reason": why_not_undo(merge),
        "is_erased": merge.undone_at is None and not merge.kept,
    }


def _tell_counts(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Rows by what they are, in the words of the tables."""
    return [
        (str(apps.get_model(label)._meta.verbose_name_plural), count)
        for label, count in sorted(counts.items())
        if count
    ]


def _tell_plan(plan: Plan, loser: Customer, keeps: Customer) -> dict[str, Any]:
    channels = dict(Channel.choices)
    labels = {field.name: str(field.verbose_name) for field in Customer._meta.concrete_fields}
    return {
        "plan": plan,
        "sides": [_tell_side(keeps), _tell_side(loser)],
        "moved": _tell_counts(plan.moved),
        "consents": [
            {"channel": channels[held.channel], "loser": held.loser, "survivor": held.survivor, "holds": held.holds}
            for held in plan.consents
        ],
        "filled": [(labels[name], _show(value)) for name, value in plan.changes.items()],
        "chosen": _tell_choices(plan),
    }


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {held}" for name, held in sorted(value.items()))[:200]
    return str(value)[:10] if isinstance(value, str) and "T" in value and value[:4].isdigit() else str(value)


def _tell_choices(plan: Plan) -> list[str]:
    chosen = plan.chosen
    told = []
    if chosen.get("topics_off") is not None:
        told.append(_("topics that they do not want: %(topics)s") % {"topics": ", ".join(chosen["topics_off"])})
    if chosen.get("most_per_month"):
        told.append(_("at most %(most)d messages a month") % {"most": chosen["most_per_month"]})
    if chosen.get("paused_until"):
        told.append(_("no messages until %(day)s") % {"day": chosen["paused_until"][:10]})
    if chosen.get("objects_to_profiling_at"):
        told.append(_("no profile: the objection of one holds for both"))
    return told


def _tell_side(customer: Customer) -> dict[str, Any]:
    orders = customer.orders.aggregate(last=Max("ordered_at"), total=Sum("total"))
    return {
        "customer": customer,
        "url": reverse("customers:detail", args=[customer.pk]),
        "orders": customer.orders.filter(is_return=False).count(),
        "last": orders["last"],
        "total": orders["total"],
    }
