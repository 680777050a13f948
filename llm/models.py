"""The ledger of model calls, and what was learned about each server."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class LlmCall(models.Model):
    """One attempt to have a text written: what left the house (masked), what came back, what it cost.

    The row is committed before the network is touched, with what the call may cost at most; the answer settles it.
    The attempts of one completion share `completion_id`.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Waits for the next batch")
        ASKED = "asked", _("Asked, no answer yet")
        OK = "ok", _("Answered")
        TEMPLATE = "template", _("Template text, not AI")
        TIMED_OUT = "timed_out", _("Timed out")
        REFUSED = "refused", _("Refused by the model")
        RATE_LIMITED = "rate_limited", _("Rate limited")
        UNREACHABLE = "unreachable", _("Server unreachable")
        BAD_OUTPUT = "bad_output", _("Unusable answer")
        CUT_OFF = "cut_off", _("Answer cut off")
        OVER_BUDGET = "over_budget", _("Over budget, not sent")
        ERROR = "error", _("Rejected by the server")

    class Mode(models.TextChoices):
        NONE = "", _("None")
        JSON_SCHEMA = "json_schema", _("JSON schema enforced by the server")
        JSON_OBJECT = "json_object", _("JSON mode, schema in the prompt")
        TEXT = "text", _("Plain text, first JSON object taken")

    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    completion_id = models.UUIDField(editable=False)
    attempt = models.PositiveSmallIntegerField(default=1)
    is_repair = models.BooleanField(default=False)
    purpose = models.CharField(max_length=64)
    scope = models.CharField(
        max_length=64, blank=True, default="", help_text=_("What the call was for and counts against: campaign:12.")
    )
    prompt_name = models.CharField(max_length=100)
    prompt_version = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    server_host = models.CharField(max_length=255, blank=True, help_text=_("Host and port of the model server."))
    mode = models.CharField(max_length=16, choices=Mode.choices, blank=True, default=Mode.NONE)
    masked_request = models.JSONField(help_text=_("What the model saw, with personal values masked."))
    response = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    reserved_tokens = models.PositiveIntegerField(
        default=0, help_text=_("What this counts against the caps: the estimate until the server says what it was.")
    )
    reserved_cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.ASKED)
    error = models.TextField(blank=True, help_text=_("What happened, in words for staff."))
    reuse_key = models.CharField(
        max_length=64, blank=True, default="", editable=False,
        help_text=_("Hash of all that decides the answer; equal requests have equal keys."),
    )  # fmt: skip
    was_reused = models.BooleanField(default=False, help_text=_("An earlier answer was handed out; nothing was sent."))
    answered_by = models.UUIDField(
        null=True, blank=True, editable=False, help_text=_("The call that a reused answer came from.")
    )
    batch = models.ForeignKey(
        "LlmBatch", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls", editable=False
    )
    lease_until = models.DateTimeField(
        null=True, blank=True, editable=False,
        help_text=_("Until when an open call holds its place at the server, by the clock of the database."),
    )  # fmt: skip
    created_at = models.DateTimeField()
    keep_until = models.DateTimeField()

    class Meta:
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["completion_id", "attempt"], name="llm_call_attempt_once"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="llm_call_created"),
            models.Index(fields=["keep_until"], name="llm_call_keep_until"),
            models.Index(fields=["purpose", "created_at"], name="llm_call_purpose"),
            models.Index(fields=["scope"], name="llm_call_scope", condition=~models.Q(scope="")),
            models.Index(
                fields=["reuse_key", "-created_at"],
                name="llm_call_reuse",
                condition=models.Q(outcome="ok", was_reused=False) & ~models.Q(reuse_key=""),
            ),
            models.Index(fields=["created_at"], name="llm_call_waiting", condition=models.Q(outcome="waiting")),
            models.Index(fields=["server_host"], name="llm_call_open", condition=models.Q(outcome="asked")),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.request_id}"

    @property
    def is_template(self) -> bool:
        """True where no model wrote this text."""
        return self.outcome == self.Outcome.TEMPLATE


class LlmServerMode(models.Model):
    """Which way of asking works for a model at an address, so that no call is wasted on finding it again."""

    address = models.CharField(max_length=500)
    model = models.CharField(max_length=200)
    mode = models.CharField(max_length=16, choices=LlmCall.Mode.choices)
    wants_max_completion_tokens = models.BooleanField(default=False)
    rejects_temperature = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("model server")
        verbose_name_plural = _("model servers")
        constraints = [models.UniqueConstraint(fields=["address", "model"], name="llm_server_mode_once")]

    def __str__(self) -> str:
        return f"{self.model} @ {self.address}: {self.mode}"


class LlmServerHealth(models.Model):
    """How a model at an address is doing: the circuit breaker that all workers share.

    Closed while `opened_at` is empty. Open until `retry_at`; then one caller at a time probes, until `probe_until` at
    the latest. Deleting the row closes the breaker and does no other harm.
    """

    address = models.CharField(max_length=500)
    model = models.CharField(max_length=200)
    failures = models.PositiveIntegerField(default=0, help_text=_("Failures of the server in a row."))
    last_failed_at = models.DateTimeField(null=True, blank=True)
    failure_kind = models.CharField(max_length=20, blank=True, default="")
    failure_detail = models.CharField(max_length=300, blank=True, default="")
    failure_status = models.PositiveSmallIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)
    failed_probes = models.PositiveSmallIntegerField(default=0)
    overrun = models.DecimalField(
        max_digits=5, decimal_places=2, default=1,
        help_text=_("How many times the estimate a call used at most; estimates are multiplied by it."),
    )  # fmt: skip

    no_batches_since = models.DateTimeField(
        null=True, blank=True, help_text=_("When the server said that it takes no batches.")
    )

    class Meta:
        verbose_name = _("health of a model server")
        verbose_name_plural = _("health of model servers")
        constraints = [
            models.UniqueConstraint(fields=["address", "model"], name="llm_server_health_once"),
            models.CheckConstraint(
                condition=models.Q(opened_at=None, retry_at=None, probe_until=None)
                | models.Q(opened_at__isnull=False, retry_at__isnull=False),
                name="llm_server_health_open_has_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} @ {self.address}"


class LlmBatch(models.Model):
    """Calls that were handed to the batch interface of a provider together: slower and cheaper.

    submitting -> running -> ended | failed. The row is committed before the network is touched and its `uid` travels
    with the batch, so that a worker that died in between finds it again instead of paying twice.
    """

    class Status(models.TextChoices):
        SUBMITTING = "submitting", _("Being handed over")
        RUNNING = "running", _("At the provider")
        ENDED = "ended", _("Ended")
        FAILED = "failed", _("Failed, asked one by one")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    address = models.CharField(max_length=500)
    model = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.SUBMITTING)
    remote_id = models.CharField(max_length=200, blank=True, default="")
    requests = models.PositiveIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0, help_text=_("Tries in a row that reached nothing."))
    created_at = models.DateTimeField()
    next_look_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("batch of model calls")
        verbose_name_plural = _("batches of model calls")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                name="llm_batch_open",
                condition=models.Q(status__in=["submitting", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.uid}"


class LlmPastSpend(models.Model):
    """What calls cost whose rows are no longer kept, so that no cap is forgotten with them."""

    scope = models.CharField(max_length=64, blank=True, default="")
    on = models.DateField(help_text=_("Day in the time zone of the shop."))
    calls = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    class Meta:
        verbose_name = _("past model spend")
        verbose_name_plural = _("past model spend")
        constraints = [models.UniqueConstraint(fields=["scope", "on"], name="llm_past_spend_once")]

    def __str__(self) -> str:
        return f"{self.on} {self.scope}"
