"""Shops that are connected, what they told us by webhook, and how new each of their things is."""

from __future__ import annotations

import datetime as dt
import secrets

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ShopConnectionQuerySet(models.QuerySet["ShopConnection"]):
    def with_waiting(self) -> ShopConnectionQuerySet:
        """With `waiting`, how many webhooks of each are kept and not applied."""
        return self.annotate(
            waiting=models.Count("deliveries", filter=models.Q(deliveries__status__in=["waiting", "failed"]))
        )


class ShopConnection(models.Model):
    """One shop that tells us what happens there. Key: source, which its customers and orders are kept under.

    `sealed_keys` is JSON of its keys, encrypted (`customers.ingest.shops.keys`): never in a page, a log or an export. The
    columns `fill_…` are the back-fill: what is asked for, where it stands, and whose turn it is.
    """

    class Kind(models.TextChoices):
        SHOPIFY = "shopify", "Shopify"
        WOOCOMMERCE = "woocommerce", "WooCommerce"

    class Status(models.TextChoices):
        SETTING_UP = "setting_up", _("being set up")
        CONNECTED = "connected", pgettext_lazy("shop", "connected")
        ENDED = "ended", pgettext_lazy("shop", "disconnected")

    class Fill(models.TextChoices):
        NONE = "none", _("not begun")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    name = models.CharField(_("name"), max_length=80)
    source = models.SlugField(_("source"), max_length=40, unique=True)
    address = models.URLField(_("address"), max_length=200)
    sealed_keys = models.TextField(blank=True, default="", db_default="", editable=False)
    #: The last part of the address that the shop calls: it says nothing of who is connected here.
    hook_token = models.CharField(max_length=60, unique=True, default=secrets.token_urlsafe, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.SETTING_UP)
    currency = models.CharField(max_length=3, blank=True, default="")
    public_url = models.URLField(max_length=200, blank=True, default="")
    tested_at = models.DateTimeField(null=True, blank=True)
    test_error = models.TextField(blank=True, default="")
    hooks_made_at = models.DateTimeField(null=True, blank=True)
    hooks_error = models.TextField(blank=True, default="")
    last_hook_at = models.DateTimeField(null=True, blank=True)
    hooks_taken = models.PositiveBigIntegerField(default=0, db_default=0)
    hooks_refused = models.PositiveBigIntegerField(default=0, db_default=0)
    #: Something came too late to be believed: look at the shop's own word for everything changed since then.
    catch_up_from = models.DateTimeField(null=True, blank=True)
    redaction_asked_at = models.DateTimeField(null=True, blank=True)

    fill_status = models.CharField(max_length=8, choices=Fill, default=Fill.NONE, db_default="none")
    fill_since = models.DateTimeField(null=True, blank=True)
    fill_stage = models.CharField(max_length=12, blank=True, default="", db_default="")
    fill_cursor = models.JSONField(default=dict, blank=True)
    fill_counts = models.JSONField(default=dict, blank=True)
    fill_totals = models.JSONField(default=dict, blank=True)
    fill_error = models.TextField(blank=True, default="", db_default="")
    fill_tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    fill_next_at = models.DateTimeField(null=True, blank=True)
    fill_lease_until = models.DateTimeField(null=True, blank=True)
    fill_started_at = models.DateTimeField(null=True, blank=True)
    fill_finished_at = models.DateTimeField(null=True, blank=True)
    #: When everything was here for the first time; a later back-fill of what changed does not alter that.
    filled_at = models.DateTimeField(null=True, blank=True)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ShopConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connected shop")
        verbose_name_plural = _("connected shops")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_keys(self) -> bool:
        return bool(self.sealed_keys)

    @property
    def is_filling(self) -> bool:
        return self.fill_status in {self.Fill.WAITING, self.Fill.RUNNING}


class ShopDeliveryQuerySet(models.QuerySet["ShopDelivery"]):
    def due(self, now: dt.datetime) -> ShopDeliveryQuerySet:
        """What is kept and not applied yet, and whose time it is; in the order in which it came."""
        waiting = self.filter(status__in=[ShopDelivery.Status.WAITING, ShopDelivery.Status.FAILED], next_at__lte=now)
        return waiting.exclude(connection__status=ShopConnection.Status.ENDED).order_by("pk")

    def outlived(self, now: dt.datetime) -> ShopDeliveryQuerySet:
        """Rows older than SHOP_DELIVERY_DAYS that wait for nothing."""
        oldest = now - dt.timedelta(days=settings.SHOP_DELIVERY_DAYS)
        return self.filter(received_at__lt=oldest).exclude(status=ShopDelivery.Status.WAITING)


class ShopDelivery(models.Model):
    """One webhook of a shop. Key: (connection, digest) of those that were not refused.

    `digest` is SHA-256 of the body, the only part that the shop signs: a copy under another id, time or topic is a copy.
    The row is the queue: `body` is kept until it is applied, and then emptied.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        APPLIED = "applied", pgettext_lazy("webhook", "applied")
        IGNORED = "ignored", pgettext_lazy("webhook", "nothing to apply")
        LATE = "late", _("too late, fetched anew")
        FAILED = "failed", _("failed")
        REFUSED = "refused", pgettext_lazy("webhook", "refused")

    connection = models.ForeignKey(ShopConnection, on_delete=models.CASCADE, related_name="deliveries")
    delivery_id = models.CharField(max_length=100, blank=True, default="")
    topic = models.CharField(max_length=80, blank=True, default="")
    digest = models.CharField(max_length=64)
    triggered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status)
    reason = models.TextField(blank=True, default="", db_default="")
    body = models.TextField(blank=True, default="", db_default="")
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    copies = models.PositiveIntegerField(default=0, db_default=0)

    objects = ShopDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook of a shop")
        verbose_name_plural = _("webhooks of shops")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "digest"], condition=~models.Q(status="refused"), name="shopdelivery_key"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(status__in=["waiting", "failed"]), name="shopdelivery_due"
            ),
            models.Index(fields=["connection", "status", "-id"], name="shopdelivery_listed"),
            models.Index(fields=["received_at"], name="shopdelivery_received"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.status}"


class ShopThing(models.Model):
    """How new our word of one thing of a shop is. Key: (connection, key); `key` is a keyed hash of its kind and id.

    An older state never overwrites a newer one. `names` are the article numbers of a product, so that it can be found
    when the shop only says that its number is gone.
    """

    connection = models.ForeignKey(ShopConnection, on_delete=models.CASCADE, related_name="things")
    key = models.CharField(max_length=64)
    changed_at = models.DateTimeField()
    names = models.JSONField(default=list, blank=True, db_default=models.Value([], models.JSONField()))
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("state of a shop's thing")
        verbose_name_plural = _("states of a shop's things")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="shopthing_key")]

    def __str__(self) -> str:
        return f"{self.key[:12]} {self.changed_at:%Y-%m-%d}"
