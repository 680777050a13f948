"""What the reports answer. Rows have the columns of the reports' files; a missing number is null."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class BoundedSerializer(serializers.Serializer[Any]):
    """An estimate and its 95 % limits."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class RetentionRowSerializer(serializers.Serializer[Any]):
    """`retention_rate`: of `customers` so many were `kept`, as a `share` with Wilson's limits. `kept_by_campaigns`: of the
    campaigns that began in that month, `share` is customers kept, with limits."""

    what = serializers.ChoiceField(choices=["retention_rate", "kept_by_campaigns"])
    as_of_or_month = serializers.DateField()
    customers = serializers.IntegerField()
    kept = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class RetentionReportSerializer(serializers.Serializer[Any]):
    """`change` is that of the rate from the point before, in shares; `kept` customers kept by all `campaigns` whose counting is
    over."""

    as_of = serializers.DateTimeField()
    change = BoundedSerializer(allow_null=True)
    campaigns = serializers.IntegerField()
    kept = BoundedSerializer(allow_null=True)
    rows = RetentionRowSerializer(many=True)


class PooledSerializer(serializers.Serializer[Any]):
    """The mean over campaigns in percentage points (random effects). `tau` is the spread of the true effects, `p_value` that of
    Cochran's Q; `next_low` and `next_high` bound what the next such campaign may do."""

    campaigns = serializers.IntegerField()
    effect = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    error = serializers.FloatField()
    tau = serializers.FloatField()
    i_squared = serializers.FloatField()
    q = serializers.FloatField()
    p_value = serializers.FloatField()
    next_low = serializers.FloatField(allow_null=True)
    next_high = serializers.FloatField(allow_null=True)


class LiftRowSerializer(serializers.Serializer[Any]):
    """One campaign; points are percentage points of people who ordered. p-values are corrected for the number of campaigns, and
    null while orders are counted (`verdict` is open) or where arms are not as they were drawn (unsound, p < 0.001). Points are
    null while too few have ordered for an interval that holds at every look."""

    campaign = serializers.CharField()
    started_on = serializers.DateField()
    treated = serializers.IntegerField()
    treated_ordered = serializers.IntegerField()
    held_out = serializers.IntegerField()
    held_out_ordered = serializers.IntegerField()
    points = serializers.FloatField(allow_null=True)
    points_low = serializers.FloatField(allow_null=True)
    points_high = serializers.FloatField(allow_null=True)
    is_settled = serializers.BooleanField()
    p_holm = serializers.FloatField(allow_null=True)
    q_false_discovery = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField(help_text="more, fewer, no_clear_difference, open or unsound")
    customers_kept = serializers.FloatField(allow_null=True)
    customers_kept_low = serializers.FloatField(allow_null=True)
    customers_kept_high = serializers.FloatField(allow_null=True)


class LiftReportSerializer(serializers.Serializer[Any]):
    """How many campaigns clearly kept customers, clearly lost some, and are still counted. `pooled` takes two campaigns."""

    better = serializers.IntegerField()
    worse = serializers.IntegerField()
    open = serializers.IntegerField()
    pooled = PooledSerializer(allow_null=True)
    rows = LiftRowSerializer(many=True)


class CostRowSerializer(serializers.Serializer[Any]):
    """One campaign, money in `currency`. A part that is null has no price, and is added as nothing."""

    campaign = serializers.CharField()
    started_on = serializers.DateField()
    is_settled = serializers.BooleanField()
    currency = serializers.CharField()
    treated = serializers.IntegerField()
    discounts = serializers.FloatField(allow_null=True)
    delivery = serializers.FloatField(allow_null=True)
    sending = serializers.FloatField(allow_null=True)
    model = serializers.FloatField(allow_null=True)
    staff = serializers.FloatField(allow_null=True)
    total = serializers.FloatField(allow_null=True)
    kept = serializers.FloatField(allow_null=True, help_text="null before the counting is over, as net")
    kept_low = serializers.FloatField(allow_null=True)
    kept_high = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField(help_text="bounded, open, lost or unknown")
    per_kept = serializers.FloatField(allow_null=True)
    per_kept_low = serializers.FloatField(allow_null=True)
    per_kept_high = serializers.FloatField(allow_null=True)
    net = serializers.FloatField(allow_null=True)
    net_low = serializers.FloatField(allow_null=True)
    net_high = serializers.FloatField(allow_null=True)
    minutes = serializers.FloatField()
    tokens = serializers.IntegerField(allow_null=True)


class PerKeptSerializer(serializers.Serializer[Any]):
    """Money per customer kept. Open: at least `low`, if anybody was kept; lost: fewer stayed; unknown: nothing measured."""

    verdict = serializers.CharField(help_text="bounded, open, lost or unknown")
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class NetMonthSerializer(serializers.Serializer[Any]):
    """What the campaigns that began in a month left, and what all up to it left together."""

    month = serializers.DateField()
    campaigns = serializers.IntegerField()
    net = BoundedSerializer()
    total = BoundedSerializer()


class CostReportSerializer(serializers.Serializer[Any]):
    """Sums are over the `campaigns` whose counting is over and whose costs were counted; `missing` names the parts whose price is
    not known for some of them."""

    currency = serializers.CharField()
    campaigns = serializers.IntegerField()
    open = serializers.IntegerField()
    costs = BoundedSerializer(allow_null=True)
    kept = BoundedSerializer(allow_null=True)
    per_kept = PerKeptSerializer(allow_null=True)
    parts = serializers.DictField(child=serializers.FloatField())
    missing = serializers.ListField(child=serializers.CharField())
    net = BoundedSerializer(allow_null=True)
    months = NetMonthSerializer(many=True)
    rows = CostRowSerializer(many=True)


class FairnessRowSerializer(serializers.Serializer[Any]):
    """A group of an attribute over all time (`month` is "") or of the campaigns that began in a month. Ratios are against
    everybody else."""

    attribute = serializers.CharField()
    month = serializers.CharField(allow_blank=True)
    group = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField()
    got_an_offer = serializers.IntegerField()
    share = serializers.FloatField()
    share_low = serializers.FloatField()
    share_high = serializers.FloatField()
    share_ratio = serializers.FloatField(allow_null=True)
    share_ratio_low = serializers.FloatField(allow_null=True)
    share_ratio_high = serializers.FloatField(allow_null=True)
    discount_per_head = serializers.FloatField(allow_null=True)
    discount_ratio = serializers.FloatField(allow_null=True)
    discount_ratio_low = serializers.FloatField(allow_null=True)
    discount_ratio_high = serializers.FloatField(allow_null=True)
    is_clearly_low = serializers.BooleanField()


class FairnessAttributeSerializer(serializers.Serializer[Any]):
    """`clearly_low` got less than four fifths of what the others got, interval and all. Groups that are too small are counted
    alone."""

    attribute = serializers.CharField()
    counted_on = serializers.DateField()
    clearly_low = serializers.ListField(child=serializers.CharField(allow_blank=True))
    left_out_groups = serializers.IntegerField()
    left_out_people = serializers.IntegerField()


class FairnessReportSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    attributes = FairnessAttributeSerializer(many=True)
    rows = FairnessRowSerializer(many=True)


class ResultRowSerializer(serializers.Serializer[Any]):
    """One number. `part`: all, draw, archetype, risk, segment, day, cost, text, text_standing or text_share. `how`: counted, cut
    (large amounts), past_out (with what was known before taken out), any_look (holds however often one looks); of a text what is
    counted."""

    day = serializers.DateField()
    part = serializers.CharField()
    name = serializers.CharField()
    how = serializers.CharField()
    unit = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    written_to = serializers.IntegerField(allow_null=True)
    held_out = serializers.IntegerField(allow_null=True)
    verdict = serializers.CharField(allow_blank=True)


class CampaignReportSerializer(serializers.Serializer[Any]):
    """`verdict` is too_early until orders are counted to the end and there are enough people."""

    campaign = serializers.IntegerField()
    name = serializers.CharField()
    measured_at = serializers.DateTimeField(allow_null=True)
    window_start = serializers.DateTimeField(allow_null=True)
    window_end = serializers.DateTimeField(allow_null=True)
    is_complete = serializers.BooleanField()
    currency = serializers.CharField(allow_blank=True)
    verdict = serializers.CharField(help_text="positive, negative, no_effect or too_early")
    sample_ratio_is_alarming = serializers.BooleanField()
    held_out_reached_by_others = serializers.IntegerField()
    rows = ResultRowSerializer(many=True)
