"""What lets people into a live campaign, said in sentences in the reader's language; and what is wrong with a rule."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from campaigns.models import Campaign, CampaignKind
from customers.models import EventKind

from .entry_rules import ChurnTrigger, EntryRuleError, EventTrigger, OverdueTrigger, Trigger, parse_trigger
from .recurrence import Recurrence, parse_recurrence

ERRORS: Final = {
    "not_an_object": gettext_lazy("this has to be an object"),
    "unknown_trigger": gettext_lazy("choose what lets people in"),
    "unknown_recurrence": gettext_lazy("choose every day, week or month"),
    "unknown_event": gettext_lazy("choose an event that there is"),
    "does_not_belong": gettext_lazy("this does not belong to it"),
    "not_yes_or_no": gettext_lazy("say yes or no"),
    "too_many_properties": gettext_lazy("fewer properties, please: at most"),
    "not_a_text": gettext_lazy("write a text of at most so many characters:"),
    "not_a_whole_number": gettext_lazy("a whole number within"),
    "not_a_probability": gettext_lazy("a probability over 0% and up to 100%"),
    "not_a_time": gettext_lazy("a time as 09:30"),
    "no_weekday": gettext_lazy("choose at least one day of the week"),
}
#: What a code says of its own; to the others the detail is added.
_WITH_DETAIL: Final = frozenset({"too_many_properties", "not_a_text", "not_a_whole_number"})


def explain_fault(error: EntryRuleError) -> str:
    """One sentence for the person who wrote the rule."""
    words = str(ERRORS.get(error.code, error.code))
    return f"{words} {error.detail}".strip() if error.code in _WITH_DETAIL else words


def refuse_fault(field: str, error: EntryRuleError) -> ValidationError:
    """The same as an error of a field, with the place inside it."""
    place = f"{error.path}: " if error.path else ""
    return ValidationError({field: f"{place}{explain_fault(error)}"})


def describe_entering(campaign: Campaign) -> list[str]:
    """The sentences of a live campaign: when people enter, how often, until when. [] for one that goes out once.

    A rule that cannot be read is said so.
    """
    if not campaign.is_live:
        return []
    try:
        if campaign.kind == CampaignKind.RECURRING:
            told = [describe_recurrence(parse_recurrence(campaign.recurrence))]
        else:
            trigger = parse_trigger(campaign.trigger)
            told = [describe_trigger(trigger)]
            if trigger.includes_present:
                told.append(_("Who is there already when it goes live comes in too."))
    except EntryRuleError as error:
        return [_("What lets people in cannot be read: %(fault)s.") % {"fault": explain_fault(error)}]
    return [*told, describe_re_entry(campaign.re_entry_days), _describe_end(campaign)]


def describe_trigger(trigger: Trigger) -> str:
    """As "When somebody in the segment changed the cart (category: Tents)."."""
    if isinstance(trigger, EventTrigger):
        where = ", ".join(f"{name}: {value}" for name, value in trigger.where)
        return ngettext(
            "When it is told of somebody in the segment, not later than %(hours)d hour after: %(event)s%(where)s.",
            "When it is told of somebody in the segment, not later than %(hours)d hours after: %(event)s%(where)s.",
            trigger.max_age_hours,
        ) % {
            "hours": trigger.max_age_hours,
            "event": EventKind(trigger.event).label,
            "where": f" ({where})" if where else "",
        }
    if isinstance(trigger, ChurnTrigger):
        return _("When the churn probability of somebody in the segment rises to %(line)s or more.") % {
            "line": f"{trigger.line:.0%}"
        }
    if isinstance(trigger, OverdueTrigger):
        return ngettext(
            "When the order expected next of somebody in the segment is %(days)d day overdue, once per expected date.",
            "When the order expected next of somebody in the segment is %(days)d days overdue, once per expected date.",
            trigger.days,
        ) % {"days": trigger.days}
    return _("When somebody comes to be in the segment.")


def describe_recurrence(rule: Recurrence) -> str:
    """As "Every 2 weeks on Monday and Thursday at 09:00, everybody in the segment."."""
    values = {"n": rule.interval, "at": f"{rule.at:%H:%M}", "day": rule.day}
    if rule.every == "day":
        return (
            ngettext(
                "Every day at %(at)s, everybody in the segment.",
                "Every %(n)d days at %(at)s, everybody in the segment.",
                rule.interval,
            )
            % values
        )
    if rule.every == "week":
        days = get_text_list([str(WEEKDAYS[day]) for day in rule.weekdays], _("and"))
        return ngettext(
            "Every week on %(days)s at %(at)s, everybody in the segment.",
            "Every %(n)d weeks on %(days)s at %(at)s, everybody in the segment.",
            rule.interval,
        ) % (values | {"days": days})
    told = (
        ngettext(
            "Every month on day %(day)d at %(at)s, everybody in the segment.",
            "Every %(n)d months on day %(day)d at %(at)s, everybody in the segment.",
            rule.interval,
        )
        % values
    )
    return told if rule.day <= 28 else f"{told} {_('In shorter months on their last day.')}"


def describe_re_entry(days: int | None) -> str:
    """How often the same person may enter."""
    if days is None:
        return _("Everybody enters once.")
    if days == 0:
        return _("The same person may enter each time.")
    return ngettext(
        "The same person may enter again after %(days)d day.",
        "The same person may enter again after %(days)d days.",
        days,
    ) % {"days": days}


def _describe_end(campaign: Campaign) -> str:
    if campaign.closes_at is None:
        return _("It goes on until somebody ends it.")
    at = date_format(localtime(campaign.closes_at), pgettext("date format", "j M Y H:i"))
    return _("Nobody enters after %(at)s.") % {"at": at}
