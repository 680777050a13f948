"""What of the model in use needs somebody's attention, in sentences for Predictions and Home."""

from __future__ import annotations

from django.utils.translation import gettext as _

from customers.scoring.watch import read_newest_report
from customers.scoring.working import find_missing_torch
from customers.views.drift import list_alarms


def list_concerns() -> list[str]:
    """A version that cannot work here, and the alarms of the newest drift report."""
    report = read_newest_report()
    return [*list_lost_versions(), *(list_alarms(report) if report else [])]


def list_lost_versions() -> list[str]:
    """One sentence where the self-attention model was in use and PyTorch is gone; else none."""
    missing = find_missing_torch()
    if missing is None:
        return []
    told = _(
        "PyTorch is not installed here any more, so version %(lost)d cannot work. %(instead)s To have it back: %(how)s."
    )
    instead = (
        _("Version %(version)d scores instead.") % {"version": missing.stands_in.version}
        if missing.stands_in is not None
        else _("No other version can work here: scores stay as they are until the next training.")
    )
    return [told % {"lost": missing.lost.version, "instead": instead, "how": "pip install torch"}]
