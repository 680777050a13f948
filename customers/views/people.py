"""The page of one customer."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from customers.ingest.clock import read_shop_clock
from customers.ingest.consent import find_newest_consent, is_suppressed
from customers.ingest.language_names import name_language
from customers.ingest.merged import find_holders
from customers.ingest.preferences import read_preference
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY
from customers.models import (
    Channel,
    ConsentRecord,
    Customer,
    ModelVersion,
    Preference,
    ReadingHour,
    Score,
    ScoreStatus,
    Segment,
)
from customers.scoring.attention import has_sequence_model
from customers.scoring.change import find_earlier
from customers.scoring.explain import describe_reason
from customers.scoring.on_need import find_reasons
from customers.segments.membership import list_segments_of

from .hold import find_hold
from .interests import tell_interests
from .merges import tell_identity
from .reactions import tell_reactions
from .timeline import tell_timeline


@require_safe
@permission_required("customers.view_customer", raise_exception=True)
def show_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer: predictions with reasons, consent, time line, likes."""
    if (holder := find_holders([pk]).get(pk)) is not None:
        return redirect("customers:detail", holder)
    customer = get_object_or_404(Customer.objects.known().select_related("score"), pk=pk)
    now = timezone.now()
    consents = list(ConsentRecord.objects.filter(customer=customer).order_by("-recorded_at", "-pk")[:10])
    context: dict[str, Any] = {
        "customer": customer,
        "local_time": _tell_local_time(customer, now),
        "reading_hour": _tell_reading_hour(customer),
        "language_label": name_language(customer.language),
        "consents": consents,
        "objects_since": read_preference(customer).objects_to_profiling_at,
        "tracking": customer.tracking_consents.order_by("-recorded_at", "-pk").first(),
        "newest_consent": find_newest_consent(customer.pk, Channel.EMAIL),
        "is_suppressed": is_suppressed(customer.email),
        "text_consent": find_newest_consent(customer.pk, Channel.SMS),
        "is_number_suppressed": bool(customer.phone) and is_suppressed(customer.phone, Channel.SMS),
        "hold": find_hold(customer, now=now),
        "segments": _segments_of(request, customer, read_shop_clock(now)),
        "at_risk": AT_RISK,
        "likely_to_stay": LIKELY_TO_STAY,
        "reactions": tell_reactions(customer),
    }
    score = getattr(customer, "score", None)
    context |= tell_interests(request, customer, now) | tell_identity(customer)
    context |= tell_timeline(request, customer, now) | (_tell_score(score) if score is not None else {})
    return render(request, "customers/detail.html", context)


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


def _segments_of(
    request: HttpRequest, customer: Customer, as_of: dt.datetime
) -> list[tuple[Segment, dt.datetime | None]]:
    return list_segments_of(customer, as_of=as_of) if request.user.has_perm("customers.view_segment") else []


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
