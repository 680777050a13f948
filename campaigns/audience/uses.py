"""Which campaigns need a segment, for the room of segments, which stands below campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q

from campaigns.models import Campaign, CampaignStatus
from customers.segments.archiving import Use

#: What became of them is kept with them: they ask no segment any more.
OVER = (CampaignStatus.SENT, CampaignStatus.CANCELLED)


def list_campaigns_of(segment: int) -> Iterator[Use]:
    """Those that are not over and mean its people, or whose result is to be looked at by it."""
    needs_it = Q(segment=segment) | Q(looked_at__contains=[segment])
    for campaign in Campaign.objects.filter(needs_it).exclude(status__in=OVER).only("name", "status").order_by("-pk"):
        yield Use("campaign", campaign.pk, campaign.name, str(campaign.get_status_display()))
