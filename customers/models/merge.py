"""Two rows that are one person: what was merged, what is needed to take it back, and whom we think it of."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import KeptOnErasure, OnMerge

_NOTHING = models.Value({}, models.JSONField())


class CustomerMerge(models.Model):
    """`loser` became a part of `survivor`. Key: loser, while it stands.

    The loser's row stays, without a word of the person and under the source `merged`, because campaigns count their arms with
    it; its key is an alias of the survivor. `holder` is who has the loser's rows now: the survivor, or whoever that was merged
    into. Written by `customers.merging` alone.

    What undoing needs: `rows` are keys of the rows that moved, by table, where the table does not say itself under whom a row
    came (`came_as`); `kept` are values: the loser's row, what the merge wrote into the survivor's and what stood there before,
    rows that are worked out anew. `moved` counts rows by table. `held` is the answer that holds since, by channel.
    `contaminated` are campaigns in which one of the two was held out and the other was not.
    """

    class Reason(models.TextChoices):
        STAFF = "staff", _("decided by staff")
        API = "api", _("told by the API")
        ALIAS = "alias", _("the shop said that both are one")
        VERIFIED = "verified", _("same verified address")

    survivor = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    loser = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    holder = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merged_people")
    reason = models.CharField(_("why"), max_length=12, choices=Reason)
    note = models.CharField(_("in words"), max_length=200, blank=True, default="", db_default="")
    merged_at = models.DateTimeField(_("merged at"))
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    moved = models.JSONField(default=dict, db_default=_NOTHING)
    rows = models.JSONField(default=dict, db_default=_NOTHING)
    kept = models.JSONField(default=dict, db_default=_NOTHING)
    held = models.JSONField(default=dict, db_default=_NOTHING)
    contaminated = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    on_merge: ClassVar[OnMerge] = OnMerge.STAYS
    on_erasure = KeptOnErasure({"note": "", "moved": {}, "rows": {}, "kept": {}, "held": {}, "contaminated": []})

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["loser"], condition=Q(undone_at__isnull=True), name="customermerge_standing"
            )
        ]
        permissions = [("merge_customer", "Can merge two customers and undo it")]

    def __str__(self) -> str:
        return f"{self.loser_id} into {self.survivor_id}"


class MergeSuggestion(models.Model):
    """Two customers who may be one person. Key: the pair, `first` being the one with the smaller number.

    `is_verified`: the shop vouches for it, so that it may be merged by itself; `keeps` is the one of the two whose row stays.
    A pair that people kept apart stays `apart`, and neither they nor the shop's events merge it by themselves.
    """

    class Why(models.TextChoices):
        EMAIL = "email", _("same e-mail")
        PHONE = "phone", _("same telephone number")
        SHOP = "shop", _("the shop said that both are one")
        STAFF = "staff", _("somebody looked at both")

    class Status(models.TextChoices):
        OPEN = "open", _("to decide")
        APART = "apart", _("two people")
        MERGED = "merged", _("merged")

    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=12, choices=Why)
    is_verified = models.BooleanField(default=False, db_default=False)
    keeps = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, db_default="open")
    found_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta:
        verbose_name = _("suggested merge")
        verbose_name_plural = _("suggested merges")
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="mergesuggestion_key")]
        indexes = [models.Index(fields=["status", "-is_verified", "id"], name="mergesuggestion_open")]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"
