"""Whether what an approved text claims is still true when it is about to leave. SQL, for the last check before a send.

The text itself cannot have changed (its hash is checked beside this); the world can have. What the text stands on was
written down when it was last checked (`standing.list_standing`); here each of these facts is held against the row that it
came from, in the snapshot of the statement that marks the message: what was committed before that is seen.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import Offer, SkipReason


def stale_fact_sql(message: str = "m", campaign: str = "p") -> str:
    """SQL for the first SkipReason of a fact that no longer holds, or '': for rows of campaigns_message and of
    campaigns_campaign that go by these names. Takes no parameters; the database's clock and the shop's days count.

    A changed price counts only where the text says the old one, bare or after the offer: it may name the product alone.
    A text that was never read anew (`stands_on` is empty) is held to the last day of the offer alone.
    """
    zone = ZoneInfo(settings.SHOP_TIME_ZONE).key  # raises where there is no such zone
    today = f"(clock_timestamp() AT TIME ZONE '{zone}')::date"
    return f"""
coalesce((
  SELECT CASE
    WHEN x_f.kind <> '{Offer.Kind.NONE}' AND x_f.valid_until < {today} THEN '{SkipReason.OFFER_OVER}'
    WHEN x_v.stands_on ? 'offer' AND {_OFFER_NOW} IS DISTINCT FROM {_OFFER_THEN} THEN '{SkipReason.OFFER_CHANGED}'
    WHEN x_w.is_changed THEN '{SkipReason.PRODUCT_CHANGED}'
    WHEN x_w.is_out_of_bounds THEN '{SkipReason.STOCK_CHANGED}'
    WHEN EXISTS ({_list_gone("policies", _POLICIES_NOW)}) THEN '{SkipReason.POLICY_CHANGED}'
    WHEN EXISTS ({_list_gone("points", _points_now(campaign))}) THEN '{SkipReason.POINT_CHANGED}'
    WHEN (x_v.stands_on->>'until')::date < {today} THEN '{SkipReason.DATE_PASSED}'
  END
  FROM campaigns_variant x_v
  LEFT JOIN campaigns_offer x_f ON x_f.campaign_id = {campaign}.id
  CROSS JOIN LATERAL jsonb_to_record(coalesce(x_v.stands_on->'offer', '{{}}')) AS x_o({_OFFER_COLUMNS})
  CROSS JOIN LATERAL ({_WARES}) AS x_w
  WHERE x_v.id = {message}.variant_id
), '')"""


def _list_gone(kind: str, now: str) -> str:
    """The versions of one kind that the text stands on and that are not among those of now."""
    return f"SELECT FROM {_elements(kind)} AS x_t(version) WHERE x_t.version NOT IN ({now})"


def _elements(kind: str, function: str = "jsonb_array_elements_text") -> str:
    """The list of that name, [] where there is none."""
    path = f"x_v.stands_on->'{kind}'"
    return f"{function}(CASE WHEN jsonb_typeof({path}) = 'array' THEN {path} ELSE '[]' END)"


def _version(sentence: str) -> str:
    """As `ledger.version_of_text` makes it of a sentence without the spaces around it."""
    return rf"left(encode(sha256(convert_to(regexp_replace({sentence}, '^\s+|\s+$', '', 'g'), 'UTF8')), 'hex'), 8)"


def _points_now(campaign: str) -> str:
    return f"SELECT {_version('x_l.line')} FROM regexp_split_to_table({campaign}.talking_points, E'\\n') AS x_l(line)"


_OFFER_COLUMNS = (
    "kind text, percent numeric, amount numeric, currency text, code text, min_basket numeric, valid_from date,"
    " valid_until date"
)
_OFFER_THEN = (
    "(x_o.kind, x_o.percent, x_o.amount, x_o.currency, x_o.code, x_o.min_basket, x_o.valid_from, x_o.valid_until)"
)
#: A campaign without a row of its own has no offer; an offer without a currency is in the shop's.
_OFFER_NOW = (
    f"(coalesce(x_f.kind, '{Offer.Kind.NONE}'), CASE x_f.kind WHEN '{Offer.Kind.PERCENT}' THEN x_f.value END,"
    f" CASE x_f.kind WHEN '{Offer.Kind.AMOUNT}' THEN x_f.value END, coalesce(nullif(x_f.currency, ''), x_o.currency),"
    " coalesce(x_f.code, ''), x_f.min_basket, x_f.valid_from, x_f.valid_until)"
)
#: A product that is gone, sold out or costs something else; and a stock that is no longer what the text says. OFFSET 0
#: keeps the planner, which takes the list for a hundred rows, from reading the whole catalogue for each message.
_WARES = f"""
    SELECT
      bool_or(x_n.why = 'product' AND (
        x_c.id IS NULL OR x_c.stock < x_n.low
        OR (x_n.price IS NOT NULL AND (x_c.price, x_c.currency) IS DISTINCT FROM (x_n.price, x_n.currency))
      )) AS is_changed,
      bool_or(x_n.why = 'stock' AND (
        coalesce(x_c.stock < x_n.low, true) OR (x_n.high IS NOT NULL AND x_c.stock > x_n.high)
      )) AS is_out_of_bounds
    FROM {_elements("products", "jsonb_to_recordset")}
      AS x_n(why text, sku text, low int, high int, price numeric, currency text)
    LEFT JOIN LATERAL (SELECT * FROM customers_product x_p WHERE x_p.sku = x_n.sku OFFSET 0) AS x_c ON true"""
#: The sentences of the newest revision, in all languages: a sentence in another language is another sentence.
_POLICIES_NOW = (
    f"SELECT {_version('x_s.sentence')} FROM (SELECT texts FROM campaigns_shoppolicies ORDER BY number DESC LIMIT 1) AS x_r,"
    " jsonb_each(CASE WHEN jsonb_typeof(x_r.texts) = 'object' THEN x_r.texts ELSE '{}' END) AS x_l(language, sentences),"
    " jsonb_array_elements_text(CASE WHEN jsonb_typeof(x_l.sentences) = 'array' THEN x_l.sentences ELSE '[]' END)"
    " AS x_s(sentence)"
)
