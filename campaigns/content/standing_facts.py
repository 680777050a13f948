"""Whether what an approved text claims is still true when it is about to leave. SQL, for the last check before a send.

The text itself cannot have changed (its hash is checked beside this); the world can have: the offer may be over, and a
product that the text names may be gone, sold out, or dearer than the text says.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import Offer, SkipReason


def stale_fact_sql(message: str = "m", campaign: str = "p") -> str:
    """SQL for the first SkipReason of a fact that no longer holds, or '': for rows of campaigns_message and of
    campaigns_campaign that go by these names. Takes no parameters; the database's clock and the shop's days count.

    A changed price counts only where the text says the old one, bare or after the offer: it may name the product alone.
    """
    zone = ZoneInfo(settings.SHOP_TIME_ZONE).key  # raises where there is no such zone
    return f"""
CASE
  WHEN EXISTS (
    SELECT 1 FROM campaigns_offer x_f
    WHERE x_f.campaign_id = {campaign}.id AND x_f.kind <> '{Offer.Kind.NONE}'
      AND x_f.valid_until < (clock_timestamp() AT TIME ZONE '{zone}')::date
  ) THEN '{SkipReason.OFFER_OVER}'
  WHEN EXISTS (
    SELECT 1 FROM campaigns_variant x_v
    CROSS JOIN LATERAL jsonb_to_recordset(
      CASE WHEN jsonb_typeof(x_v.facts->'products') = 'array' THEN x_v.facts->'products' ELSE '[]' END
    ) AS x_n(sku text, name text, price numeric, currency text)
    LEFT JOIN customers_product x_w ON x_w.sku = x_n.sku
    WHERE x_v.id = {message}.variant_id AND x_n.name <> ''
      AND position(lower(x_n.name) IN lower(x_v.source->>'text')) > 0
      AND CASE
        WHEN x_w.id IS NULL OR x_w.stock <= 0 THEN true
        WHEN (x_w.price, x_w.currency) IS NOT DISTINCT FROM (x_n.price, x_n.currency) THEN false
        ELSE EXISTS ({_SAID_PRICES} WHERE x_s.said[1]::numeric IN {_OLD_PRICES})
      END
  ) THEN '{SkipReason.PRODUCT_CHANGED}'
  ELSE ''
END"""


#: The numbers of the text, without the commas of thousands.
_SAID_PRICES = r"SELECT 1 FROM regexp_matches(replace(x_v.source->>'text', ',', ''), '\d+(?:\.\d+)?', 'g') AS x_s(said)"
#: What the product cost when the text was checked: alone, and after the offer.
_OLD_PRICES = (
    "(x_n.price, round(x_n.price * (100 - (x_v.facts->>'percent')::numeric) / 100, 2),"
    " x_n.price - (x_v.facts->>'amount')::numeric)"
)
