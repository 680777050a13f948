"""A file that was given to us, what became of it, and what was left out."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """One import of one file. `file_hash` and `options` tell two runs of the same file apart from two files.

    `is_trial`: only to be counted. Then everything is done and taken back, and the run goes back to choosing with the report.
    `mark` says how far it is while it runs, so that another worker goes on from there (customers/ingest/resuming). One that
    failed or was cancelled keeps it, with its file, for a day: until then somebody may have it go on.
    """

    class Status(models.TextChoices):
        CHOOSING = "choosing", _("columns to choose")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    file_name = models.CharField(_("file"), max_length=250)
    stored_path = models.CharField(max_length=500, blank=True, default="")
    file_hash = models.CharField(max_length=64, blank=True, default="")
    options = models.JSONField(default=dict)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.WAITING)
    step = models.CharField(_("what is happening"), max_length=120, blank=True, default="")
    is_trial = models.BooleanField(default=False, db_default=False)
    progress = models.FloatField(_("share done"), default=0)
    report = models.JSONField(_("report"), default=dict)
    mark = models.JSONField(default=dict, db_default={})
    error = models.TextField(_("error"), blank=True, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    #: For people; what a page fills in, never stored.
    kind_label: str = ""

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(status__in=["waiting", "running"]), name="importrun_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.status})"

    @property
    def lines_written(self) -> int:
        """Lines that are taken over already, of a run that is not finished."""
        return int(self.mark.get("lines_written", 0))


class ImportRejection(models.Model):
    """One line of a file that was left out, and why. Key: (run, line_number)."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejections")
    line_number = models.BigIntegerField(_("line"))
    reason = models.CharField(_("reason"), max_length=40)
    content = models.TextField(_("content"), blank=True, default="")

    class Meta:
        verbose_name = _("left-out line")
        verbose_name_plural = _("left-out lines")
        constraints = [models.UniqueConstraint(fields=["run", "line_number"], name="importrejection_key")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.line_number} {self.reason}"


class ImportFates(models.Model):
    """What became of the lines of a file that were not left out, a letter each from `first_line` on: created, updated, s for the
    same; a blank is a line that was left out or passed over. Key: (run, first_line). Nothing in it tells of a person."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="fates")
    first_line = models.BigIntegerField()
    fates = models.TextField()

    class Meta:
        verbose_name = _("what became of lines")
        verbose_name_plural = _("what became of lines")
        constraints = [models.UniqueConstraint(fields=["run", "first_line"], name="importfates_key")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.first_line}"
