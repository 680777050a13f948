"""What lies near what, for `cells`: reasons by family, interests by the catalogue and by who buys both."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from django.db import connection

from campaigns.models import Arm, Campaign
from customers.features.interests.favourite import label_products
from customers.features.interests.reading import read_catalogue

from .cells import Cell, Nearness
from .people import PEOPLE

#: Themes of the feature catalogue that tell of the same side of a customer: when they order, what, and how we meet.
REASON_FAMILIES: Final[Mapping[str, str]] = {
    "rhythm": "when", "frequency": "when", "newness": "when", "season": "when",
    "value": "what", "basket": "what", "returns": "what", "discounts": "what",
    "browsing": "contact", "email": "contact", "support": "contact",
}  # fmt: skip
#: Two categories under one parent ("Kitchen > Pans", "Kitchen > Knives") are at least so much alike.
SAME_PARENT: Final = 0.7
#: Baskets of so many people tell which interests go together.
SAMPLED_PEOPLE: Final = 5_000

_PARENT = re.compile(r"\s*[>›/|]\s*")


def read_nearness(cells: Iterable[Cell], campaign: Campaign | None = None) -> Nearness:
    """Nearness among the interests of these cells, by the baskets of some people: of the campaign's frozen members, or
    of those who are being judged. The same people as long as the audience is the same."""
    interests = sorted({cell.interest for cell in cells} - {""})
    likeness = find_siblings(interests)
    if len(interests) > 1:
        for pair, alike in _read_joint_buying(interests, campaign).items():
            likeness[pair] = max(alike, likeness.get(pair, 0.0))
    return Nearness(REASON_FAMILIES, likeness)


def find_siblings(interests: Iterable[str]) -> dict[tuple[str, str], float]:
    """Pairs (in order) of categories whose path begins with the same parent."""
    parents = {interest: _PARENT.split(interest) for interest in interests}
    return {
        (one, other): SAME_PARENT
        for one, other in itertools.combinations(sorted(parents), 2)
        if min(len(parents[one]), len(parents[other])) > 1 and parents[one][0] == parents[other][0]
    }


def measure_joint_buying(bought: pl.DataFrame) -> dict[tuple[str, str], float]:
    """How alike interests are by who buys both, 0 to 1: people who buy both, over the root of the product of those who
    buy each (the cosine). `bought`: customer_id, interest. Pairs in order; those that nobody buys together are left out.
    """
    people = bought.unique()
    buyers = people.group_by("interest").agg(buyers=pl.len())
    pairs = (
        people.join(people, on="customer_id", suffix="_other")
        .filter(pl.col("interest") < pl.col("interest_other"))
        .group_by("interest", "interest_other")
        .agg(both=pl.len())
        .join(buyers, on="interest")
        .join(buyers, left_on="interest_other", right_on="interest", suffix="_other")
        .with_columns(alike=(pl.col("both") / (pl.col("buyers") * pl.col("buyers_other")).sqrt()).round(6))
    )
    return {
        (one, other): alike for one, other, alike in pairs.select("interest", "interest_other", "alike").iter_rows()
    }


def _read_joint_buying(interests: list[str], campaign: Campaign | None) -> dict[tuple[str, str], float]:
    people = PEOPLE if campaign is None else "campaigns_audiencemember"
    of_campaign = "" if campaign is None else "campaign_id = %(campaign)s AND"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
SELECT DISTINCT o.customer_id, l.product_id
FROM (SELECT customer_id FROM {people} WHERE {of_campaign} arm <> '{Arm.EXCLUDED}'
      ORDER BY md5(customer_id::text) LIMIT {SAMPLED_PEOPLE}) AS sampled
JOIN customers_order o ON o.customer_id = sampled.customer_id AND NOT o.is_return
JOIN customers_orderline l ON l.order_id = o.id AND l.quantity > 0 AND l.product_id IS NOT NULL""",
            {"campaign": campaign.pk if campaign else None},
        )
        lines = pl.DataFrame(cursor.fetchall(), schema={"customer_id": pl.Int64, "product_id": pl.Int64}, orient="row")
    if lines.is_empty():
        return {}
    labels = label_products(read_catalogue()).filter(pl.col("interest").is_in(interests))
    return measure_joint_buying(lines.join(labels, on="product_id").select("customer_id", "interest"))
