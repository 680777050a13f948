"""Words that staff put to customers, and which columns each of the staff wants to see."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge


class CustomerTag(models.Model):
    """A word that staff put to a customer: a list that changes only by hand. Key: (customer, tag)."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tags", db_index=False)
    tag = models.CharField(_("tag"), max_length=60)
    added_at = models.DateTimeField(db_default=Now())

    on_merge: ClassVar[OnMerge] = OnMerge.UNLESS_THERE

    class Meta:
        verbose_name = _("tag of a customer")
        verbose_name_plural = _("tags of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "tag"], name="customertag_key")]
        indexes = [models.Index(fields=["tag", "customer"], name="customertag_tag")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.tag}"


class ColumnChoice(models.Model):
    """The columns of the customers list as somebody chose them, in their order. Key: user."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="customer_columns"
    )
    columns = models.JSONField(default=list)

    class Meta:
        verbose_name = _("choice of columns")
        verbose_name_plural = _("choices of columns")
        permissions = [
            ("export_list", "Can take lists of customers out"),
            ("suppress_list", "Can suppress the addresses of many customers at once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.columns}"
