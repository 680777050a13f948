"""What of a running campaign may be changed, and how a staged change keeps it: as JSON, with the values of then beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from campaigns.approval.policy import NotReady
from campaigns.audience.exits import EXIT_LABELS
from campaigns.models import ApprovalPart, Campaign, FollowUp, Offer, StagedChange
from customers.ingest.clock import shop_day

OFFER_FIELDS: Final = ("valid_until", "code", "url")
#: Segment, trigger, kind, hold-out and what the offer is worth are not among them: another experiment needs another campaign.
ANY_FIELDS: Final = ("send_window_hours", "approval_valid_days", "allowed_drift_share")
LIVE_FIELDS: Final = ("live_until", "re_entry_days", "exit_on")
#: The part that has to be approved again for a field, whatever the hashes of the parts cover.
PART_OF: Final = {
    "send_window_hours": ApprovalPart.TIMING,
    "approval_valid_days": ApprovalPart.TIMING,
    "allowed_drift_share": ApprovalPart.AUDIENCE,
    "live_until": ApprovalPart.TIMING,
    "re_entry_days": ApprovalPart.AUDIENCE,
    "exit_on": ApprovalPart.TIMING,
}


@dataclass(frozen=True)
class Wanted:
    """The new values, in the types of their columns. `texts` are words by the id of the text; hours by number of the step."""

    texts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    offer: Mapping[str, Any] = field(default_factory=dict)
    campaign: Mapping[str, Any] = field(default_factory=dict)
    follow_ups: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.texts or self.offer or self.campaign or self.follow_ups)

    @property
    def parts(self) -> set[ApprovalPart]:
        """What has to be approved again because of these fields."""
        found = {PART_OF[name] for name in self.campaign}
        found |= {ApprovalPart.MESSAGES} if self.texts or self.offer else set()
        return found | ({ApprovalPart.TIMING} if self.follow_ups else set())


def list_fields(campaign: Campaign) -> tuple[str, ...]:
    """The fields of this campaign that a staged change may set."""
    return ANY_FIELDS + (LIVE_FIELDS if campaign.is_live else ())


def read_wanted(change: StagedChange) -> Wanted:
    """What a change says, in the types of the columns."""
    kept = change.changes
    return Wanted(
        texts={int(pk): words for pk, words in kept.get("texts", {}).items()},
        offer={name: _from_json(Offer, name, value) for name, value in kept.get("offer", {}).items()},
        campaign={name: _from_json(Campaign, name, value) for name, value in kept.get("campaign", {}).items()},
        follow_ups={int(number): int(hours) for number, hours in kept.get("follow_ups", {}).items()},
    )


def read_standing(campaign: Campaign) -> Wanted:
    """What stands now in all that may be changed but the texts."""
    offer = Offer.objects.filter(campaign=campaign).first() or Offer()
    return Wanted(
        offer={name: getattr(offer, name) for name in OFFER_FIELDS},
        campaign={name: getattr(campaign, name) for name in list_fields(campaign)},
        follow_ups=dict(FollowUp.objects.filter(campaign=campaign).values_list("number", "wait_hours")),
    )


def keep_differing(wanted: Wanted, standing: Wanted) -> dict[str, Any]:
    """As JSON: the values that differ from those that stand, and under "was" what stands in their place."""
    kept: dict[str, Any] = {"texts": {str(pk): dict(words) for pk, words in wanted.texts.items()}, "was": {}}
    for kind in ("offer", "campaign", "follow_ups"):
        new, old = getattr(wanted, kind), getattr(standing, kind)
        names = [name for name in new if name in old and new[name] != old[name]]
        kept[kind] = {str(name): _to_json(new[name]) for name in names}
        kept["was"][kind] = {str(name): _to_json(old[name]) for name in names}
    return kept


def check_values(campaign: Campaign, wanted: Wanted, *, now: dt.datetime) -> None:
    """Raises NotReady with sentences for what no column refuses by itself."""
    found = []
    unknown = sorted(
        (set(wanted.campaign) - set(list_fields(campaign))) | (set(wanted.offer) - set(OFFER_FIELDS))
    )  # fmt: skip
    if unknown:
        names = ", ".join(unknown).replace("_", " ")
        found.append(_("These cannot be changed while the campaign runs: %(names)s.") % {"names": names})
    until = wanted.campaign.get("live_until")
    if until is not None and until <= now:
        found.append(_("The day on which nobody enters any more is in the past. End the campaign instead."))
    ends = wanted.offer.get("valid_until")
    if ends is not None and ends < shop_day(now):
        found.append(_("The offer would be over already."))
    if set(wanted.campaign.get("exit_on", [])) - set(EXIT_LABELS):
        found.append(_("Choose reasons to end early that there are."))
    window = wanted.campaign.get("send_window_hours")
    if window is not None and not 1 <= window <= 24 * 365:
        found.append(_("A send window has at least one hour."))
    if any(not 1 <= hours <= 24 * 365 for hours in wanted.follow_ups.values()):
        found.append(_("A follow-up waits for at least one hour and at most a year."))
    if found:
        raise NotReady(found)


def _from_json(model: type[Campaign] | type[Offer], name: str, value: Any) -> Any:
    return None if value is None else model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
