"""Comparisons, values, days and stretches of time in words."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from customers.features.catalogue import THEMES
from customers.features.interests.vocabulary import name_topic
from customers.ingest.country_names import name_country
from customers.ingest.currency import read_shop_currency
from customers.ingest.language_names import name_language
from customers.models import ReactionGroup, ScoreStatus

from .labels import OPERATOR_LABELS, PERIOD_LABELS, PRICE_LABELS
from .nodes import Day, Own, Value, Window
from .vocabulary import REACTIONS


def say_comparison(label: str, kind: str, op: str, value: Value, *, key: str = "") -> str:
    """ "label at least 60%": `kind` says how the value is written, `key` which field it belongs to."""
    if op in ("known", "unknown"):
        return _("%(what)s %(how)s") % {"what": label, "how": OPERATOR_LABELS[op]}
    if op == "between" and isinstance(value, tuple):
        return _("%(what)s between %(low)s and %(high)s") % {
            "what": label, "low": say_value(kind, value[0], key), "high": say_value(kind, value[1], key),
        }  # fmt: skip
    items = value if isinstance(value, tuple) else (value,)
    shown = pgettext("between values", ", ").join(say_value(kind, item, key) for item in items)
    return _("%(what)s %(how)s %(value)s") % {"what": label, "how": OPERATOR_LABELS[op], "value": shown}


def say_own(own: Own) -> str:
    """A question about a value of the shop's own."""
    return say_comparison(_("“%(name)s”") % {"name": own.name}, own.type, own.op, own.value)


def say_value(kind: str, value: object, key: str = "") -> str:
    """A single value."""
    if isinstance(value, Day):
        return date_format(value.date, "DATE_FORMAT") if value.date else say_day(value.days)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return _say_number(kind, float(value))
    text = str(value)
    if key in ("main_reason", "any_reason") and text in THEMES:
        return str(THEMES[text].label)
    if key == "country":
        return name_country(text)
    if key == "language":
        return name_language(text)
    if key == "writes_about":
        return name_topic(text)
    if key == "price_level" and text in PRICE_LABELS:
        return str(PRICE_LABELS[text])
    if key in REACTIONS and text in ReactionGroup.values:
        return str(ReactionGroup(text).label)
    if key == "score_status" and text in ScoreStatus.values:
        return str(ScoreStatus(text).label)
    return text


def say_day(days: int) -> str:
    """A day so many days from today."""
    if days == 0:
        return _("today")
    if days < 0:
        return ngettext("%(n)d day ago", "%(n)d days ago", -days) % {"n": -days}
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}


def say_window(window: Window) -> str:
    """ "in the last 90 days", "from 1 March 2026 to 31 March 2026", "at any time"."""
    if window.days is not None:
        return ngettext("in the last %(days)d day", "in the last %(days)d days", window.days) % {"days": window.days}
    if window.period:
        return str(PERIOD_LABELS[window.period])
    if window.ago:
        return _("between %(near)d and %(far)d days ago") % {"near": window.ago[0], "far": window.ago[1]}
    first, last = (date_format(day, "DATE_FORMAT") if day else "" for day in (window.first, window.last))
    if first and last:
        return _("from %(first)s to %(last)s") % {"first": first, "last": last}
    if first or last:
        return (_("since %(day)s") if first else _("until %(day)s")) % {"day": first or last}
    return _("at any time")


def _say_number(kind: str, value: float) -> str:
    if kind == "probability":
        return f"{value:.0%}"
    if kind == "money":
        return f"{value:,.0f} {read_shop_currency()}"
    return f"{value:,.0f}" if value == int(value) or kind == "days" else f"{value:,.6g}"
