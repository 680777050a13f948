"""The currency that a sign or a word beside an amount names, against those of the facts."""

from __future__ import annotations

from .amounts import Claim
from .sheet import FactSheet


def fits_currency(sheet: FactSheet, claim: Claim) -> bool:
    """Whether the facts give something in the currency of the amount; "$" and 元 may be several, no sign is any."""
    unit = claim.unit.rstrip(".")
    named = _CURRENCIES.get(unit) or _CURRENCIES.get(unit.rstrip("s")) or unit.upper()
    if not claim.unit:
        return True
    known = {sheet.currency, *(product.currency for product in sheet.products)} - {""}
    aliases = {"RMB": "CNY", "NTD": "TWD"}
    return not known or any(aliases.get(code, code) in known for code in named.split())


_CURRENCIES = {
    "€": "EUR", "euro": "EUR", "欧元": "EUR", "£": "GBP", "pound": "GBP", "poundssterling": "GBP", "quid": "GBP", "英镑": "GBP",
    "p": "GBP", "pence": "GBP", "us$": "USD", "美元": "USD", "美金": "USD", "au$": "AUD", "a$": "AUD", "ca$": "CAD", "c$": "CAD",
    "nz$": "NZD", "hk$": "HKD", "港币": "HKD", "港元": "HKD", "nt$": "TWD", "台币": "TWD", "新台币": "TWD", "s$": "SGD",
    "yuan": "CNY", "renminbi": "CNY", "人民币": "CNY", "rmb": "CNY", "yen": "JPY", "日元": "JPY", "₩": "KRW", "₹": "INR",
    "rs": "INR", "rupee": "INR", "₽": "RUB", "zloty": "PLN", "złoty": "PLN", "zł": "PLN", "kč": "CZK",
    "franc": "CHF", "fr": "CHF",
    "瑞郎": "CHF", "kronor": "SEK", "kroner": "NOK DKK", "kronen": "NOK DKK SEK", "kr": "SEK NOK DKK ISK",
    "$": "USD AUD CAD NZD HKD SGD TWD MXN", "dollar": "USD AUD CAD NZD HKD SGD TWD", "buck": "USD AUD CAD", "¥": "CNY JPY",
    "元": "CNY TWD HKD JPY", "块": "CNY", "块钱": "CNY", "圆": "CNY JPY", "cent": "EUR USD AUD CAD",
    "¢": "USD CAD AUD",
}  # fmt: skip
