"""Tells people from the machines that follow links and load pictures: scanners of mail, prefetchers, previews. Pure.

A machine that is taken for a person makes figures worthless; a person taken for a machine only makes them a little small.
So in doubt it was a machine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Nobody reads mail that fast: a request so soon after the message left is of a scanner on the way in.
SOONEST = dt.timedelta(seconds=5)
#: So many different links of one message within so short a time are not read by a person.
BURST_LINKS = 3
BURST = dt.timedelta(seconds=10)

_AGENTS = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scan|headless|phantomjs|monitor|validator|fetch(?!er/\d+ \(iphone)"
    r"|curl/|wget/|python|java/|okhttp|go-http-client|libwww|httpclient|axios|node-fetch|ruby|perl|php/"
    r"|barracuda|mimecast|proofpoint|forcepoint|ironport|fireeye|trellix|symantec|messagelabs|sophos|zscaler"
    r"|trend ?micro|bitdefender|kaspersky|fortinet|fortiguard|checkpoint|safelinks|microsoft office|ms-office|cloudmark",
    re.IGNORECASE,
)
_PREFETCH_HEADERS = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")


@dataclass(frozen=True)
class Visit:
    """One request for a link or a picture of a message."""

    method: str
    headers: Mapping[str, str]
    at: dt.datetime


def is_machine(visit: Visit, *, left_at: dt.datetime | None) -> bool:
    """`left_at` is when the message was handed over; None where nobody knows, and then it cannot have been read."""
    if visit.method != "GET" or left_at is None or visit.at < left_at + SOONEST:
        return True
    if any(re.search("prefetch|preview", visit.headers.get(name, ""), re.IGNORECASE) for name in _PREFETCH_HEADERS):
        return True
    agent = visit.headers.get("User-Agent", "").strip()
    # Apple's mail proxy loads all pictures of everybody under the bare name: nobody has to have looked.
    return len(agent) < 12 or agent == "Mozilla/5.0" or bool(_AGENTS.search(agent))


def find_bursts(clicks: Sequence[tuple[dt.datetime, int]]) -> set[int]:
    """The places, in `clicks` (time and link, of one message), of those that belong to a burst."""
    order = sorted(range(len(clicks)), key=lambda place: clicks[place])
    burst: set[int] = set()
    for start in range(len(order)):
        window = [place for place in order[start:] if clicks[place][0] - clicks[order[start]][0] <= BURST]
        if len({clicks[place][1] for place in window}) >= BURST_LINKS:
            burst.update(window)
    return burst
