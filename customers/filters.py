"""One filter set over customers, for the list page and the API alike."""

from __future__ import annotations

import json
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.ingest.clock import read_shop_clock
from customers.ingest.country_spellings import find_spellings
from customers.insights.risk import AT_RISK, LIKELY_TO_STAY
from customers.models import AuditAction, AuditEntry, Customer, Segment
from customers.segments.compiler import compile_rule
from customers.segments.membership import recorded_members
from customers.segments.resolve import resolve_memberships
from customers.segments.rules import Rule, RuleError, parse_rule
from customers.segments.wording import describe_error

#: The longest rule that an address may carry.
MAX_RULE_TEXT: Final = 6_000

RISK_BANDS = [
    ("high", _("Likely to leave")),
    ("medium", _("May leave")),
    ("low", _("Likely to stay")),
    ("none", _("No score")),
]


class RuleField(forms.CharField):
    """A rule tree as JSON, as the API and the builder write it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": MAX_RULE_TEXT} | options)

    def clean(self, value: Any) -> Rule | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            rule = parse_rule(json.loads(text))
            resolve_memberships(rule)
            return rule
        except RuleError as error:
            raise forms.ValidationError(describe_error(error)) from error
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("The rule is no JSON.")) from error


class RuleFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = RuleField


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]
    """q (name, address or id), risk band, country (however it is written), language, saved segment, tag, and any rule as JSON."""

    q = django_filters.CharFilter(method="filter_words", label=_("Search"), max_length=120)
    country = django_filters.CharFilter(method="filter_country", label=_("Country"), max_length=80)
    risk = django_filters.ChoiceFilter(choices=RISK_BANDS, method="filter_risk", label=_("Risk"))
    segment = django_filters.ModelChoiceFilter(
        queryset=Segment.objects.filter(is_archived=False), method="filter_segment", label=_("Segment")
    )

    tag = django_filters.CharFilter(field_name="tags__tag", label=_("Tag"), max_length=60)
    rule = RuleFilter(method="filter_rule", label=_("Rule"))

    class Meta:
        model = Customer
        fields = ("language",)

    def filter_words(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return queryset & Customer.objects.matching(value) if value.strip() else queryset

    def filter_country(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return queryset.filter(country__in=find_spellings(value))

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
        now = timezone.now()
        recorded = recorded_members(value.rule, now=now, segment_id=value.pk)
        try:
            query = recorded or compile_rule(parse_rule(value.rule), as_of=read_shop_clock(now))
        except RuleError:  # the segment's own page says why; nobody can be shown to be in it
            return queryset.none()
        return queryset.filter(pk__in=RawSQL(*query.as_positional()))

    def filter_rule(self, queryset: QuerySet[Customer], name: str, value: Rule) -> QuerySet[Customer]:
        query = compile_rule(value, as_of=read_shop_clock(timezone.now()))
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
