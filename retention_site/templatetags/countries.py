"""The name of a country in the reader's language."""

from __future__ import annotations

from django import template

from customers.ingest.country_names import name_code, name_country

register = template.Library()


@register.filter
def country_name(country: str) -> str:
    """ "Germany" as "德国" where Chinese is read; what is no country that we know stays as the shop writes it."""
    return name_country(country) if country else ""


@register.filter
def code_name(code: str) -> str:
    """ "AT" as "Austria"."""
    return name_code(code)
