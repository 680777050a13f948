"""The shop's country rules as eligibility and the copies use them: one small read, then lookups by the customer's country."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import Arm, AudienceMember, Campaign, CountryRule
from customers.models import ConsentRecord

Basis = ConsentRecord.LegalBasis


@dataclass(frozen=True)
class CountryRules:
    """All rows by every name of their country, "" for all others."""

    by_name: dict[str, CountryRule]

    def find(self, country: str) -> CountryRule | None:
        """The rule for a customer whose country is written so."""
        return self.by_name.get(fold_country(country)) or self.by_name.get("")

    def as_terms(self) -> str:
        """JSON for `country_rule_sql`: {name: {legal basis: months or null}}."""
        return json.dumps({name: _list_terms(rule) for name, rule in self.by_name.items()})


def read_country_rules() -> CountryRules:
    """One query over a table of a few rows."""
    found: dict[str, CountryRule] = {}
    for rule in CountryRule.objects.all():
        for name in (rule.country, *rule.names):
            found[fold_country(name)] = rule
    return CountryRules(found)


def fold_country(name: str) -> str:
    """As the database folds it: small letters of ASCII, no blanks around."""
    return name.strip(" ").lower()


def country_rule_sql(newest_consent: str, customer: str) -> str:
    """SQL that is true where the newest consent counts in the customer's country. `newest_consent` is a row of
    customers_consentrecord in scope; the parameters are `x_terms` and `x_now`."""
    terms = f"coalesce(%(x_terms)s::jsonb -> lower(btrim({customer}.country)), %(x_terms)s::jsonb -> '')"
    months = f"({terms} ->> {newest_consent}.legal_basis)"
    return (
        f"({terms} IS NULL OR ({terms} ? {newest_consent}.legal_basis AND ({months} IS NULL"
        f" OR {newest_consent}.recorded_at > %(x_now)s - make_interval(months => {months}::int))))"
    )


def misses_address(rules: Iterable[CountryRule]) -> bool:
    """Whether any rule asks for the shop's postal address and there is none. Without rules every mail needs it."""
    if settings.SHOP_POSTAL_ADDRESS.strip():
        return False
    listed = list(rules)
    return not listed or any(rule.needs_postal_address for rule in listed)


def find_quiet_countries(campaign: Campaign) -> list[tuple[CountryRule, str]]:
    """Rules whose quiet hours the campaign's time falls into, with the zone in which it does: of the treated, one query."""
    if campaign.scheduled_for is None:
        return []
    rules = read_country_rules()
    treated = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT)
    found: dict[str, tuple[CountryRule, str]] = {}
    for country, zone in treated.values_list("customer__country", "customer__time_zone").distinct()[:500]:
        rule = rules.find(country)
        if rule is not None and rule.country not in found and is_quiet(rule, campaign.scheduled_for, zone):
            found[rule.country] = (rule, zone)
    return list(found.values())


def is_quiet(rule: CountryRule, moment: dt.datetime, zone: str) -> bool:
    """Whether a moment is in the quiet hours, by the clock of a time zone; they may run over midnight."""
    if rule.quiet_from is None or rule.quiet_until is None:
        return False
    local = moment.astimezone(ZoneInfo(zone or "UTC")).time()
    if rule.quiet_from <= rule.quiet_until:
        return rule.quiet_from <= local < rule.quiet_until
    return local >= rule.quiet_from or local < rule.quiet_until


def _list_terms(rule: CountryRule) -> dict[str, Any]:
    terms: dict[str, Any] = {Basis.CONSENT: rule.consent_months, Basis.TEST: None}
    return terms | ({Basis.EXISTING_CUSTOMER: rule.existing_months} if rule.accepts_existing_customers else {})
