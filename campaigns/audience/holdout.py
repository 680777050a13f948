"""Who is held out: a stable draw from the campaign's seed and the customer's id. No Django here.

The draw is the first 32 bits of md5("seed:customer_id") read as a number in [0, 1). It needs no state, so that the same
seed gives the same arms on every machine and for ever, and Python and SQL agree to the last bit. md5 is used for its
even spread and because PostgreSQL has it built in; nothing here is secret.
"""

from __future__ import annotations

import hashlib
import secrets

_RANGE = 2.0**32


def draw_sql(customer_id: str, *, seed: str, share: str) -> str:
    """The same draw in SQL: `customer_id` is an expression, `seed` and `share` the names of parameters."""
    digest = f"left(md5(%({seed})s::text || ':' || ({customer_id})::text), 8)"
    return f"(('x' || {digest})::bit(32)::bigint::float8 / 4294967296.0::float8) < %({share})s::float8"


#: That of a campaign: %(holdout_seed)s, %(holdout_share)s and a column `customer_id` in scope.
HOLDOUT_SQL = draw_sql("customer_id", seed="holdout_seed", share="holdout_share")


def draws_holdout(seed: str, customer_id: int, share: float) -> bool:
    """True when this customer is left alone. `share` is 0 to 1; a larger share keeps everyone a smaller one drew."""
    return draw_position(seed, customer_id) < share


def explore_seed(seed: str) -> str:
    """Of a campaign's seed: who of those that a ranking would leave out is in the experiment all the same. A draw of its own, so
    that it says nothing of the arm."""
    return f"{seed}:explored"


def draw_position(seed: str, customer_id: int) -> float:
    """The customer's place in [0, 1) under this seed."""
    digest = hashlib.md5(f"{seed}:{customer_id}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) / _RANGE


def draw_seed() -> str:
    """A new seed for a campaign, 32 hex digits; drawn once, kept for ever."""
    return secrets.token_hex(16)
