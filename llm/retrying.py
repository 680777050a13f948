"""When something is asked again: later each time, spread out, and never sooner than the server wants. No Django here."""

import random

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
SPREAD = 0.25


def wait_before_retry(
    tries: int,
    *,
    seed: int | str,
    retry_after_s: float | None = None,
    first_s: float = FIRST_WAIT_S,
    longest_s: float = LONGEST_WAIT_S,
) -> float:
    """Seconds to wait after so many tries (1 or more) before the next.

    Doubles each time, up to `longest_s`, less a random part of up to a quarter, so that what failed together does not
    come back together; the same seed and number of tries give the same wait. `retry_after_s` is the least, as far as
    `longest_s` allows.
    """
    chance = random.Random(f"{seed}:{tries}").random()  # noqa: S311 - spreads load, hides nothing
    wait = min(first_s * 2.0 ** max(0, tries - 1), longest_s) * (1 - SPREAD * chance)
    if retry_after_s is None:
        return wait
    return max(wait, min(retry_after_s, longest_s) * (1 + SPREAD * chance))
