"""Mail that came in: which was seen, what stands behind a message, the files it brought, and the mailbox it was read from."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.kept_files import KeptFiles

from .message import TicketMessage


class MailWay(models.TextChoices):
    HOOK = "hook", _("web hook")
    IMAP = "imap", _("mailbox")


class MailOutcome(models.TextChoices):
    TAKEN = "taken", pgettext_lazy("mail", "taken in")
    AUTO_REPLY = "auto_reply", _("an automatic reply")
    BOUNCE = "bounce", _("a report of a mail server")
    LIST = "list", _("mail to a list")
    OURS = "ours", _("our own mail that came back")
    FLOOD = "flood", _("too many from one address")
    NOBODY = "nobody", _("without a sender")
    UNREADABLE = "unreadable", _("could not be read")


class SeenMail(models.Model):
    """A mail that was dealt with, once. Key: `key`, a hash of its Message-ID. Says nothing of anybody, and so outlives
    an erasure:
    a copy that is delivered later changes nothing. `place` is where a person finds one that we could not read."""

    key = models.CharField(max_length=64, unique=True)
    way = models.CharField(_("came by"), max_length=4, choices=MailWay)
    outcome = models.CharField(_("outcome"), max_length=12, choices=MailOutcome)
    place = models.CharField(max_length=80, blank=True, default="", db_default="")
    seen_at = models.DateTimeField(_("seen"))

    class Meta:
        verbose_name = _("mail that was seen")
        verbose_name_plural = _("mail that was seen")
        indexes = [models.Index(fields=["-seen_at"], name="seenmail_newest")]

    def __str__(self) -> str:
        return f"{self.key[:12]} {self.outcome}"


class MailSource(models.Model):
    """What stands behind a message that came by mail. Key: message; `key` as in SeenMail. Erased and exported with its ticket.

    `whole` is all of its text, quotations and signature included, `headers` its header block; both are forgotten after
    SUPPORT_FILE_DAYS. `results` is what `vouched_by`, our own mail server, said of SPF, DKIM and DMARC; `is_proven` where that
    proves the sender's domain. The address alone proves nothing. `internet_id` is its Message-ID.
    """

    message = models.OneToOneField(TicketMessage, on_delete=models.CASCADE, related_name="mail")
    key = models.CharField(max_length=64, unique=True)
    way = models.CharField(max_length=4, choices=MailWay)
    internet_id = models.CharField(max_length=400, blank=True, default="", db_default="")
    from_address = models.CharField(_("from"), max_length=254, blank=True, default="", db_default="")
    from_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    to_addresses = ArrayField(
        models.CharField(max_length=254), verbose_name=_("to"), default=list, blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=254))),
    )  # fmt: skip
    headers = models.TextField(blank=True, default="", db_default="")
    whole = models.TextField(blank=True, default="", db_default="")
    is_cut = models.BooleanField(default=False, db_default=False)
    results = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    vouched_by = models.CharField(max_length=255, blank=True, default="", db_default="")
    is_proven = models.BooleanField(_("sender proved"), default=False, db_default=False)
    received_at = models.DateTimeField(_("received"))
    forgotten_at = models.DateTimeField(_("text forgotten"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [models.Index(fields=["from_address", "-received_at"], name="mailsource_sender")]

    def __str__(self) -> str:
        return f"{self.internet_id or self.pk}"


class Refusal(models.TextChoices):
    NONE = "", pgettext_lazy("attachment", "kept")
    TOO_MANY = "too_many", _("one file too many")
    TOO_LARGE = "too_large", _("too large")
    EMPTY = "empty", pgettext_lazy("attachment", "empty")
    PROGRAM = "program", _("a program")
    ACTIVE = "active", _("a page or drawing that could run scripts")
    ARCHIVE = "archive", _("an archive")
    MACROS = "macros", _("a kind of office file that may hold macros")
    UNKNOWN = "unknown", _("of a kind that is not taken")
    MAIL_CUT = "mail_cut", _("the mail is too large; it is in the mailbox")
    FORGOTTEN = "forgotten", _("deleted after the time that files are kept")


class Attachment(models.Model):
    """A file that came with a message, or was refused. Key: (message, position). Erased and exported with its ticket,
    file and all.

    `content_type` was found in its bytes. `stored_as` is its name below ATTACHMENT_DIR, "" where it is not kept.
    """

    kept_files = KeptFiles("stored_as")

    message = models.ForeignKey(TicketMessage, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("name"), max_length=150, blank=True, default="", db_default="")
    content_type = models.CharField(_("kind"), max_length=100, blank=True, default="", db_default="")
    ending = models.CharField(max_length=8, blank=True, default="", db_default="")
    size = models.PositiveBigIntegerField(_("bytes"), default=0, db_default=0)
    stored_as = models.CharField(max_length=32, blank=True, default="", db_default="")
    refusal = models.CharField(
        _("refused because of"), max_length=10, choices=Refusal, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["message", "position"], name="attachment_key")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.position}"

    @property
    def file_name(self) -> str:
        """The name that it is downloaded under: it ends as its content does, whatever it was called."""
        name = self.name or "file"
        return name if name.lower().endswith(f".{self.ending}") or not self.ending else f"{name}.{self.ending}"


class Trouble(models.TextChoices):
    NONE = "", pgettext_lazy("mailbox", "well")
    UNREACHABLE = (
        "unreachable",
        _("The server does not answer. Is its name right, is it running, does a firewall stand between?"),
    )
    NOT_PRIVATE = (
        "not_private",
        _("The connection cannot be kept private: the server's certificate does not fit its name."),
    )
    LOGIN = "login", _("The server refused user and password. Many providers want a password for applications here.")
    NO_FOLDER = "no_folder", _("The server does not have this folder.")
    BROKE_OFF = "broke_off", _("The server broke off, or answered what we do not understand.")


class MailboxState(models.Model):
    """How far a mailbox was read. Key: mailbox, a hash of server, user and folder. IMAP numbers mails upwards within a
    `uid_validity`; `last_uid` goes forward in the transaction that takes the mail in, so a crash neither loses nor doubles one.
    `unmarked_uid` is the one that was taken in and is still to be marked on the server; 0 where none is."""

    mailbox = models.CharField(max_length=64, unique=True)
    uid_validity = models.BigIntegerField(default=0, db_default=0)
    last_uid = models.BigIntegerField(default=0, db_default=0)
    unmarked_uid = models.BigIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=12, choices=Trouble, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("state of a mailbox")
        verbose_name_plural = _("states of mailboxes")

    def __str__(self) -> str:
        return self.mailbox[:12]
