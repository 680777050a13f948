"""A small shop whose campaigns are finished: who ordered lately is moved by a message, who did not is not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np

from campaigns.models import Arm, AudienceMember, Campaign, CampaignStatus, Offer
from customers.models import Customer, ModelVersion, Order, Score, Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

DAY = dt.timedelta(days=1)
SENT = NOW - 100 * DAY
LATE = NOW - DAY


def make_shop(people: int = 640, *, seed: int = 0) -> list[Customer]:
    """Customers with one order each, half of them twenty days before the campaign, the others two hundred."""
    customers = arrange.make_customers(people, consents=False)
    random = np.random.default_rng(seed)
    Order.objects.bulk_create(
        Order(
            external_id=f"first-{place}", customer=customer, currency="EUR", total=Decimal(int(random.integers(20, 90))),
            ordered_at=SENT - (20 if place % 2 else 200) * DAY,
        )
        for place, customer in enumerate(customers)
    )  # fmt: skip
    return customers


def finish_campaign(
    customers: list[Customer], *, offer: str = "percent", seed: int = 1, name: str = "Past", share: float = 0.5,
    held: int | None = None,
) -> Campaign:  # fmt: skip
    """Half are held out, or the first `held`. Of those who ordered lately 20 % order again, 70 % with a message; of the others
    30 % anyhow."""
    author = arrange.make_cast().marketer
    segment, _made = Segment.objects.get_or_create(name="Everybody", defaults={"rule": arrange.RULE})
    campaign = Campaign.objects.create(
        name=name, segment=segment, author=author, holdout_seed="5eed" * 8, holdout_share=share, attribution_days=30,
        status=CampaignStatus.SENT, audience_as_of=SENT, audience_frozen_at=SENT, scheduled_for=SENT,
    )  # fmt: skip
    Offer.objects.create(campaign=campaign, kind=offer, value=20 if offer != "none" else None, code="BACK")
    random = np.random.default_rng(seed)
    orders, members = [], []
    for place, customer in enumerate(customers):
        is_treated = bool(place // 2 % 2) if held is None else place >= held
        members.append(
            AudienceMember(
                campaign=campaign, customer=customer, arm=Arm.TREATMENT if is_treated else Arm.HOLDOUT,
                churn_probability=0.6, expected_value=20,
            )
        )  # fmt: skip
        share = (0.7 if is_treated else 0.2) if place % 2 else 0.3
        if random.random() < share:
            discount = 10 if is_treated and offer != "none" else 0
            orders.append(
                Order(
                    external_id=f"{name}-{place}", customer=customer, currency="EUR", total=50 - discount,
                    discount=discount, ordered_at=SENT + 5 * DAY,
                )
            )  # fmt: skip
    AudienceMember.objects.bulk_create(members)
    Order.objects.bulk_create(orders)
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=SENT)
    campaign.refresh_from_db()
    return campaign


def score_everybody(customers: list[Customer], *, as_of: dt.datetime = NOW) -> None:
    model = ModelVersion.objects.create(
        version=1, estimator="blend", status=ModelVersion.Status.CHAMPION, horizon_days=60, trained_at=as_of,
        data_from=as_of, data_until=as_of, artifact=b"",
    )  # fmt: skip
    Score.objects.bulk_create(
        Score(customer=customer, model=model, as_of=as_of, churn_probability=0.5, expected_value=30)
        for customer in customers
    )
