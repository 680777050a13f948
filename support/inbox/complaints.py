"""The hold: an open complaint, or a strong negative mood, stops promotions to its customer, until it is closed and some time
has passed.

Nothing of campaigns is known here. What is written is two events, and `customers.segments.complaints` says what they mean
to eligibility, to the mark before each send, to segments. The closing is dated at the end of the cooling time: an event
that is still to come does not count yet. Each round of a ticket has a name of its own, so that the closing of an
earlier one never ends a later one.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from customers.ingest.recorder import NewEvent, record_events
from customers.models import EventKind
from customers.segments.complaints import MOOD
from support.models import Ticket

#: The source of all events that support writes.
EVENT_SOURCE = "support"


def begin_hold(ticket: Ticket, *, now: dt.datetime, anew: bool = True) -> None:
    """Stop promotions from `now` on, for what the ticket says: `is_complaint` or `is_upset`, which are kept with it. In the
    caller's transaction. `anew` begins a round."""
    if anew or ticket.complaint_round == 0:
        ticket.complaint_round += 1
    ticket.held_until = None
    Ticket.objects.filter(pk=ticket.pk).update(
        is_complaint=ticket.is_complaint,
        is_upset=ticket.is_upset,
        complaint_round=ticket.complaint_round,
        held_until=None,
    )
    _write(ticket, EventKind.COMPLAINT_OPENED, now, because="" if ticket.is_complaint else MOOD)


def note_complaint(ticket: Ticket, *, now: dt.datetime) -> None:
    """It is a complaint: holds from now on, where its mood does not hold already."""
    already = ticket.is_upset and ticket.is_unfinished
    ticket.is_complaint = True
    if already:
        Ticket.objects.filter(pk=ticket.pk).update(is_complaint=True)
    else:
        begin_hold(ticket, now=now)
        if not ticket.is_unfinished:  # what is told of a closed one ends as if it had been known when it was closed
            end_hold(ticket, now=now)


def note_mood(ticket: Ticket, *, now: dt.datetime) -> None:
    """Its writer is very unhappy: holds from now on, where nothing holds already."""
    if not ticket.holds_promotions:
        ticket.is_upset = True
        begin_hold(ticket, now=now)


def end_hold(ticket: Ticket, *, now: dt.datetime, cooling_days: float | None = None, withdrawn: bool = False) -> None:
    """The complaint is closed: promotions may go again after the cooling time (0: at once). A `withdrawn` one was none."""
    if not ticket.holds_promotions or ticket.complaint_round == 0:
        return
    days = float(settings.COMPLAINT_COOLING_DAYS) if cooling_days is None else cooling_days
    until = now + dt.timedelta(days=days)
    Ticket.objects.filter(pk=ticket.pk).update(held_until=until)
    ticket.held_until = until
    hours = round((now - ticket.opened_at).total_seconds() / 3600, 1)
    told: dict[str, object] = {"withdrawn": True} if withdrawn else {"handled_hours": hours, "outcome": ticket.outcome}
    because = "" if ticket.is_complaint else MOOD
    _write(ticket, EventKind.COMPLAINT_CLOSED, until, because=because, **told)


def withdraw_hold(ticket: Ticket, *, now: dt.datetime) -> None:
    """It was no complaint after all: the hold ends at once."""
    end_hold(ticket, now=now, cooling_days=0, withdrawn=True)
    Ticket.objects.filter(pk=ticket.pk).update(is_complaint=False, is_upset=False, held_until=None)
    ticket.is_complaint, ticket.is_upset, ticket.held_until = False, False, None


def _write(ticket: Ticket, kind: EventKind, at: dt.datetime, **told: object) -> None:
    if ticket.customer_id is None:
        return
    name = f"{ticket.pk}.{ticket.complaint_round}"
    event = NewEvent(
        customer_id=ticket.customer_id,
        kind=kind,
        occurred_at=at,
        external_id=f"ticket:{name}:{kind}",
        properties={"ticket": name, **{key: value for key, value in told.items() if value not in ("", None)}},
    )
    record_events([event], source=EVENT_SOURCE)
