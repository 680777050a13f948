"""Numbers as staff read them: counts, shares, points, money, and ranges with their doubt.

Chinese pages group by thousands too (shops write 12,345), so the grouping does not follow Django's locale files.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.ingest.currency import SIGNS

register = template.Library()

Number = int | float | Decimal | str | None

_MINUS = "\u2212"
_WITHOUT_CENTS = {"JPY", "KRW"}


@register.filter
def count(value: Number) -> str:
    """4218 -> "4,218"; nothing known -> "–"."""
    number = _decimal(value)
    return "–" if number is None else _grouped(number, 0)


@register.filter
def decimals(value: Number, places: int = 2) -> str:
    """0.7642 -> "0.76"; places is the number of digits after the point."""
    number = _decimal(value)
    return "–" if number is None else _grouped(number, int(places))


@register.filter
def percent(value: Number, places: int = 1) -> str:
    """A share of 0 to 1 as "61.4%"."""
    number = _decimal(value)
    return "–" if number is None else f"{_grouped(number * 100, int(places))}%"


@register.filter
def took(milliseconds: Number) -> str:
    """How long something took: 840 -> "840 ms", 27795 -> "27.8 s"."""
    number = _decimal(milliseconds)
    if number is None:
        return "–"
    return f"{_grouped(number, 0)} ms" if number < 1000 else f"{_grouped(number / 1000, 1)} s"


@register.filter
def points(value: Number, places: int = 1) -> str:
    """A difference of two shares as "+1.8 points"; a real minus sign for losses."""
    number = _decimal(value)
    if number is None:
        return "–"
    shown = signed_points(number, places)
    return ngettext("%(shown)s point", "%(shown)s points", 1 if shown.lstrip(f"+{_MINUS}") == "1" else 2) % {
        "shown": shown
    }


@register.filter
def signed_points(value: Number, places: int = 1) -> str:
    """A difference of two shares as "+1.8", without the word."""
    number = _decimal(value)
    return "–" if number is None else _signed(number * 100, int(places))


@register.filter
def signed(value: Number, places: int = 0) -> str:
    """140 -> "+140", -7 -> "−7"."""
    number = _decimal(value)
    return "–" if number is None else _signed(number, int(places))


@register.simple_tag
def money(amount: Number, currency: str = "", compact: bool = False) -> str:
    """Money with its currency: "€184.20"; compact gives "€184k"."""
    number = _decimal(amount)
    if number is None:
        return "–"
    minus = _MINUS if number < 0 else ""
    places = 0 if currency in _WITHOUT_CENTS else 2
    shown = _compact(abs(number)) if compact else _grouped(abs(number), places)
    sign = SIGNS.get(currency)
    return f"{minus}{sign}{shown}" if sign else f"{minus}{shown} {currency}".strip()


@register.simple_tag
def between(low: Number, high: Number, style: str = "count", currency: str = "") -> str:
    """An interval in words: "1.4 to 3.8 points". Styles: count, percent, points, money, money_compact, decimals."""
    if _decimal(low) is None or _decimal(high) is None:
        return "–"
    writers: dict[str, Callable[[Number], str]] = {
        "count": count,
        "percent": percent,
        "points": signed_points,
        "decimals": decimals,
        "money": lambda value: str(money(value, currency)),
        "money_compact": lambda value: str(money(value, currency, True)),
    }
    write = writers[style]
    words = _("%(low)s to %(high)s") % {"low": write(low), "high": write(high)}
    return _("%(range)s points") % {"range": words} if style == "points" else words


@register.simple_tag
def delta(value: Number, style: str = "points", good: str = "up", note: str = "") -> str:
    """A change with its arrow. good says which way is welcome: up, down or neither; the sign and arrow say it without colour."""
    number = _decimal(value)
    if number is None:
        return ""
    writers: dict[str, Callable[[Decimal], str]] = {
        "points": points,
        "count": signed,
        "percent": lambda share: f"{_signed(share * 100, 1)}%",
    }
    shown = writers[style](number)
    rising = number > 0
    tone = "soft" if good == "neither" or number == 0 else ("up" if rising == (good == "up") else "down")
    arrow = "↑" if rising else "↓" if number < 0 else "→"
    return format_html(
        '<span class="delta {}"><span aria-hidden="true">{}</span>{} {}</span>', tone, arrow, shown, note
    )


def _decimal(value: Number) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _grouped(number: Decimal, places: int) -> str:
    shown = f"{abs(number):,.{places}f}"
    is_zero = not shown.strip("0.,")
    return f"{_MINUS}{shown}" if number < 0 and not is_zero else shown


def _signed(number: Decimal, places: int) -> str:
    shown = _grouped(number, places)
    is_zero = not shown.strip("0.,")
    return shown if shown.startswith(_MINUS) or is_zero else f"+{shown}"


def _compact(number: Decimal) -> str:
    for limit, letter in ((Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k")):
        if number >= limit:
            scaled = number / limit
            return f"{scaled:,.{0 if scaled >= 100 else 1}f}".removesuffix(".0") + letter
    return _grouped(number, 0)
