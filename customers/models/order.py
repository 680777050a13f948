"""What was bought. Returns and cancellations are negative lines."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .product import Product


class Order(models.Model):
    """One order. Key: (source, external_id). `total` is the sum of its lines less the discount, in `currency`.

    `is_return` is true where every line is negative: such an order is no purchase. `came_as`: the merged identity that it was
    told of, where it was one.
    """

    source = models.CharField(max_length=40, default="shop")
    external_id = models.CharField(_("shop's order number"), max_length=120)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    ordered_at = models.DateTimeField(_("ordered at"))
    currency = models.CharField(_("currency"), max_length=3)
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    discount = models.DecimalField(_("discount"), max_digits=14, decimal_places=2, default=0, db_default=0)
    discount_code = models.CharField(_("discount code"), max_length=60, blank=True, default="")
    is_return = models.BooleanField(_("return"), default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    came_as = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="order_key")]
        indexes = [
            models.Index(fields=["customer", "ordered_at"], name="order_customer_time"),
            models.Index(fields=["ordered_at"], name="order_time"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    """One line of an order. Key: (order, position)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="lines", null=True, blank=True)
    quantity = models.IntegerField(_("quantity"))
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="orderline_key")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
