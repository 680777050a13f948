"""The columns that buy-till-you-die models add to a frame of features. They are estimates, not facts, and so no features of
the catalogue: an explanation tells them as the days since the last order, which is what they weigh against the
customer's own rhythm."""

from __future__ import annotations

NO_ORDER_COLUMNS = {"bg_nbd": "no_order_bg_nbd", "pareto_nbd": "no_order_pareto_nbd"}
#: BG/NBD's own say next to the same: nobody is dead to it before a second order, and its expectation costs most of all.
ALIVE_COLUMN = "alive_pareto_nbd"
ORDERS_COLUMN = "orders_pareto_nbd"

PROBABILITY_COLUMNS = (*NO_ORDER_COLUMNS.values(), ALIVE_COLUMN)
PROCESS_COLUMNS = (*PROBABILITY_COLUMNS, ORDERS_COLUMN)
TOLD_AS = dict.fromkeys(PROCESS_COLUMNS, "recency_days")
