"""Money, percent and dates as a message writes them, in English and Chinese. Pure: no Django."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$", "CNY": "¥", "JPY": "¥", "INR": "₹"}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def write_money(amount: Decimal, currency: str) -> str:
    """ "€10", "£4.50", "120 NOK": no decimals where there are none."""
    number = f"{amount:,.2f}".removesuffix(".00")
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency}".strip()


def write_percent(value: Decimal) -> str:
    """ "10%", "12.5%"."""
    return f"{value.normalize():f}%"


def write_date(day: dt.date, language: str) -> str:
    """ "14 December 2026", "2026年12月14日"."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
