"""One filter set over customers, for the list page and the API alike."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.ingest.clock import read_shop_clock
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY
from customers.models import AuditAction, AuditEntry, Customer, Segment
from customers.segments.compiler import compile_rule
from customers.segments.rules import RuleError, parse_rule

RISK_BANDS = [
    ("high", _("Likely to leave")),
    ("medium", _("May leave")),
    ("low", _("Likely to stay")),
    ("none", _("No score")),
]


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]
    """q (name, address or id), risk band, country, language, segment."""

    q = django_filters.CharFilter(method="filter_words", label=_("Search"), max_length=120)
    risk = django_filters.ChoiceFilter(choices=RISK_BANDS, method="filter_risk", label=_("Risk"))
    segment = django_filters.ModelChoiceFilter(
        queryset=Segment.objects.filter(is_archived=False), method="filter_segment", label=_("Segment")
    )

    class Meta:
        model = Customer
        fields = ("country", "language")

    def filter_words(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return queryset & Customer.objects.matching(value) if value.strip() else queryset

    def filter_risk(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        column = "score__churn_probability"
        if value == "high":
            return queryset.filter(**{f"{column}__gte": AT_RISK})
        if value == "medium":
            return queryset.filter(**{f"{column}__gte": LIKELY_TO_STAY, f"{column}__lt": AT_RISK})
        if value == "low":
            return queryset.filter(**{f"{column}__lt": LIKELY_TO_STAY})
        return queryset.filter(**{f"{column}__isnull": True})

    def filter_segment(self, queryset: QuerySet[Customer], name: str, value: Segment) -> QuerySet[Customer]:
        try:
            query = compile_rule(parse_rule(value.rule), as_of=read_shop_clock(timezone.now()))
        except RuleError:  # the segment's own page says why; nobody can be shown to be in it
            return queryset.none()
        return queryset.filter(pk__in=RawSQL(*query.as_positional()))


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Who, what, about what, when; days are whole days of the reader's zone, both included."""

    who = django_filters.NumberFilter(field_name="actor_id", label=_("Who"), min_value=0, max_value=2**31)
    what = django_filters.ChoiceFilter(field_name="action", choices=AuditAction.choices, label=_("What"))
    kind = django_filters.CharFilter(field_name="object_kind", label=_("Kind of object"), max_length=40)
    object = django_filters.CharFilter(field_name="object_id", label=_("Number of the object"), max_length=64)
    since = django_filters.DateFilter(field_name="happened_at", lookup_expr="date__gte", label=_("From"))
    until = django_filters.DateFilter(field_name="happened_at", lookup_expr="date__lte", label=_("Until"))

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()
