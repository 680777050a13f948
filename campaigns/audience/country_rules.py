"""The shop's country rules as eligibility and the copies use them: one small read, then lookups by the customer's country."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from campaigns.models import CountryRule
from customers.ingest.merged import identities_sql
from customers.models import Channel, ConsentRecord

from .wall_time import QuietHours

Basis = ConsentRecord.LegalBasis


@dataclass(frozen=True)
class CountryRules:
    """All rows by every name of their country, "" for all others."""

    by_name: dict[str, CountryRule]

    def find(self, country: str) -> CountryRule | None:
        """The rule for a customer whose country is written so."""
        return self.by_name.get(fold_country(country)) or self.by_name.get("")

    def quiet_for(self, country: str, channel: str) -> QuietHours | None:
        """When a customer of that country is not written to by that channel."""
        return _quiet_hours(self.find(country), channel)

    @property
    def has_quiet_hours(self) -> bool:
        return any(_quiet_hours(rule, channel) for rule in self.by_name.values() for channel in Channel.values)

    def quiet_by_channel(self) -> dict[str, dict[str, str]]:
        """{channel: {name: quiet hours as text}}, "" for every country that is not named: what SQL looks up."""
        found = {}
        for channel in Channel.values:
            told = {name: str(_quiet_hours(rule, channel) or "") for name, rule in self.by_name.items()}
            usual = told.get("", "")
            found[channel] = {"": usual} | {name: hours for name, hours in told.items() if hours != usual}
        return found

    def as_terms(self) -> str:
        """JSON for `country_rule_sql`: {name: {legal basis: months or null, "unused": months or null}}."""
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


def country_rule_sql(newest_consent: str, customer: str, channel: str) -> str:
    """SQL that is true where the newest consent counts in the customer's country. `newest_consent` is a row of
    customers_consentrecord in scope; the parameters are `x_terms`, `x_now` and `x_reached`.

    A consent is used when a message of the channel reaches the person. That is asked only once the consent itself is older
    than the rule lets it lie unused.
    """
    terms = "x_r.terms"
    months = f"({terms} ->> {newest_consent}.legal_basis)"
    unused_since = f"(%(x_now)s - make_interval(months => ({terms} ->> 'unused')::int))"
    return f"""(SELECT CASE
    WHEN {terms} IS NULL THEN true
    WHEN NOT {terms} ? {newest_consent}.legal_basis THEN false
    WHEN {newest_consent}.recorded_at <= %(x_now)s - make_interval(months => {months}::int) THEN false
    WHEN {newest_consent}.recorded_at <= {unused_since} THEN EXISTS (
      SELECT 1 FROM campaigns_message x_u
      WHERE x_u.customer_id = ANY({identities_sql(customer)}) AND x_u.sending_at > {unused_since}
        AND x_u.channel = '{Channel(channel)}' AND x_u.status = ANY(%(x_reached)s))
    ELSE true END
    FROM (SELECT coalesce(x_a.terms -> lower(btrim({customer}.country)), x_a.terms -> '') AS terms
          FROM (SELECT %(x_terms)s::jsonb AS terms OFFSET 0) x_a OFFSET 0) x_r)"""  # read once, not at each use


def misses_address(rules: Iterable[CountryRule]) -> bool:
    """Whether any rule asks for the shop's postal address and there is none. Without rules every mail needs it."""
    if settings.SHOP_POSTAL_ADDRESS.strip():
        return False
    listed = list(rules)
    return not listed or any(rule.needs_postal_address for rule in listed)


def _quiet_hours(rule: CountryRule | None, channel: str) -> QuietHours | None:
    """Text messages have hours of their own where the rule gives them; they make a sound at night."""
    if rule is None:
        return None
    start, end = rule.quiet_from, rule.quiet_until
    if channel == Channel.SMS and rule.sms_quiet_from is not None:
        start, end = rule.sms_quiet_from, rule.sms_quiet_until
    return QuietHours(start, end) if start is not None and end is not None and start != end else None


def _list_terms(rule: CountryRule) -> dict[str, Any]:
    terms: dict[str, Any] = {Basis.CONSENT: rule.consent_months, Basis.TEST: None, "unused": rule.unused_months}
    return terms | ({Basis.EXISTING_CUSTOMER: rule.existing_months} if rule.accepts_existing_customers else {})
