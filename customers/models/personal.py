"""What becomes of rows that tell of a person when that person is erased or merged, and the erasures themselves."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class KeptOnErasure:
    """A table whose rows stay, because others are counted with them; `blanked` are the columns that are emptied.

    A table says so by `on_erasure`. All others that refer to a customer lose the rows.
    """

    blanked: Mapping[str, Any] = field(default_factory=dict)


class OnMerge(enum.Enum):
    """What becomes of a table's rows when their customer is merged into another. A table says so by `on_merge`.

    Without it: rows of a table with a column `came_as` follow, and the column says under whom they came; of other tables they
    follow and the merge keeps their keys. A table that may hold one row per customer has to say what becomes of it.
    """

    STAYS = "stays with the row under which it was made"
    UNLESS_THERE = "follows, unless the survivor has the same"
    WORKED_OUT = "of both it goes, and is worked out anew"
    COMBINED = "the stricter of both holds; the loser's own row stays with it"


class ErasedPerson(models.Model):
    """A person who was erased, as a keyed hash of (source, external_id). Key: identity_hash.

    So that a file that still names them does not bring them back. No customer's number stands here.
    """

    identity_hash = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("erased person")
        verbose_name_plural = _("erased people")

    def __str__(self) -> str:
        return f"{self.identity_hash[:12]} {self.erased_at:%Y-%m-%d}"


class WishMark(models.Model):
    """How far this database has compared what stands in WISHES_FILE, in bytes. One row; a restored backup has an older one, and
    so finds all that was said since it was taken."""

    position = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("place in the file of wishes")
        verbose_name_plural = _("places in the file of wishes")

    def __str__(self) -> str:
        return str(self.position)


class OutsideLine(models.Model):
    """A line that is to stand outside the database and does not yet: written with what it says, gone once it is on disk.

    So a crash between the two loses none. It holds hashes, as the file does.
    """

    class File(models.TextChoices):
        ERASURES = "erasures", "ERASURE_FILE"
        WISHES = "wishes", "WISHES_FILE"

    file = models.CharField(max_length=12, choices=File)
    line = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("line for a file outside")
        verbose_name_plural = _("lines for files outside")

    def __str__(self) -> str:
        return f"{self.file} {self.pk}"


class PrivacyRequest(models.Model):
    """What a person asked for, and by when it has to be done. The row stays; `customer_number` is emptied by an erasure.

    Waiting: they have yet to confirm it by the link in a mail, and nobody else has to do anything. Scheduled: they confirmed, and
    the erasure runs at `runs_at`. Open: staff decide.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("a copy of their data")
        ERASURE = "erasure", _("to be erased")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        WAITING = "waiting", _("to be confirmed by them")
        SCHEDULED = "scheduled", _("confirmed by them")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        LAPSED = "lapsed", _("never confirmed")
        TAKEN_BACK = "taken_back", _("taken back by them")

    #: Of those that are not decided.
    UNDECIDED: ClassVar[tuple[str, ...]] = (Status.OPEN.value, Status.WAITING.value, Status.SCHEDULED.value)

    customer_number = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, db_default="open")
    source = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    runs_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ["status", "due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer_number", "kind"],
                condition=models.Q(status__in=["open", "waiting", "scheduled"]),
                name="privacyrequest_one_undecided",
            )
        ]
        indexes = [
            models.Index(fields=["runs_at"], condition=models.Q(status="scheduled"), name="privacyrequest_to_run")
        ]
        permissions = [
            ("export_customer", "Can give a person a copy of their data"),
            ("erase_customer", "Can erase a person"),
            ("drop_events", "Can drop events that are older than the shop keeps them"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"

    @property
    def is_undecided(self) -> bool:
        return self.status in self.UNDECIDED
