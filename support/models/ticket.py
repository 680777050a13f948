"""A conversation with a customer."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Intent, Order, Topic


class TicketConflict(Exception):
    """The ticket was not in the state that the change starts from: somebody else was first (HTTP 409)."""


class TicketChannel(models.TextChoices):
    WEB = "web", _("web form")
    API = "api", _("API")
    MAIL = "mail", _("e-mail")


class TiedBy(models.TextChoices):
    """What says that a conversation is this customer's; "" where its channel did."""

    CHANNEL = "", pgettext_lazy("ticket", "its channel")
    SERVER = "server", _("our mail server vouches for the sender")
    REPLY = "reply", _("it answers our mail to this customer, from their address")
    PERSON = "person", _("a colleague said so")


class TicketStatus(models.TextChoices):
    OPEN = "open", pgettext_lazy("ticket", "open")
    WAITING = "waiting", _("waits for the customer")
    ESCALATED = "escalated", _("escalated")
    CLOSED = "closed", pgettext_lazy("ticket", "closed")


class Urgency(models.IntegerChoices):
    LOW = 1, pgettext_lazy("urgency", "low")
    USUAL = 2, pgettext_lazy("urgency", "usual")
    HIGH = 3, pgettext_lazy("urgency", "high")
    AT_ONCE = 4, _("at once")


class Sentiment(models.TextChoices):
    NEGATIVE = "negative", _("negative")
    NEUTRAL = "neutral", _("neutral")
    POSITIVE = "positive", _("positive")


#: What may follow what. A closed ticket opens again when its customer writes again.
ALLOWED_TRANSITIONS: dict[str, tuple[str, ...]] = {
    TicketStatus.OPEN: (TicketStatus.WAITING, TicketStatus.ESCALATED, TicketStatus.CLOSED),
    TicketStatus.WAITING: (TicketStatus.OPEN, TicketStatus.ESCALATED, TicketStatus.CLOSED),
    TicketStatus.ESCALATED: (TicketStatus.OPEN, TicketStatus.WAITING, TicketStatus.CLOSED),
    TicketStatus.CLOSED: (TicketStatus.OPEN,),
}
UNFINISHED = (TicketStatus.OPEN, TicketStatus.WAITING, TicketStatus.ESCALATED)
#: It is for us to act.
TO_ANSWER = (TicketStatus.OPEN, TicketStatus.ESCALATED)
#: Whose tickets a search finds, where more customers have its words than that.
MOST_PEOPLE = 1_000


class TicketQuerySet(models.QuerySet["Ticket"]):
    def to_answer(self) -> TicketQuerySet:
        return self.filter(status__in=TO_ANSWER)

    def by_urgency(self) -> TicketQuerySet:
        """What has to be answered first comes first."""
        return self.order_by("-urgency", models.F("due_at").asc(nulls_last=True), "pk")

    def untriaged(self) -> TicketQuerySet:
        return self.filter(triaged_at=None).order_by("pk")

    def find_next(self, ticket: Ticket) -> Ticket | None:
        """What is to be answered after this one; the first of all where nothing comes after it, None where nothing waits."""
        rest = self.to_answer().exclude(pk=ticket.pk).by_urgency()
        if ticket.status not in TO_ANSWER:
            return rest.first()
        same, at = models.Q(urgency=ticket.urgency), ticket.due_at
        later = models.Q(due_at__gt=at) | models.Q(due_at=None) if at else models.Q(pk__in=())
        after = models.Q(urgency__lt=ticket.urgency) | same & (later | models.Q(due_at=at, pk__gt=ticket.pk))
        return rest.filter(after).first() or rest.first()

    def matching(self, words: str) -> TicketQuerySet:
        """Tickets whose number, subject, messages, writer, customer or order is `words` or has them, or that bear them as a
        tag. A customer is found as on the page of customers: by any part of name, address, telephone or id."""
        words = words.strip()
        people = list(Customer.objects.matching(words).values_list("pk", flat=True)[:MOST_PEOPLE])
        found = (
            models.Q(subject__icontains=words)
            | models.Q(writer_email__icontains=words)
            | models.Q(writer_name__icontains=words)
            | models.Q(tags__contains=[words[:40]])
            | models.Q(customer__in=people)
            | models.Q(order__external_id__iexact=words.lstrip("#"))
            | models.Q(pk__in=Ticket.objects.filter(messages__text__icontains=words).values("pk"))
        )
        if words.lstrip("#").isdecimal() and len(words) < 18:
            found = found | models.Q(pk=int(words.lstrip("#")))
        return self.filter(found)


class Ticket(models.Model):
    """One conversation. Key: (channel, external_id). Erased and exported with its customer, or with whom its address is theirs.

    What triage says of it stands beside its reasons (`triage`, a dict of field to {value, by, sureness, reasons}); a
    person's word wins. `complaint_round` counts how often it has become a complaint: each round is an event of its own.
    """

    #: A conversation that is tied to nobody is of whoever has this address, when they ask for a copy or to be erased.
    named_by_address = "writer_email"

    channel = models.CharField(_("channel"), max_length=8, choices=TicketChannel)
    external_id = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="tickets")
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets")
    writer_email = models.EmailField(_("written from"), max_length=254, blank=True, default="", db_default="")
    writer_name = models.CharField(_("name"), max_length=120, blank=True, default="", db_default="")
    subject = models.CharField(_("subject"), max_length=200, blank=True, default="", db_default="")
    status = models.CharField(
        _("status"), max_length=12, choices=TicketStatus, default=TicketStatus.OPEN, db_default="open"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    tags = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("tags"),
        default=list,
        blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=40))),
    )
    language = models.CharField(_("language"), max_length=12, blank=True, default="", db_default="")
    topic = models.CharField(_("about"), max_length=16, choices=Topic, blank=True, default="", db_default="")
    intent = models.CharField(_("what they want"), max_length=16, choices=Intent, blank=True, default="", db_default="")
    sentiment = models.CharField(
        _("sentiment"), max_length=10, choices=Sentiment, blank=True, default="", db_default=""
    )
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency, default=Urgency.USUAL, db_default=2)
    is_complaint = models.BooleanField(_("complaint"), default=False, db_default=False)
    #: Strong negative sentiment: it holds promotions like a complaint, and is none.
    is_upset = models.BooleanField(_("very unhappy"), default=False, db_default=False)
    complaint_round = models.PositiveSmallIntegerField(default=0, db_default=0)
    needs_look = models.BooleanField(_("triage is in doubt"), default=False, db_default=False)
    triage = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    triaged_at = models.DateTimeField(null=True, blank=True)
    escalation = models.CharField(_("escalated because of"), max_length=200, blank=True, default="", db_default="")
    outcome = models.CharField(_("outcome"), max_length=200, blank=True, default="", db_default="")
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("to be answered by"), null=True, blank=True)
    first_answer_at = models.DateTimeField(_("first answer"), null=True, blank=True)
    last_message_at = models.DateTimeField(_("last message"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    rating_asked_at = models.DateTimeField(_("asked how it was"), null=True, blank=True)
    tied_by = models.CharField(max_length=8, choices=TiedBy, blank=True, default="", db_default="")
    #: The message of a campaign that it answers, by its number in the outbox.
    sent_number = models.BigIntegerField(null=True, blank=True)
    held_until = models.DateTimeField(_("no promotions until"), null=True, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="ticket_key"),
            models.CheckConstraint(condition=models.Q(urgency__gte=1, urgency__lte=4), name="ticket_urgency"),
        ]
        indexes = [
            models.Index(fields=["-urgency", "due_at"], condition=~models.Q(status="closed"), name="ticket_queue"),
            models.Index(fields=["triaged_at"], condition=models.Q(triaged_at=None), name="ticket_untriaged"),
            models.Index(fields=["-last_message_at"], name="ticket_newest"),
        ]
        permissions = [("answer_ticket", "Can answer, assign and close tickets")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"

    @property
    def holds_promotions(self) -> bool:
        """While it is open, and for the cooling time after."""
        return self.is_complaint or self.is_upset

    @property
    def shows_topic(self) -> bool:
        """It says something: "something else" only where the intent says no more."""
        return bool(self.topic) and (self.topic != Topic.OTHER or self.intent in ("", Intent.OTHER))

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def interface_language(self) -> str:
        """The catalogue in which our own words to the writer stand."""
        return "zh-hans" if self.language == "zh" else "en"

    @property
    def asker(self) -> str:
        """Who asks, for staff: the customer's name, else what the writer calls themself, an address, the shop's id."""
        customer = self.customer
        if customer is not None and (customer.first_name or customer.last_name):
            return customer.display_name
        return self.writer_name or self.answer_address or (customer.external_id if customer is not None else "")

    @property
    def answer_address(self) -> str:
        """Where an answer goes; "" where nobody can be written to."""
        return (self.customer.email if self.customer else "") or self.writer_email

    def is_late(self, now: dt.datetime) -> bool:
        """Nobody has answered, and the time that was set for it is over."""
        return self.is_unfinished and self.due_at is not None and self.due_at < now

    def move(self, to: str, **fields: object) -> None:
        """The guarded change of state; raises TicketConflict where it is not in a state that `to` may follow."""
        sources = [status for status, targets in ALLOWED_TRANSITIONS.items() if to in targets]
        if not Ticket.objects.filter(pk=self.pk, status__in=sources).update(status=to, **fields):
            raise TicketConflict(_("The ticket has changed in the meantime. Reload the page and look again."))
        self.refresh_from_db()
