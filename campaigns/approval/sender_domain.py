"""Whether the sending domain lets a campaign leave: asked when it is submitted, approved and shown. Reads rows, asks no DNS."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.models import DomainCheck, DomainOverride

OLD_DAYS: Final = 7


@dataclass(frozen=True)
class DomainState:
    """The newest check of the sending domain (empty: never checked) and the override in force, if any."""

    domain: str
    checks: tuple[DomainCheck, ...]
    override: DomainOverride | None

    @property
    def checked_at(self) -> dt.datetime | None:
        return self.checks[0].checked_at if self.checks else None

    @property
    def fails_alignment(self) -> bool:
        return any(
            check.kind == DomainCheck.Kind.ALIGNMENT and check.verdict == DomainCheck.Verdict.FAIL
            for check in self.checks
        )

    @property
    def blocks(self) -> bool:
        """Real mail, alignment fails, and no admin has said to send all the same."""
        return not settings.USES_MAIL_CATCHER and self.fails_alignment and self.override is None


def read_domain_state() -> DomainState:
    """Three queries at the most."""
    domain = str(settings.SHOP_FROM_EMAIL).rpartition("@")[2].lower()
    newest = (
        DomainCheck.objects.filter(domain=domain).order_by("-checked_at").values_list("checked_at", flat=True).first()
    )
    checks = DomainCheck.objects.filter(domain=domain, checked_at=newest).order_by("pk") if newest else ()
    override = DomainOverride.objects.filter(domain=domain, ended_at=None).select_related("made_by").first()
    return DomainState(domain, tuple(checks), override)


def find_domain_obstacles() -> list[str]:
    """What keeps a campaign from going to review."""
    if not read_domain_state().blocks:
        return []
    return [
        _(
            "Mail from the shop's domain fails DMARC alignment, so mailbox providers would refuse it. Settings → Sending says"
            " what to publish; an admin can let it leave all the same, with a reason."
        )
    ]


def find_domain_warnings(now: dt.datetime) -> list[str]:
    """What an approver should know of the sending domain; nothing while mail is only caught."""
    if settings.USES_MAIL_CATCHER:
        return []
    state = read_domain_state()
    if state.checked_at is None:
        return [_("The sending domain was never checked. Look at Settings → Sending before this leaves.")]
    found = []
    if state.checked_at < now - dt.timedelta(days=OLD_DAYS):
        found.append(_("The sending domain was not checked for more than a week."))
    if state.fails_alignment and state.override:
        found.append(_("DMARC alignment fails; an admin lets mail leave all the same: %(reason)s") % {
            "reason": state.override.reason})  # fmt: skip
    bad = {DomainCheck.Verdict.FAIL, DomainCheck.Verdict.WARN}
    names = [check.get_kind_display() for check in state.checks if check.verdict in bad]
    if names:
        found.append(_("The sending domain could be better: %(names)s.") % {"names": ", ".join(names)})
    return found
