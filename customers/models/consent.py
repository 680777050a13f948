"""What a person agreed to, and addresses that must never be written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer


class Channel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")
    PUSH = "push", _("push notification")
    WEBHOOK = "webhook", _("webhook")


@contextmanager
def forgetting() -> Iterator[None]:
    """Inside, consents may be deleted, as an erasure and the undo of a merge have to; everywhere else a trigger refuses it.

    For the transaction that is open: outside one it does nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rekindle.forgets', 'on', true)")
    yield
    with connection.cursor() as cursor:  # after an error the transaction is over, and with it the setting
        cursor.execute("SELECT set_config('rekindle.forgets', 'off', true)")


class ConsentRecord(models.Model):
    """One consent given or withdrawn; append-only, which a trigger holds; the newest per customer and channel counts.

    Pending: somebody asked with this address, and has yet to confirm from it; nobody is written to. Expired: it was given and
    the rule of the country let it lapse, at `recorded_at`. `is_test` marks a consent that exists only so that the loop can be
    walked on data without addresses: it counts only while mail goes to the built-in mail catcher.
    `came_as`: the merged identity that it was told of, where it was one.
    """

    class Status(models.TextChoices):
        GIVEN = "given", _("given")
        WITHDRAWN = "withdrawn", _("withdrawn")
        PENDING = "pending", _("to be confirmed")
        EXPIRED = "expired", _("lapsed")

    class LegalBasis(models.TextChoices):
        CONSENT = "consent", _("consent")
        EXISTING_CUSTOMER = "existing_customer", _("existing customer")
        TEST = "test", _("test only")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    status = models.CharField(max_length=12, choices=Status)
    legal_basis = models.CharField(max_length=24, choices=LegalBasis)
    source = models.CharField(max_length=80)
    proof = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    is_test = models.BooleanField(default=False, db_default=False)
    recorded_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    came_as = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            models.Index(fields=["customer", "channel", "-recorded_at", "-id"], name="consent_newest"),
            models.Index(fields=["id"], condition=models.Q(is_test=True), name="consent_test"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"


class TrackingConsent(models.Model):
    """Whether a person agreed that we see when they open a message; append-only by a trigger, the newest counts.

    Nobody agreed who has no row: individual tracking of opens is off unless a person said yes to it, and being written to
    is another question than being watched.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tracking_consents")
    is_given = models.BooleanField()
    source = models.CharField(max_length=80)
    proof = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    recorded_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("consent to open tracking")
        verbose_name_plural = _("consents to open tracking")
        indexes = [models.Index(fields=["customer", "-recorded_at", "-id"], name="trackingconsent_newest")]

    def __str__(self) -> str:
        return "given" if self.is_given else "withdrawn"


class Suppression(models.Model):
    """An address that must not be written to, kept as a keyed hash so that it outlives an erasure.

    Key: (channel, address_hash). `customers.ingest.consent.hash_address` makes the hash.
    """

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("hard bounce")
        COMPLAINED = "complained", _("reported as spam")
        STAFF = "staff", _("added by staff")
        ERASED = "erased", _("erased")

    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    address_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=16, choices=Reason)
    source = models.CharField(max_length=80, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [models.UniqueConstraint(fields=["channel", "address_hash"], name="suppression_key")]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"


class SuppressedDomain(models.Model):
    """A domain of mail that nobody is written to at. Key: (domain, is_below), the domain in ASCII and small letters.

    With `is_below` it stands for all names below it, and not for itself; staff write it *.shop.example.
    """

    domain = models.CharField(max_length=253)
    is_below = models.BooleanField(default=False, db_default=False)
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("suppressed domain")
        verbose_name_plural = _("suppressed domains")
        constraints = [models.UniqueConstraint(fields=["domain", "is_below"], name="suppresseddomain_key")]
        indexes = [
            models.Index(fields=["domain"], condition=models.Q(is_below=True), name="suppresseddomain_below")
        ]  # hardly ever more than a few: each address is held against all of them

    def __str__(self) -> str:
        return f"*.{self.domain}" if self.is_below else self.domain
