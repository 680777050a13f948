"""REST: the figures of the Retention page, as rows. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.insights.exports import Row, list_cohort_rows, list_interval_rows, list_rfm_rows, list_tenth_rows
from customers.insights.report import Insights, read_insights
from customers.models import Segment

BY = OpenApiParameter("by", str, enum=["week", "month"], description="Calendar of the cohorts; month where left out.")


class ReadingSerializer(serializers.Serializer[Any]):
    """What was counted: everything before `as_of`, days of `zone`, money in `currency`."""

    as_of = serializers.DateTimeField()
    zone = serializers.CharField()
    currency = serializers.CharField()
    customers = serializers.IntegerField()
    purchases = serializers.IntegerField()


class CohortRowSerializer(serializers.Serializer[Any]):
    """A cohort in one later period that is over; shares are 0 to 1, `low` and `high` Wilson's 95 % interval."""

    cohort = serializers.DateField(help_text="The first day of the period of the first purchase.")
    customers = serializers.IntegerField()
    period = serializers.IntegerField(help_text="Periods after the first, from 1.")
    period_starts_on = serializers.DateField()
    ordered = serializers.IntegerField()
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class IntervalRowSerializer(serializers.Serializer[Any]):
    """Days from one day with an order to the next. The percentiles are of those who came again."""

    step = serializers.IntegerField(help_text="From this order to the next; 0 is all together, 6 is that and later.")
    reached = serializers.IntegerField()
    again = serializers.IntegerField()
    not_again = serializers.FloatField(help_text="Share not back so far.")
    not_again_low = serializers.FloatField(allow_null=True, help_text="Null where customers count several times.")
    not_again_high = serializers.FloatField(allow_null=True)
    p10 = serializers.IntegerField(allow_null=True)
    p25 = serializers.IntegerField(allow_null=True)
    p50 = serializers.IntegerField(allow_null=True)
    p75 = serializers.IntegerField(allow_null=True)
    p90 = serializers.IntegerField(allow_null=True)
    median_days = serializers.IntegerField(
        allow_null=True, help_text="Kaplan-Meier, of all; null where it is not reached."
    )


class RfmRowSerializer(serializers.Serializer[Any]):
    """A cell of recency by frequency. Null means no upper end."""

    days_from = serializers.IntegerField()
    days_to = serializers.IntegerField(allow_null=True)
    orders_from = serializers.IntegerField()
    orders_to = serializers.IntegerField(allow_null=True)
    customers = serializers.IntegerField()
    revenue = serializers.DecimalField(max_digits=20, decimal_places=2)


class TenthRowSerializer(serializers.Serializer[Any]):
    """A tenth of the customers by revenue; 1 is the best."""

    tenth = serializers.IntegerField()
    customers = serializers.IntegerField()
    revenue_from = serializers.DecimalField(max_digits=20, decimal_places=2)
    revenue_to = serializers.DecimalField(max_digits=20, decimal_places=2)
    revenue = serializers.DecimalField(max_digits=20, decimal_places=2)
    share = serializers.FloatField(allow_null=True)


class CohortsSerializer(ReadingSerializer):
    rows = CohortRowSerializer(many=True)


class IntervalsSerializer(ReadingSerializer):
    horizon_days = serializers.IntegerField(help_text="The horizon in use: the model's, else the proposal.")
    proposed_days = serializers.IntegerField()
    rows = IntervalRowSerializer(many=True)


class RfmSerializer(ReadingSerializer):
    rows = RfmRowSerializer(many=True)


class ValueSerializer(ReadingSerializer):
    revenue = serializers.DecimalField(max_digits=20, decimal_places=2)
    mean = serializers.DecimalField(max_digits=20, decimal_places=2)
    median = serializers.DecimalField(max_digits=20, decimal_places=2)
    gini = serializers.FloatField(allow_null=True)
    top_share = serializers.FloatField(allow_null=True, help_text="Of the best tenth, 0 to 1.")
    rows = TenthRowSerializer(many=True)


class InsightView(GenericAPIView[Segment]):
    """Reading figures about groups of customers takes the right to see segments."""

    queryset = Segment.objects.none()
    filter_backends = []
    pagination_class = None

    def get(self, request: Request) -> Response:
        found = read_insights(timezone.now())
        if found is None:
            raise NotFound(_("There is no order of a complete day to count yet."))
        told = {**vars(found.reading), **self.tell(found), "rows": self.list_rows(found)}
        return Response(self.get_serializer(told).data)

    def tell(self, found: Insights) -> dict[str, Any]:
        """What the answer says besides its rows."""
        return {}

    def list_rows(self, found: Insights) -> Sequence[Row]:
        raise NotImplementedError


class CohortInsights(InsightView):
    """Every cohort by first purchase, and the share of it that ordered in each later period."""

    serializer_class = CohortsSerializer

    @extend_schema(parameters=[BY])
    def get(self, request: Request) -> Response:
        return super().get(request)

    def list_rows(self, found: Insights) -> Sequence[Row]:
        by = self.request.query_params.get("by", "month")
        if by not in ("week", "month"):
            raise serializers.ValidationError({"by": [_("“%(by)s” is neither week nor month.") % {"by": by[:20]}]})
        return list_cohort_rows(found.cohorts["week" if by == "week" else "month"])


class IntervalInsights(InsightView):
    """How long customers take from one order to the next."""

    serializer_class = IntervalsSerializer

    def tell(self, found: Insights) -> dict[str, Any]:
        return {"horizon_days": found.horizon_days, "proposed_days": found.proposed_days}

    def list_rows(self, found: Insights) -> Sequence[Row]:
        return list_interval_rows(found.intervals)


class RfmInsights(InsightView):
    """Customers by days since the last order and number of orders."""

    serializer_class = RfmSerializer

    def list_rows(self, found: Insights) -> Sequence[Row]:
        return list_rfm_rows(found.rfm)


class ValueInsights(InsightView):
    """How revenue spreads over customers."""

    serializer_class = ValueSerializer

    def tell(self, found: Insights) -> dict[str, Any]:
        return {**vars(found.value), "top_share": found.value.top_share}

    def list_rows(self, found: Insights) -> Sequence[Row]:
        return list_tenth_rows(found.value)
