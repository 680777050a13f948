"""What campaigns are called, for the rules of segments, which stand below campaigns and know only their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from campaigns.models import Campaign


def name_campaigns(keys: Iterable[str]) -> dict[str, str]:
    """Names by number, as a text; what is no number of ours has none."""
    numbers = [int(key) for key in keys if key.isdecimal() and len(key) < 18]
    return {str(pk): name for pk, name in Campaign.objects.filter(pk__in=numbers).values_list("pk", "name")}


def list_newest(most: int) -> dict[str, str]:
    """The names of the newest campaigns by number, newest first."""
    return {str(pk): name for pk, name in Campaign.objects.order_by("-pk").values_list("pk", "name")[:most]}
