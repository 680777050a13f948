"""Leaves out of an audience those to whom little is gained by writing, where a person chose so.

The ranking is what finished campaigns of the kind taught (`customers.Reaction`). The first `write_share` of the audience stay in
the experiment, and of the others a random `explore_share` do too, drawn by the kept seed: without them nobody would
ever find out that they have changed. Of both, arms are drawn as always, so that what is measured stays an experiment. Whoever
has no place in the ranking stays: nothing speaks against writing to them.
"""

from __future__ import annotations

from django.db import connection

from campaigns.models import Arm, Campaign, ExclusionReason, Offer
from customers.models import ReactionKind

from .holdout import draw_sql, explore_seed
from .people import PEOPLE


def kind_of(campaign: Campaign) -> ReactionKind:
    """The kind of a campaign by its offer, as it stands in the database."""
    return kind_by_offer(Offer.objects.filter(campaign=campaign.pk).first())


def kind_by_offer(offer: Offer | None) -> ReactionKind:
    return ReactionKind.MESSAGE if offer is None or offer.kind == Offer.Kind.NONE else ReactionKind.OFFER


def narrow_people(campaign: Campaign) -> int:
    """Mark in the temporary table PEOPLE who is left out and who is explored; returns how many are left out.

    Nothing for a campaign without `write_share`, and for a live one, whose people are not all there to be ranked.
    """
    if campaign.write_share is None or campaign.is_live:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH ranked AS (
  SELECT p.customer_id, {draw_sql("p.customer_id", seed="explore_seed", share="explore_share")} AS is_drawn,
         row_number() OVER (ORDER BY r.score DESC, p.customer_id)::float8 / count(*) OVER () AS place
  FROM {PEOPLE} p JOIN customers_reaction r ON r.customer_id = p.customer_id AND r.kind = %(kind)s
  WHERE p.arm <> '{Arm.EXCLUDED}'
), behind AS (
  UPDATE {PEOPLE} p SET is_explored = k.is_drawn,
         arm = CASE WHEN k.is_drawn THEN p.arm ELSE '{Arm.EXCLUDED}' END,
         exclusion_reason = CASE WHEN k.is_drawn THEN '' ELSE '{ExclusionReason.LITTLE_GAIN}' END
  FROM ranked k WHERE k.customer_id = p.customer_id AND k.place > %(write_share)s
  RETURNING p.is_explored
)
SELECT count(*) FILTER (WHERE NOT is_explored) FROM behind""",
            {
                "kind": kind_of(campaign).value,
                "explore_seed": explore_seed(campaign.holdout_seed),
                "write_share": campaign.write_share,
                "explore_share": campaign.explore_share,
            },
        )
        return int(cursor.fetchone()[0])
