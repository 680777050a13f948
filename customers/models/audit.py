"""What people and the system decided, in the order in which it was committed: append-only, each row sealed to the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, models
from django.utils.translation import gettext_lazy as _


class AuditAction(models.TextChoices):
    """Everything that is written down. A name is part of what is sealed: one that was used never changes."""

    CAMPAIGN_CREATED = "campaign_created", _("campaign made")
    CAMPAIGN_EDITED = "campaign_edited", _("campaign edited")
    TEXT_EDITED = "text_edited", _("text edited")
    TEXT_ADDED = "text_added", _("text added")
    TEXT_REMOVED = "text_removed", _("text removed")
    DRAFTS_REQUESTED = "drafts_requested", _("drafts asked for")
    AUDIENCE_FROZEN = "audience_frozen", _("audience frozen")
    ARCHETYPES_CHANGED = "archetypes_changed", _("archetypes changed")
    PART_APPROVED = "part_approved", _("part approved")
    APPROVAL_VOIDED = "approval_voided", _("approval voided")
    CAMPAIGN_IN_REVIEW = "campaign_in_review", _("sent to review")
    CAMPAIGN_DRAFT = "campaign_draft", _("back to draft")
    CAMPAIGN_APPROVED = "campaign_approved", _("campaign approved")
    CAMPAIGN_SCHEDULED = "campaign_scheduled", _("campaign scheduled")
    CAMPAIGN_SENDING = "campaign_sending", _("sending started")
    CAMPAIGN_PAUSED = "campaign_paused", _("sending paused")
    CAMPAIGN_RESUMED = "campaign_resumed", _("sending resumed")
    CAMPAIGN_SENT = "campaign_sent", _("sending finished")
    CAMPAIGN_MISSED = "campaign_missed", _("send window missed")
    CAMPAIGN_CANCELLED = "campaign_cancelled", _("campaign cancelled")
    CHANGE_PREPARED = "change_prepared", _("change of a running campaign begun")
    CHANGE_SUBMITTED = "change_submitted", _("change of a running campaign sent to review")
    CHANGE_APPLIED = "change_applied", _("change of a running campaign put in force")
    CHANGE_REFUSED = "change_refused", _("change of a running campaign refused")
    CHANGE_WITHDRAWN = "change_withdrawn", _("change of a running campaign withdrawn")
    CAMPAIGN_ENDED = "campaign_ended", _("live campaign ended: nobody enters any more")
    VOICE_SAVED = "voice_saved", _("brand voice saved")
    POLICIES_SAVED = "policies_saved", _("shop policies saved")
    SEGMENT_SAVED = "segment_saved", _("segment saved")
    SEGMENT_ARCHIVED = "segment_archived", _("segment archived")
    SEGMENT_RESTORED = "segment_restored", _("archived segment taken back")
    CUSTOMERS_TAGGED = "customers_tagged", _("customers tagged")
    CUSTOMERS_UNTAGGED = "customers_untagged", _("tag taken away from customers")
    CUSTOMERS_SUPPRESSED = "customers_suppressed", _("customers suppressed")
    LIMIT_CHANGED = "limit_changed", _("limit of sending changed")
    WARM_UP_BEGUN = "warm_up_begun", _("warm-up begun")
    WARM_UP_ENDED = "warm_up_ended", _("warm-up ended")
    MESSAGES_RETRIED = "messages_retried", _("messages queued again")
    SENDING_FENCED = "sending_fenced", _("sending stopped: restored backup")
    SENDING_CONFIRMED = "sending_confirmed", _("sending confirmed after a backup")
    SETTINGS_CHANGED = "settings_changed", _("settings changed")
    STAFF_TIME_ENTERED = "staff_time_entered", _("time of work on a campaign entered")
    FOUR_EYES_SWITCHED = "four_eyes_switched", _("second person switched on or off")
    GLOBAL_HOLDOUT_CHANGED = "global_holdout_changed", _("global hold-out changed")
    COUNTRY_RULE_CHANGED = "country_rule_changed", _("country rule changed")
    CHANNEL_TRIED = "channel_tried", _("channel tried")
    DOMAIN_OVERRIDDEN = "domain_overridden", _("domain check overridden")
    DOMAIN_OVERRIDE_ENDED = "domain_override_ended", _("domain override ended")
    READING_SWITCHED = "reading_switched", _("reading of texts switched")
    GROUPS_MARKED = "groups_marked", _("sensitive groups marked")
    IMPORT_REQUESTED = "import_requested", _("import started")
    IMPORT_CANCELLED = "import_cancelled", _("import cancelled")
    IMPORT_RESUMED = "import_resumed", _("import taken up again")
    EXPORTED = "exported", _("figures or rows taken out")
    KEY_MADE = "key_made", _("API key made")
    KEY_REVOKED = "key_revoked", _("API key ended")
    ENDPOINT_ADDED = "endpoint_added", _("web hook endpoint added")
    ENDPOINT_CHANGED = "endpoint_changed", _("web hook endpoint changed")
    LOGGED_IN = "logged_in", _("logged in")
    LOGIN_FAILED = "login_failed", _("log-in failed")
    USER_CREATED = "user_created", _("person added")
    USER_CHANGED = "user_changed", _("person changed")
    USER_DELETED = "user_deleted", _("person removed")
    ROLES_CHANGED = "roles_changed", _("roles changed")
    ROLE_RIGHTS_CHANGED = "role_rights_changed", _("rights of a role changed")
    CUSTOMER_EDITED = "customer_edited", _("customer corrected")
    CUSTOMER_MERGED = "customer_merged", _("customers merged")
    MERGE_UNDONE = "merge_undone", _("merge undone")
    KEPT_APART = "kept_apart", _("two customers kept apart")
    CUSTOMER_ERASED = "customer_erased", _("customer erased")
    PRIVACY_ASKED = "privacy_asked", _("copy or erasure asked for by the person")
    PRIVACY_CONFIRMED = "privacy_confirmed", _("copy or erasure confirmed by the person")
    PRIVACY_TAKEN_BACK = "privacy_taken_back", _("erasure taken back by the person")
    PRIVACY_REFUSED = "privacy_refused", _("privacy request refused")
    PROFILING_OBJECTED = "profiling_objected", _("objection to profiling noted or taken back")
    EVENTS_DROPPED = "events_dropped", _("old events dropped")
    CONSENT_BY_STAFF = "consent_by_staff", _("consent noted by staff")
    SHOP_CONNECTED = "shop_connected", _("shop connected")
    SHOP_CHANGED = "shop_changed", _("connection of a shop changed")
    SHOP_KEYS_CHANGED = "shop_keys_changed", _("keys of a shop changed")
    SHOP_HOOKS_MADE = "shop_hooks_made", _("webhooks made in a shop")
    SHOP_FILL_CHANGED = "shop_fill_changed", _("back-fill of a shop begun, paused or stopped")
    SHOP_DELIVERY_RETRIED = "shop_delivery_retried", _("webhook of a shop applied again")
    SHOP_ENDED = "shop_ended", _("shop disconnected")
    ARTICLE_SAVED = "article_saved", _("article of the knowledge base saved")
    TICKET_ASSIGNED = "ticket_assigned", _("ticket assigned")
    TICKET_ANSWERED = "ticket_answered", _("ticket answered")
    TICKET_ESCALATED = "ticket_escalated", _("ticket escalated")
    TICKET_CLOSED = "ticket_closed", _("ticket closed")
    TICKET_REOPENED = "ticket_reopened", _("ticket opened again")
    TICKET_TIED = "ticket_tied", _("ticket given to a customer")
    TICKET_CORRECTED = "ticket_corrected", _("triage of a ticket corrected")
    TRIAGE_TRAINED = "triage_trained", _("triage trained anew")
    CANNED_SAVED = "canned_saved", _("canned answer saved")
    CANNED_REMOVED = "canned_removed", _("canned answer taken away")
    AUTOMATIC_ON = "automatic_on", _("category of tickets answers by itself")
    AUTOMATIC_OFF = "automatic_off", _("category of tickets answered by people again")
    AUTOMATIC_STOPPED = "automatic_stopped", _("all automatic answers stopped")
    AUTOMATIC_RESUMED = "automatic_resumed", _("automatic answers let go again")
    AUTOMATIC_SENT = "automatic_sent", _("ticket answered automatically")
    AUTOMATIC_CHECKED = "automatic_checked", _("automatic answer checked")
    PEOPLE_ONLY = "people_only", _("wish for no automated answers kept or taken back")
    SUPPRESSED_BY_STAFF = "suppressed_by_staff", _("address suppressed by staff")
    SUPPRESSION_LIFTED = "suppression_lifted", _("address taken off the suppression list")


class AuditEntry(models.Model):
    """One thing that somebody did. Key: number, without gaps, given when the transaction commits.

    Triggers of PostgreSQL set the time and seal the row: `hash` is SHA-256 over the previous row's hash and the row as JSON
    (`customers.insights.audit_chain` says exactly how), and refuse every later change. Ids and names of fields, never an
    address or a text: so an erasure has nothing to take away here. There are no foreign keys, because what a row speaks
    of may go while the row stays. `actor_id` None is the system, or somebody who is not known.
    """

    number = models.BigIntegerField(_("number"), null=True, unique=True, editable=False)
    happened_at = models.DateTimeField(_("when"), db_default=models.functions.Now(), editable=False)
    actor_id = models.BigIntegerField(_("who"), null=True, blank=True)
    action = models.CharField(_("what"), max_length=40)  # of AuditAction; a new one needs no migration
    object_kind = models.CharField(_("kind of object"), max_length=40, blank=True, default="", db_default="")
    object_id = models.CharField(_("object"), max_length=64, blank=True, default="", db_default="")
    details = models.JSONField(_("details"), default=dict, db_default=models.Value({}, models.JSONField()))
    previous_hash = models.CharField(max_length=64, editable=False, default="", db_default="")
    hash = models.CharField(max_length=64, editable=False, default="", db_default="")

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_kind", "object_id", "-id"], name="auditentry_object"),
            models.Index(fields=["actor_id", "-id"], name="auditentry_actor"),
            models.Index(fields=["action", "-id"], name="auditentry_action"),
        ]

    def __str__(self) -> str:
        return f"{self.number or '…'} {self.action}"

    @property
    def action_label(self) -> str:
        """What was done, in words; the bare name where a later version no longer knows it."""
        return str(AuditAction(self.action).label) if self.action in AuditAction.values else self.action


def record_audit(
    action: AuditAction,
    *,
    actor: AbstractBaseUser | AnonymousUser | int | None,
    about: tuple[str, object] = ("", ""),
    **details: Any,
) -> None:
    """Write down that `actor` did something to `about` (kind, id); in the caller's transaction, so that both stand or fall.

    `details` are ids, counts and names of fields. Nobody waits here: the row is sealed at the commit.
    """
    AuditEntry.objects.bulk_create([make_entry(action, actor=actor, about=about, details=details)])


def make_entry(
    action: AuditAction,
    *,
    actor: AbstractBaseUser | AnonymousUser | int | None,
    about: tuple[str, object] = ("", ""),
    details: Mapping[str, Any],
) -> AuditEntry:
    """The row, not yet written."""
    kind, key = about
    actor_id = actor if isinstance(actor, int) else getattr(actor, "pk", None)
    return AuditEntry(
        actor_id=actor_id, action=action, object_kind=kind, object_id=str(key)[:64], details=dict(details)
    )


def name_actor(actor: AbstractBaseUser | None) -> None:
    """For the rest of this transaction: who makes the changes that PostgreSQL itself writes down."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rekindle.actor', %s, true)", [str(actor.pk) if actor else ""])


def seal_audit() -> None:
    """Seal what this transaction has written down so far, instead of at its commit; later entries wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS customers_audit_queue, customers_audit_seal IMMEDIATE")
        cursor.execute("SET CONSTRAINTS customers_audit_queue, customers_audit_seal DEFERRED")
