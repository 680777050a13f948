"""A person of the shop, and the identities that were merged into one person."""

from __future__ import annotations

import functools
import zoneinfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

#: The source of rows whose person was erased: counted with others, and nobody any more.
ERASED_SOURCE = "erased"
#: The source of rows whose person is told of in another row now (`customers.merging`).
MERGED_SOURCE = "merged"


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name that is a time zone. Kept: to list them is to walk a folder, 3 to 6 ms."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone, such as "UTC+8"."""
    if name and name not in zone_names():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/London."), params={"name": name}
        )


#: All by which a person is found, written as the index customer_words has it; words apart, so that none runs into the next.
_WORDS = RawSQL(
    "(customers_customer.external_id || ' ' || customers_customer.email || ' ' || customers_customer.phone || ' '"
    " || customers_customer.first_name || ' ' || customers_customer.last_name)",
    (),
    output_field=models.TextField(),
)


class CustomerQuerySet(models.QuerySet["Customer"]):
    def known(self) -> CustomerQuerySet:
        """Without the rows of people who were erased, or merged into another."""
        return self.exclude(source__in=[ERASED_SOURCE, MERGED_SOURCE])

    def empty(self, source: str, external_id: str) -> None:
        """Leave nothing of the person in these rows but their number; for one row, because of its key."""
        blank = {column.name: "" for column in self.model._meta.concrete_fields if isinstance(column, models.CharField)}
        self.update(**{**blank, "source": source, "external_id": external_id, "attributes": {}, "joined_at": None})

    def with_email(self, address: str) -> CustomerQuerySet:
        """Customers whose address is `address`, whatever its case."""
        return self.annotate(email_folded=Lower("email")).filter(email_folded=address.strip().lower())

    def matching(self, words: str) -> CustomerQuerySet:
        """Customers whose shop id, name, address or number contains `words`."""
        # An old id finds whom it was merged into.
        merged = CustomerAlias.objects.filter(is_visitor=False, external_id=words.strip())
        found = models.Q(words__icontains=words.strip())
        if numbers := list(merged.values_list("customer_id", flat=True)[:20]):
            found |= models.Q(pk__in=numbers)
        return self.alias(words=_WORDS).filter(found)


class Customer(models.Model):
    """One person of the shop. Key: (source, external_id). `phone` is E.164 (`customers.ingest.phones`), "" for none."""

    source = models.CharField(_("source"), max_length=40, default="shop")
    external_id = models.CharField(_("shop's id"), max_length=120)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, default="")
    phone = models.CharField(_("telephone"), max_length=16, blank=True, default="", db_default="")
    first_name = models.CharField(_("first name"), max_length=120, blank=True, default="")
    last_name = models.CharField(_("last name"), max_length=120, blank=True, default="")
    language = models.CharField(_("language"), max_length=12, blank=True, default="en")
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, default="UTC", validators=[validate_time_zone]
    )
    country = models.CharField(_("country"), max_length=80, blank=True, default="")
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    joined_at = models.DateTimeField(_("customer since"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="customer_key"),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="customer_phone_e164",
            ),
        ]
        indexes = [
            models.Index(Lower("email"), name="customer_email_folded"),
            models.Index(fields=["country"], name="customer_country"),
            models.Index(fields=["joined_at"], name="customer_joined"),
            models.Index(fields=["last_name", "id"], name="customer_name"),
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="customer_phone"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name for staff pages: family name first where the writing is Chinese."""
        if any("\u4e00" <= character <= "\u9fff" for character in self.first_name + self.last_name):
            return f"{self.last_name}{self.first_name}"
        return f"{self.first_name} {self.last_name}".strip() or self.external_id


class CustomerAlias(models.Model):
    """Another identity of the same person. Key: (source, is_visitor, external_id).

    `is_visitor` marks the anonymous id of a browser or app; the newest person who was seen there counts. `came_as`: whose it
    was before a merge; what comes under it comes as theirs.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="aliases")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120)
    is_visitor = models.BooleanField(default=False, db_default=False)
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    came_as = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("further identity")
        verbose_name_plural = _("further identities")
        constraints = [
            models.UniqueConstraint(fields=["source", "is_visitor", "external_id"], name="customeralias_key")
        ]
        indexes = [
            # Whether there are any is asked before each import.
            models.Index(
                fields=["source", "external_id"], condition=models.Q(is_visitor=False), name="customeralias_merged"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
