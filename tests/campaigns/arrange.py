"""A small campaign in any state, made with the real functions where a person would have acted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection

from campaigns.approval import workflow
from campaigns.approval.sequence import add_follow_up
from campaigns.content.editing import write_variant
from campaigns.delivery.scheduler import start_campaign
from campaigns.models import (
    Archetype,
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    CountryRule,
    FollowUp,
    Offer,
    Variant,
)
from customers.models import ConsentRecord, Customer, Segment

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
#: What the follow-ups say, so that none repeats another.
STEP_WORDS = {
    2: {"subject": "Which one keeps you warm?", "opening": "Tell us where you walk, and we will help you choose."},
    3: {"subject": "The door is open", "opening": "Whenever something is missing, we are here to be asked."},
    4: {"subject": "Make a list", "opening": "What is worn out by now? Go through it at your ease."},
}
RULE = {"field": "country", "op": "in", "value": ["Scotland"]}


@dataclass(frozen=True)
class Cast:
    """Who acts: the one who made the campaign, and the second person."""

    marketer: User
    approver: User


def make_cast() -> Cast:
    """The same two people as the fixtures, for tests without them."""
    people = []
    for name, role in (("mara", "marketer"), ("ava", "approver")):
        user, created = User.objects.get_or_create(username=name, defaults={"email": f"{name}@fernweh.test"})
        if created:
            user.groups.add(Group.objects.get(name=role))
        people.append(user)
    return Cast(*people)


def make_customers(
    count: int, *, prefix: str = "c", now: dt.datetime = NOW, consents: bool = True, first_id: int | None = None
) -> list[Customer]:
    """Numbered from `first_id` on where a draw by their numbers has to come out the same each time."""
    customers = Customer.objects.bulk_create(
        Customer(
            id=None if first_id is None else first_id + number,
            external_id=f"{prefix}{number}",
            email=f"{prefix}{number}@shopper.test",
            first_name="Kim",
            last_name=f"Number{number}",
            country="Scotland",
        )
        for number in range(count)
    )
    if consents:
        ConsentRecord.objects.bulk_create(
            ConsentRecord(
                customer=customer, status="given", legal_basis="consent", source="checkout",
                proof={"form": "checkout"}, recorded_at=now - dt.timedelta(days=30),
            )
            for customer in customers
        )  # fmt: skip
    return customers


def forget_quiet_hours() -> None:
    """Tests that send live in the present, which may be the middle of the night. Those of quiet hours give their own."""
    CountryRule.objects.update(quiet_from=None, quiet_until=None, sms_quiet_from=None, sms_quiet_until=None)


def make_campaign(
    author: User,
    customers: list[Customer] | None = None,
    *,
    held_out: list[Customer] | None = None,
    name: str = "Autumn",
    send_at: dt.datetime = NOW,
    now: dt.datetime = NOW,
) -> Campaign:
    """A draft that is ready for review: frozen audience of one archetype with one text. The share held out is theirs."""
    forget_quiet_hours()
    segment, _created = Segment.objects.get_or_create(name="Scots", defaults={"rule": RULE})
    campaign = Campaign.objects.create(
        name=name, segment=segment, author=author, holdout_seed="5eed" * 8, scheduled_for=send_at,
        audience_frozen_at=now, audience_as_of=now,
    )  # fmt: skip
    if held_out:
        campaign.holdout_share = len(held_out) / (len(held_out) + len(customers or []))
        campaign.save(update_fields=["holdout_share"])
    Offer.objects.create(
        campaign=campaign, kind=Offer.Kind.PERCENT, value=10, code="BACK10", valid_from=now.date(),
        valid_until=(now + dt.timedelta(days=30)).date(), url="https://fernweh.test/jackets",
    )  # fmt: skip
    people = make_customers(3, now=now) if customers is None else customers
    archetype = Archetype.objects.create(campaign=campaign, cell="overdue|jackets|en", language="en", size=len(people))
    make_variant(archetype, author, now=now)
    AudienceMember.objects.bulk_create(
        [
            AudienceMember(campaign=campaign, customer=customer, arm=arm, archetype=archetype)
            for arm, group in ((Arm.TREATMENT, people), (Arm.HOLDOUT, held_out or []))
            for customer in group
        ]
    )
    return campaign


def make_variant(
    archetype: Archetype, author: User, *, now: dt.datetime = NOW, label: str = "A", step: int = 1, **changes: str
) -> Variant:
    """A text that a person wrote, or that text with other words."""
    variant, _created = Variant.objects.get_or_create(
        archetype=archetype, step=step, label=label, defaults={"origin": Variant.Origin.PERSON}
    )
    words = {
        "subject": "Your jacket misses you",
        "preheader": "A word from the harbour",
        "opening": "The wind is back in Leith, and so are the jackets that keep it out.",
        "invitation": "Come and have a look at what is new.",
        "button_label": "See the jackets",
    }
    return write_variant(variant, words | changes, user=author, now=now)


def add_step(campaign: Campaign, author: User, *, now: dt.datetime = NOW, **fields: Any) -> FollowUp:
    """One more step with a text of its own for each archetype."""
    follow_up = add_follow_up(author, campaign, fields, now=now)
    for archetype in campaign.archetypes.all():
        make_variant(archetype, author, now=now, step=follow_up.number, **STEP_WORDS[follow_up.number])
    return follow_up


def submit(campaign: Campaign, cast: Cast, *, now: dt.datetime = NOW) -> Campaign:
    return workflow.submit_campaign(cast.marketer, campaign, now=now)


def approve(campaign: Campaign, cast: Cast, *, now: dt.datetime = NOW) -> Campaign:
    submit(campaign, cast, now=now)
    return workflow.approve_campaign(cast.approver, campaign, now=now)


def schedule(campaign: Campaign, cast: Cast, *, now: dt.datetime = NOW) -> Campaign:
    approve(campaign, cast, now=now)
    return workflow.schedule_campaign(cast.marketer, campaign, now=now)


def start(campaign: Campaign, cast: Cast, *, now: dt.datetime = NOW) -> Campaign:
    schedule(campaign, cast, now=now)
    start_campaign(campaign, now=now)
    assert campaign.status == CampaignStatus.SENDING
    return campaign


@contextmanager
def ledger_open() -> Iterator[None]:
    """Forges what no code of ours could: triggers of the database are off within it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
