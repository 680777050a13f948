"""What triage, refusals and marks are called on pages."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from support.models import Intent, Sentiment, Ticket, Topic, TriageField, Urgency

REFUSALS: dict[str, str | Promise] = {
    "unanswered": gettext_lazy("No article answers this."),
    "answered_since": gettext_lazy("No article answered this when it came; one does now."),
    "self_harm": gettext_lazy("Somebody may be in danger. Answer yourself, at once."),
    "safety": gettext_lazy("Somebody may have been hurt. Answer yourself, at once."),
    "legal": gettext_lazy("A legal threat. No draft is made for it: answer yourself, or escalate."),
    "payment_data": gettext_lazy("It holds payment data. Answer yourself, and do not repeat them."),
    "press": gettext_lazy("It comes from the press. No draft is made for it: escalate."),
}
#: The same in a word or two, for the queue.
PEOPLE_ONLY: dict[str, str | Promise] = {
    "self_harm": gettext_lazy("somebody in danger"),
    "safety": gettext_lazy("somebody hurt"),
    "legal": gettext_lazy("legal threat"),
    "payment_data": gettext_lazy("payment data"),
    "press": pgettext_lazy("ticket", "press"),
}
WHYS: dict[str, str | Promise] = {
    "no_source": gettext_lazy("no article says this"),
    "number": gettext_lazy("another number than the article's"),
    "name": gettext_lazy("a name that the article does not have"),
    "address": gettext_lazy("an address that the article does not have"),
    "negation": gettext_lazy("the article says the opposite, or does not deny it"),
    "widened": gettext_lazy("says more than the article"),
    "condition": gettext_lazy("leaves a condition of the article out"),
    "model": gettext_lazy("the second look found no support for it"),
}
YES_NO = (("yes", pgettext_lazy("complaint", "yes")), ("no", pgettext_lazy("complaint", "no")))
CHOICES: dict[str, Any] = {
    TriageField.TOPIC: Topic.choices,
    TriageField.INTENT: Intent.choices,
    TriageField.COMPLAINT: YES_NO,
    TriageField.SENTIMENT: Sentiment.choices,
    TriageField.URGENCY: [(str(value), label) for value, label in Urgency.choices],
}


ESCALATIONS: dict[str, str | Promise] = {
    "answered_back": gettext_lazy("The customer wrote again after an automatic answer."),
    "person_wanted": gettext_lazy("The customer asked for a person."),
    "not_sent": gettext_lazy("An answer may not have reached the customer. Look at the last message."),
}
OBSTACLES: dict[str, str | Promise] = {
    "stopped": gettext_lazy("All automatic answers are stopped."),
    "not_open": gettext_lazy("The ticket is not open any more, or is about something else."),
    "persons": gettext_lazy("A person has taken it up."),
    "complaint": gettext_lazy("Somebody complains here, or has an open complaint."),
    "mood": gettext_lazy("The writer is not content, or it is urgent."),
    "doubt": gettext_lazy("A person has to look at the triage."),
    "old": gettext_lazy("It came before the category was switched on, or waits for too long."),
    "no_address": gettext_lazy("There is no address to answer to."),
    "unproven": gettext_lazy("Nothing proves who wrote this mail."),
    "refused": gettext_lazy("No answer is suggested, or a person has decided on it."),
    "unsupported": gettext_lazy("A sentence has no source, or a fact is missing."),
    "own_order": gettext_lazy("It tells of an order of the customer’s: a person looks how that stands."),
    "unsure": gettext_lazy("It is not sure enough."),
    "stale": gettext_lazy("An article has changed since it was suggested."),
    "no_model": gettext_lazy("No language model has read it."),
    "disagree": gettext_lazy("The language model and the check beside it do not agree what it is about."),
    "person_wished": gettext_lazy("The writer asks for a person."),
    "people_only": gettext_lazy("This customer wants no automated answers."),
    "lately": gettext_lazy("This writer had an automatic answer within the last day."),
    "rate": gettext_lazy("As many as were allowed have been sent."),
}
#: From so sure on it is called so.
SURENESSES: tuple[tuple[float, str | Promise], ...] = (
    (0.8, pgettext_lazy("triage", "sure")),
    (0.6, pgettext_lazy("triage", "fairly sure")),
    (0.0, pgettext_lazy("triage", "not sure")),
)
BYS: dict[str, str | Promise] = {
    "rules": pgettext_lazy("opinion", "the rules"),
    "classifier": pgettext_lazy("opinion", "the trained classifier"),
    "model": pgettext_lazy("opinion", "the language model"),
}


def name_refusal(reason: str) -> str:
    return str(REFUSALS.get(reason, "")) if reason else ""


def name_people_only(ticket: Ticket) -> str:
    """Why no draft is made for a ticket that is to be answered, in a word or two; "" where one may be."""
    return str(PEOPLE_ONLY.get(str(ticket.triage.get("escalation", "")), "")) if ticket.is_unfinished else ""


def name_escalation(reason: str) -> str:
    """Why it is escalated: what code says in words, what a person wrote as it is."""
    return str(ESCALATIONS.get(reason, reason))


def name_obstacle(obstacle: str) -> str:
    return str(OBSTACLES.get(obstacle, ""))


def name_why(why: str) -> str:
    return str(WHYS.get(why, why))


def describe_triage(ticket: Ticket) -> list[dict[str, Any]]:
    """Each field with its value, why it is so, who says something else, and what else it could be."""
    rows = []
    for field, label in TriageField.choices:
        told = ticket.triage.get(field) or {}
        choices = [(str(value), str(name)) for value, name in CHOICES[field]]
        names, value = dict(choices), str(told.get("value", ""))
        opinions = told.get("opinions", [])
        rows.append(
            {
                "field": field,
                "label": label,
                "value": value,
                "name": names.get(value, ""),
                "choices": choices,
                "reasons": [REFUSALS.get(reason, reason) for reason in told.get("reasons", [])],
                "quote": next((one["quote"] for one in opinions if one.get("quote") and one["value"] == value), ""),
                "others": [
                    {"by": BYS.get(one["by"], one["by"]), "name": names.get(one["value"], one["value"])} | _why(one)
                    for one in opinions
                    if one["value"] != value
                ],
                "is_persons": told.get("by") == "person",
                "sure": _name_sureness(told),
            }
        )
    return rows


def _name_sureness(told: dict[str, Any]) -> str:
    """How sure triage is, in words: the rules' figure is no probability. "" where a person said it, or nobody anything."""
    if not told or told.get("by") == "person":
        return ""
    least = next((one for one in SURENESSES if float(told.get("sureness", 0)) >= one[0]), SURENESSES[-1])
    return str(least[1])


def _why(opinion: dict[str, Any]) -> dict[str, str]:
    quote = opinion.get("quote", "")
    words = [str(REFUSALS.get(reason, reason)) for reason in opinion.get("reasons", [])]
    return {"why": f"“{quote}”" if quote else ", ".join(words)}
