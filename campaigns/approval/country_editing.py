"""Changes to the country rules: by an admin alone, each one in the audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.audience.country_rules import fold_country
from campaigns.models import CountryRule
from customers.ingest.country_names import name_code
from customers.models import AuditAction, record_audit

from .policy import NotReady

FIELDS: Final = (
    "names", "needs_postal_address", "subject_prefix", "accepts_existing_customers", "consent_months", "existing_months",
    "unused_months", "needs_double_opt_in",
    "quiet_from", "quiet_until", "sms_quiet_from", "sms_quiet_until", "note",
)  # fmt: skip


@transaction.atomic
def save_country_rule(user: User, country: str, fields: Mapping[str, Any], *, now: dt.datetime) -> CountryRule:
    """Make or change the rule of a country ("" is all others). The same values again change nothing and are not written down.

    Raises PermissionDenied, ValidationError (by field), and NotReady where another country has one of the names.
    """
    if not user.is_active or not user.has_perm("campaigns.change_countryrule"):
        raise PermissionDenied(_("Your role does not allow this."))
    rule = CountryRule.objects.select_for_update().filter(country=country.upper()).first()
    kept = rule or CountryRule(country=country.upper())
    values = {name: fields[name] for name in FIELDS if name in fields}
    if "names" in values:
        values["names"] = sorted({fold_country(name) for name in values["names"] if name.strip()})
        _refuse_taken(kept, values["names"])
    changed = [name for name, value in values.items() if getattr(kept, name) != value]
    if rule is not None and not changed:
        return kept
    for name in changed:
        setattr(kept, name, values[name])
    kept.updated_by, kept.updated_at = user, now
    kept.full_clean()
    kept.save()
    record_audit(
        AuditAction.COUNTRY_RULE_CHANGED, actor=user, about=("country", kept.country or "*"), fields=sorted(changed)
    )
    return kept


@transaction.atomic
def remove_country_rule(user: User, country: str) -> None:
    """The country falls under the rule for all others, which itself stays."""
    if not user.is_active or not user.has_perm("campaigns.change_countryrule"):
        raise PermissionDenied(_("Your role does not allow this."))
    if not country:
        raise NotReady([_("The rule for all other countries stays.")])
    if CountryRule.objects.filter(country=country.upper()).delete()[0]:
        about = ("country", country.upper())
        record_audit(AuditAction.COUNTRY_RULE_CHANGED, actor=user, about=about, fields=["removed"])


def _refuse_taken(rule: CountryRule, names: list[str]) -> None:
    for other in CountryRule.objects.exclude(country=rule.country):
        if taken := {fold_country(other.country), *other.names} & set(names):
            words = _("%(names)s: that is %(country)s already.")
            raise NotReady([words % {"names": ", ".join(sorted(taken)), "country": name_code(other.country) or "*"}])
