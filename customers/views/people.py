"""The list of customers and the page of one."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import F, OrderBy
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from customers.features.catalogue import THEMES
from customers.filters import CustomerFilter
from customers.ingest.clock import read_shop_clock
from customers.ingest.consent import is_suppressed
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY
from customers.insights.timeline import FAMILIES, Entry, read_timeline
from customers.models import (
    Channel,
    ConsentRecord,
    Customer,
    EventKind,
    ModelVersion,
    Preference,
    Product,
    ReadingHour,
    Score,
    ScoreStatus,
    Segment,
)
from customers.scoring.attention import has_sequence_model
from customers.scoring.change import find_earlier
from customers.scoring.explain import describe_reason
from customers.scoring.on_need import find_reasons
from customers.segments.preview import matches
from customers.segments.rules import RuleError, parse_rule
from customers.views.languages import name_language

from .interests import tell_interests

PAGE_SIZE = 25
TIMELINE_SIZE = 30
SORTS = {
    "risk": "score__churn_probability",
    "value": "score__expected_value",
    "last_order": "score__recency_days",
    "name": "last_name",
}


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def list_customers(request: HttpRequest) -> HttpResponse:
    """Customers by filters in the URL. htmx gets only the table's fragment."""
    filters = CustomerFilter(request.GET, queryset=Customer.objects.known().select_related("score"))
    found = filters.qs.order_by(_read_sort(request), "pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    for customer in page.object_list:
        score = getattr(customer, "score", None)
        theme = THEMES.get(score.main_reason) if score else None
        customer.reason_label = theme.label if theme else ""
    context: dict[str, Any] = {"filters": filters, "page": page, "chips": _describe_filters(request, filters)}
    if request.headers.get("HX-Request"):
        return render(request, "customers/_table.html", context)
    context["sort"] = request.GET.get("sort") or "-risk"
    context["sorts"] = _list_sorts(context["sort"])
    context["segments"] = Segment.objects.filter(is_archived=False).only("pk", "name")
    context["countries"] = (
        Customer.objects.exclude(country="").order_by("country").values_list("country", flat=True).distinct()[:200]
    )
    return render(request, "customers/list.html", context)


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def show_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer: predictions with reasons, consent, time line, likes."""
    customer = get_object_or_404(Customer.objects.known().select_related("score"), pk=pk)
    now = timezone.now()
    consents = list(ConsentRecord.objects.filter(customer=customer).order_by("-recorded_at", "-pk")[:10])
    context: dict[str, Any] = {
        "customer": customer,
        "local_time": _tell_local_time(customer, now),
        "reading_hour": _tell_reading_hour(customer),
        "language_label": name_language(customer.language),
        "consents": consents,
        "tracking": customer.tracking_consents.order_by("-recorded_at", "-pk").first(),
        "newest_consent": _newest(customer, Channel.EMAIL),
        "is_suppressed": is_suppressed(customer.email),
        "text_consent": _newest(customer, Channel.SMS),
        "is_number_suppressed": bool(customer.phone) and is_suppressed(customer.phone, Channel.SMS),
        "has_open_complaint": _has_open_complaint(customer, now),
        "segments": _segments_of(request, customer, read_shop_clock(now)),
        "at_risk": AT_RISK,
        "likely_to_stay": LIKELY_TO_STAY,
    }
    score = getattr(customer, "score", None)
    context |= tell_interests(request, customer, now)
    context |= _tell_timeline(request, customer, now) | (_tell_score(score) if score is not None else {})
    return render(request, "customers/detail.html", context)


def _newest(customer: Customer, channel: str) -> ConsentRecord | None:
    return customer.consents.filter(channel=channel).order_by("-recorded_at", "-pk").first()


def _tell_score(score: Score) -> dict[str, Any]:
    model = ModelVersion.objects.defer("artifact").get(pk=score.model_id)
    known = find_reasons(score)
    found = known or []
    shares = [float(reason.get("points") or 0) / 100 for reason in found]
    reasons = [
        {"sentence": describe_reason(reason), "share": share} for reason, share in zip(found, shares, strict=True)
    ]
    most = max(map(abs, shares), default=0.0)
    has_earlier = score.status == ScoreStatus.SCORED and find_earlier(score) is not None
    told = {"score": score, "model": model, "reasons": reasons, "most_points": most, "no_reasons_known": known is None}
    return told | {"has_earlier_score": has_earlier, "has_attention": has_sequence_model(model)}


def _tell_timeline(request: HttpRequest, customer: Customer, now: dt.datetime) -> dict[str, Any]:
    family = request.GET.get("show", "")
    family = family if family in FAMILIES else ""
    before = _read_moment(request.GET.get("before", ""))
    entries = read_timeline(customer, until=now, family=family, before=before, size=TIMELINE_SIZE)
    names = _name_products(entries)
    labels = dict(EventKind.choices)
    told = [
        {
            "happened_at": entry.happened_at,
            "kind": entry.kind,
            "family": entry.family,
            "order": entry.order,
            "label": labels.get(entry.kind, entry.kind),
            "detail": _tell_detail(entry, names),
            "times": 1,
            "first_at": entry.happened_at,
        }
        for entry in entries
    ]
    families = [
        ("orders", _("Orders")),
        ("behaviour", _("Visits")),
        ("messages", _("Messages")),
        ("support", _("Support")),
    ]
    older = entries[-1].happened_at.isoformat() if len(entries) == TIMELINE_SIZE else ""
    return {"entries": _fold_repeats(told), "families": families, "family": family, "older": older}


def _fold_repeats(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for a run of the same thing without particulars: twenty e-mails would hide the order among them."""
    folded: list[dict[str, Any]] = []
    for row in told:
        last = folded[-1] if folded else None
        if last and row["order"] is None and not row["detail"] and (last["kind"], last["detail"]) == (row["kind"], ""):
            last["times"] += 1
            last["first_at"] = row["happened_at"]
        else:
            folded.append(row)
    return folded


def _name_products(entries: list[Entry]) -> dict[str, str]:
    skus = {str(entry.properties["sku"]) for entry in entries if entry.properties.get("sku")}
    return dict(Product.objects.filter(sku__in=skus).values_list("sku", "name"))


def _tell_detail(entry: Entry, names: dict[str, str]) -> str:
    properties = entry.properties
    if properties.get("sku"):
        return names.get(str(properties["sku"]), str(properties["sku"]))
    for key in ("query", "campaign", "subject", "title", "topic", "category"):
        if properties.get(key) and not str(properties[key]).isdigit():  # a number is an id of ours, no name
            return f"“{properties[key]}”"
    return ""


def _has_open_complaint(customer: Customer, now: dt.datetime) -> bool:
    return matches(parse_rule({"field": "has_open_complaint", "op": "is", "value": True}), customer, as_of=now)


def _segments_of(request: HttpRequest, customer: Customer, as_of: dt.datetime) -> list[Segment]:
    if not request.user.has_perm("customers.view_segment"):
        return []
    segments = Segment.objects.filter(is_archived=False)[:50]
    return [segment for segment in segments if _is_in(segment, customer, as_of)]


def _is_in(segment: Segment, customer: Customer, as_of: dt.datetime) -> bool:
    try:
        return matches(parse_rule(segment.rule), customer, as_of=as_of)
    except RuleError:  # a rule that cannot be used means nobody
        return False


def _tell_local_time(customer: Customer, now: dt.datetime) -> str:
    try:
        zone = zoneinfo.ZoneInfo(customer.time_zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return ""
    return date_format(now.astimezone(zone), "H:i")


def _tell_reading_hour(customer: Customer) -> str:
    """When they tend to read, and from what that is known; "" where too little is."""
    found = ReadingHour.objects.filter(customer=customer, hour__isnull=False).first()
    objects = Preference.objects.filter(customer=customer, objects_to_profiling_at__isnull=False).exists()
    if found is None or found.hour is None or objects:
        return ""
    opens = ngettext("%(n)d open or click", "%(n)d opens and clicks", found.opens) % {"n": found.opens}
    weak = ngettext("%(n)d visit or order", "%(n)d visits and orders", found.weak) % {"n": found.weak}
    span = f"{found.hour}–{(found.hour + 1) % 24}"
    return _("tends to read at %(span)s, from %(opens)s and %(weak)s") % {"span": span, "opens": opens, "weak": weak}


def _describe_filters(request: HttpRequest, filters: CustomerFilter) -> list[dict[str, str]]:
    """The filters in force as chips, each with the address that lifts it."""
    chips = []
    for name in ("q", "risk", "country", "language", "segment"):
        value = request.GET.get(name)
        if not value:
            continue
        query = request.GET.copy()
        query.pop(name)
        query.pop("page", None)
        field = filters.form.fields[name]
        choices = dict(getattr(field, "choices", [])) if name == "risk" else {}
        shown = Segment.objects.filter(pk=value).values_list("name", flat=True).first() if value.isdecimal() else None
        label = str(field.label or name.capitalize())
        chips.append(
            {
                "label": label,
                "value": str(choices.get(value, (shown or value) if name == "segment" else value)),
                "without": f"{request.path}?{query.urlencode()}",
            }
        )
    return chips


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


def _read_sort(request: HttpRequest) -> OrderBy:
    """The ordering of ?sort=-risk; unknown words give the riskiest first. Customers without a score come last."""
    wanted = request.GET.get("sort") or "-risk"
    column = SORTS.get(wanted.lstrip("-"))
    if column is None:
        return F(SORTS["risk"]).desc(nulls_last=True)
    return F(column).desc(nulls_last=True) if wanted.startswith("-") else F(column).asc(nulls_last=True)


def _read_moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None
