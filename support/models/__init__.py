"""What customers ask, and what we answer: tickets, their messages, suggested answers with their sources, and articles."""

from customers.models import Intent, Topic

from .answer import Answer, AnswerStatus
from .article import Article, ArticleVersion
from .automatic import AutomaticAnswer, AutomaticCategory, AutomaticStop, PeopleOnly
from .canned import CannedAnswer
from .mail import Attachment, MailboxState, MailOutcome, MailSource, MailWay, Refusal, SeenMail, Trouble
from .message import Direction, TicketMessage
from .rating import Rating
from .ticket import (
    ALLOWED_TRANSITIONS,
    Sentiment,
    Ticket,
    TicketChannel,
    TicketConflict,
    TicketStatus,
    TiedBy,
    Urgency,
)
from .triage import TriageCorrection, TriageField, TriageModel, TriageReading

__all__ = [
    "ALLOWED_TRANSITIONS",
    "Answer",
    "AnswerStatus",
    "Article",
    "ArticleVersion",
    "Attachment",
    "AutomaticAnswer",
    "AutomaticCategory",
    "AutomaticStop",
    "CannedAnswer",
    "Direction",
    "Intent",
    "MailOutcome",
    "MailSource",
    "MailWay",
    "MailboxState",
    "PeopleOnly",
    "Rating",
    "Refusal",
    "SeenMail",
    "Sentiment",
    "Ticket",
    "TicketChannel",
    "TicketConflict",
    "TicketMessage",
    "TicketStatus",
    "TiedBy",
    "Topic",
    "TriageCorrection",
    "TriageField",
    "TriageModel",
    "TriageReading",
    "Trouble",
    "Urgency",
]
