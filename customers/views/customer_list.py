"""The list of customers: any filter in the address, chosen columns, pages by key."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from customers.features.catalogue import THEMES
from customers.filters import CustomerFilter
from customers.ingest.country_names import name_country
from customers.ingest.country_spellings import list_one_spelling_each
from customers.ingest.language_names import name_language
from customers.insights.browsing import (
    Count,
    browse,
    count_about,
    count_customers,
    read_place,
    read_sort,
)
from customers.models import ColumnChoice, Customer, Segment
from customers.segments.wording import describe_rule

#: Every column that may be chosen, with its head and the sort that its head offers ("" for none).
COLUMNS: Final[dict[str, tuple[Any, str]]] = {
    "risk": (gettext_lazy("Risk of leaving"), "risk"),
    "reason": (gettext_lazy("Main reason"), ""),
    "value": (gettext_lazy("Expected value"), "value"),
    "last_order": (gettext_lazy("Days since order"), "last_order"),
    "likes": (gettext_lazy("Likes"), ""),
    "expected_orders": (gettext_lazy("Expected orders"), ""),
    "next_order": (gettext_lazy("Next order"), ""),
    "email": (gettext_lazy("E-mail"), ""),
    "phone": (gettext_lazy("Telephone"), ""),
    "country": (gettext_lazy("Country"), ""),
    "language": (gettext_lazy("Language"), ""),
    "joined": (gettext_lazy("Customer since"), ""),
    "shop_id": (gettext_lazy("Shop’s id"), ""),
}
USUAL_COLUMNS: Final = ("risk", "reason", "value", "last_order", "likes")
NUMERIC: Final = frozenset({"value", "last_order", "expected_orders"})
FILTERS: Final = ("q", "risk", "country", "language", "segment", "tag", "rule")


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def list_customers(request: HttpRequest) -> HttpResponse:
    """Customers by filters in the address. htmx gets only the table's fragment."""
    filters = filter_customers(request.GET)
    sort = read_sort(request.GET.get("sort") or "")
    is_filtered = any(request.GET.get(name) for name in FILTERS)
    context: dict[str, Any] = {"filters": filters, "sort": sort, "is_filtered": is_filtered}
    if filters.is_valid():
        backward = "before" in request.GET
        place = read_place(request.GET.get("before" if backward else "after", ""), sort=sort, is_backward=backward)
        page = browse(filters.qs, sort=sort, place=place)
        for customer in page.customers:
            _tell(customer)
        total = count_about(filters.qs) if is_filtered else count_customers()
        context |= {"page": page, "total": total, "total_word": say_count(total)}
    context |= {"chips": _describe_filters(request, filters), "columns": _read_columns(request.user)}
    status = 200 if filters.is_valid() else 422
    if request.headers.get("HX-Request"):
        return render(request, "customers/_table.html", context, status=status)
    context["sorts"] = _list_sorts(sort)
    context["segments"] = Segment.objects.filter(is_archived=False).only("pk", "name")
    context["countries"] = list_one_spelling_each()
    context["all_columns"] = [(key, head) for key, (head, _sort) in COLUMNS.items()]
    context["chosen_columns"] = [key for key, _head, _sort, _is_numeric in context["columns"]]
    return render(request, "customers/list.html", context, status=status)


@require_POST
@permission_required("customers.view_customer", raise_exception=True)
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Keep the columns that this person wants; the list they came from follows."""
    chosen = [key for key in COLUMNS if key in request.POST.getlist("column")]
    assert isinstance(request.user, User)
    ColumnChoice.objects.update_or_create(user=request.user, defaults={"columns": chosen or list(USUAL_COLUMNS)})
    query = QueryDict(request.POST.get("query", ""))
    kept = QueryDict(mutable=True)
    for name in (*FILTERS, "sort"):
        if query.get(name):
            kept[name] = query[name]
    response = redirect("customers:list")
    response["Location"] += f"?{kept.urlencode()}" if kept else ""
    return response


def filter_customers(query: QueryDict) -> CustomerFilter:
    """The filters of an address over everybody whom the shop knows."""
    return CustomerFilter(query, queryset=Customer.objects.known().select_related("score"))


def say_count(count: Count) -> str:
    """ "4,218" or "about 1,000,000", rounded as far as it is known."""
    if count.is_exact:
        return f"{count.number:,}"
    step = 10 ** max(0, len(str(count.number)) - 2)
    return _("about %(number)s") % {"number": f"{round(count.number / step) * step:,}"}


def _tell(customer: Customer) -> None:
    score = getattr(customer, "score", None)
    theme = THEMES.get(score.main_reason) if score else None
    customer.reason_label = theme.label if theme else ""  # type: ignore[attr-defined]
    customer.language_label = name_language(customer.language)  # type: ignore[attr-defined]


def _read_columns(user: Any) -> list[tuple[str, Any, str, bool]]:
    choice = ColumnChoice.objects.filter(user=user).first() if isinstance(user, User) else None
    keys = [key for key in choice.columns if key in COLUMNS] if choice else list(USUAL_COLUMNS)
    return [(key, *COLUMNS[key], key in NUMERIC) for key in keys or USUAL_COLUMNS]


def _describe_filters(request: HttpRequest, filters: CustomerFilter) -> list[dict[str, str]]:
    """The filters in force as chips, each with the address that lifts it."""
    chips = []
    for name in FILTERS:
        value = request.GET.get(name)
        if not value:
            continue
        query = request.GET.copy()
        for gone in (name, "after", "before"):
            query.pop(gone, None)
        label = str(filters.form.fields[name].label or name.capitalize())
        without = f"{request.path}?{query.urlencode()}"
        chips.append({"name": name, "label": label, "value": _say_filter(filters, name, value), "without": without})
    return chips


def _say_filter(filters: CustomerFilter, name: str, value: str) -> str:
    if name == "risk":
        return str(dict(filters.form.fields[name].choices).get(value, value))
    if name == "country":
        return name_country(value)
    known = filters.form.cleaned_data.get(name) if filters.is_valid() else None
    if name == "segment":
        return known.name if known else value
    if name == "rule":
        return describe_rule(known) if known else value[:80]
    named = {"country": name_country, "language": name_language}.get(name)
    return named(value) if named else value


def _list_sorts(chosen: str) -> list[tuple[str, str]]:
    """Orders to choose from where the table's heads do not show; the one in force is always among them."""
    sorts = [
        ("-risk", _("Most likely to leave first")),
        ("-value", _("Worth most first")),
        ("last_order", _("Ordered last first")),
        ("-last_order", _("Quiet longest first")),
        ("name", _("By name")),
    ]
    return sorts if chosen in dict(sorts) else [*sorts, (chosen, _("As chosen"))]
