"""The shop's catalogue."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Product(models.Model):
    """One thing the shop sells. Key: sku. `is_charge` marks postage, fees and the like, which are no wares."""

    sku = models.CharField(_("article number"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=250, blank=True, default="")
    names = models.JSONField(_("names by language"), default=dict, blank=True)
    category = models.CharField(_("category"), max_length=120, blank=True, default="", db_index=True)
    brand = models.CharField(_("brand"), max_length=120, blank=True, default="", db_default="")
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    stock = models.IntegerField(_("stock"), null=True, blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True, default="")
    is_charge = models.BooleanField(_("a charge, not a ware"), default=False)
    version = models.PositiveIntegerField(default=1, db_default=1)
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name or self.sku

    def name_in(self, language: str) -> str:
        """The product's name in `language`, or its own name where there is none."""
        found = self.names.get(language) if isinstance(self.names, dict) else None
        return str(found or self.name or self.sku)


class ProductVersion(models.Model):
    """What a product was from `recorded_at` on, until the next version. Key: (product, number); written by a trigger of the
    database, whichever way the change came in, so that a text can be held against the very version it was checked with."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=250, blank=True, default="")
    category = models.CharField(max_length=120, blank=True, default="")
    brand = models.CharField(max_length=120, blank=True, default="")
    price = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    stock = models.IntegerField(null=True, blank=True)
    url = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("version of a product")
        verbose_name_plural = _("versions of products")
        constraints = [models.UniqueConstraint(fields=["product", "number"], name="productversion_key")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.number}"
