"""What customers ask, and what we answer: tickets, their messages, suggested answers with their sources, and articles."""

from .answer import Answer, AnswerStatus
from .article import Article, ArticleVersion
from .automatic import AutomaticAnswer, AutomaticCategory, AutomaticStop, PeopleOnly
from .canned import CannedAnswer
from .message import Direction, TicketMessage
from .rating import Rating
from .ticket import (
    ALLOWED_TRANSITIONS,
    Intent,
    Sentiment,
    Ticket,
    TicketChannel,
    TicketConflict,
    TicketStatus,
    Urgency,
)
from .triage import TriageCorrection, TriageField, TriageModel, TriageReading

__all__ = [
    "ALLOWED_TRANSITIONS",
    "Answer",
    "AnswerStatus",
    "Article",
    "ArticleVersion",
    "AutomaticAnswer",
    "AutomaticCategory",
    "AutomaticStop",
    "CannedAnswer",
    "Direction",
    "Intent",
    "PeopleOnly",
    "Rating",
    "Sentiment",
    "Ticket",
    "TicketChannel",
    "TicketConflict",
    "TicketMessage",
    "TicketStatus",
    "TriageCorrection",
    "TriageField",
    "TriageModel",
    "TriageReading",
    "Urgency",
]
