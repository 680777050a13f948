"""Who is in which segment, who came and went, and how large each was on each day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge
from .segment import Segment


class TouchedCustomer(models.Model):
    """Somebody about whom something was written down since segments were last looked at; NULL for more people than are
    worth naming. Filled by triggers of the database (migration segment_membership), emptied by the sweep."""

    customer_number = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("touched customer")
        verbose_name_plural = _("touched customers")

    def __str__(self) -> str:
        return str(self.customer_number or "everybody")


def note_everybody() -> None:
    """Say that something was written down about everybody, such as new scores: all segments are counted anew."""
    TouchedCustomer.objects.create(customer_number=None)


class SegmentCount(models.Model):
    """What the recorded membership of a segment is worth. Key: segment.

    `number` is the revision that was counted, `rule_hash` its rule with those of the segments that it names, `as_of` the
    moment of the shop's clock that the count holds for. `looked_at` is when the sweep last looked, `recounted_at` when it
    last asked everybody (None: it has to).
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, primary_key=True, related_name="counted")
    number = models.PositiveIntegerField(default=0)
    rule_hash = models.CharField(max_length=32, default="", blank=True)
    size = models.PositiveBigIntegerField(_("customers"), default=0)
    as_of = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    recounted_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("count of a segment")
        verbose_name_plural = _("counts of segments")

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.size}"

    @property
    def is_of_this_rule(self) -> bool:
        """Whether the rule was counted as it stands now."""
        return self.recounted_at is not None and not self.fault and self.number == self.segment.number


class SegmentMember(models.Model):
    """Somebody who is in a segment. Key: (segment, customer). `entered_at` is None for those who were in it when it was
    first counted: nobody knows since when."""

    pk = models.CompositePrimaryKey("segment", "customer")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    entered_at = models.DateTimeField(null=True)

    #: The next sweep finds that nobody is behind the row, and looks at the survivor anew.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of segments")
        indexes = [models.Index(fields=["customer", "segment"], name="segmentmember_customer")]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.customer_id}"


class SegmentChange(models.Model):
    """Somebody came into a segment or left it; append-only. `cause` says what made the difference."""

    class Cause(models.TextChoices):
        DATA = "data", _("something new")
        TIME = "time", _("time passing")
        RULE = "rule", _("the rule was changed")

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="changes", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="segment_changes", db_index=False)
    has_entered = models.BooleanField()
    cause = models.CharField(max_length=8, choices=Cause)
    happened_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change of a segment")
        verbose_name_plural = _("changes of segments")
        indexes = [
            models.Index(fields=["segment", "id"], name="segmentchange_segment"),
            models.Index(fields=["customer", "happened_at"], name="segmentchange_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.customer_id} {'entered' if self.has_entered else 'left'}"


class SegmentSize(models.Model):
    """How large a segment was at the end of a day of the shop's calendar, and how many came and went on it.
    Key: (segment, day)."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False)
    day = models.DateField()
    size = models.PositiveBigIntegerField()
    entered = models.PositiveBigIntegerField(default=0)
    left = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("size of a segment")
        verbose_name_plural = _("sizes of segments")
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="segmentsize_key")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.day}: {self.size}"
