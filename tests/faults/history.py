"""Judges the history of a send: what was asked for, what the sink saw, what the table says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: States in which the row says that nobody knows: may have arrived or not, must not have arrived twice.
IN_DOUBT = frozenset({"unknown"})
SENT = frozenset({"accepted", "delivered", "bounced", "complained"})


@dataclass(frozen=True)
class Verdict:
    """Message-IDs by what is wrong with them, and those in doubt.

    doubled: the sink saw it more than once. lost: asked for, not in doubt, and the sink never saw it. unsaid: the sink
    saw it, but the row neither says so nor is in doubt. strangers: nobody asked for it.
    """

    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    unsaid: tuple[str, ...]
    strangers: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.unsaid or self.strangers)


def judge_history(asked: Collection[str], seen: Sequence[str], states: Mapping[str, str]) -> Verdict:
    """`asked`: Message-IDs that should go out; `seen`: those that the sink took, in order; `states`: the table."""
    times = Counter(seen)
    in_doubt = {name for name in asked if states.get(name) in IN_DOUBT}
    return Verdict(
        doubled=tuple(sorted(name for name, count in times.items() if count > 1)),
        lost=tuple(sorted(name for name in asked if name not in times and name not in in_doubt)),
        unsaid=tuple(sorted(name for name in times if states.get(name) not in SENT | IN_DOUBT)),
        strangers=tuple(sorted(set(times) - set(asked))),
        unknown=tuple(sorted(in_doubt)),
    )


def resume_time(arrivals_s: Sequence[float], ends_s: Sequence[float]) -> float | None:
    """The longest time from the end of a fault to the next arrival. None where nothing came after any of them."""
    waits = [min(after) - end for end in ends_s if (after := [at for at in arrivals_s if at > end])]
    return max(waits, default=None)


def longest_silence(arrivals_s: Sequence[float], since_s: Sequence[float]) -> float | None:
    """The longest time without an arrival from the end of the first fault (`since_s`) to the last arrival.

    Sending goes on for some seconds while the broker is away, so the silence may come later than the fault.
    """
    if not since_s or not arrivals_s:
        return None
    moments = [min(since_s), *sorted(at for at in arrivals_s if at > min(since_s))]
    return max((later - earlier for earlier, later in pairwise(moments)), default=None)


def count_between(arrivals_s: Sequence[float], spans_s: Sequence[tuple[float, float]]) -> int:
    """Arrivals inside any of these spans of time; one that ends before it begins holds none."""
    return sum(any(since < at < until for since, until in spans_s) for at in arrivals_s)


@dataclass(frozen=True)
class Withdrawals:
    """Who took back their consent in mid-send: whom it still spared, who had been written to, and who was written to late.

    longest_s: from a withdrawal to the last arrival after it, None where nothing came after any.
    """

    spared: tuple[str, ...]
    before: tuple[str, ...]
    late: tuple[str, ...]
    longest_s: float | None


def judge_withdrawals(
    withdrawn_s: Mapping[str, float], arrivals: Sequence[tuple[float, str]], *, grace_s: float = 1.0
) -> Withdrawals:
    """`withdrawn_s`: when each withdrawal was committed, by Message-ID; late is what came more than `grace_s` after it."""
    came: dict[str, list[float]] = {name: [] for name in withdrawn_s}
    for at, name in arrivals:
        if name in came:
            came[name].append(at)
    after = {name: max(moments) - withdrawn_s[name] for name, moments in came.items() if moments}
    return Withdrawals(
        spared=tuple(sorted(name for name, moments in came.items() if not moments)),
        before=tuple(sorted(name for name, seconds in after.items() if seconds <= grace_s)),
        late=tuple(sorted(name for name, seconds in after.items() if seconds > grace_s)),
        longest_s=max((seconds for seconds in after.values() if seconds > 0), default=None),
    )


def most_in_window(moments: Sequence[float], width: float) -> int:
    """The most of these moments within any span of `width`, of which one end does not count."""
    ordered, most, first = sorted(moments), 0, 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - width:
            first += 1
        most = max(most, last - first + 1)
    return most


def count_steps_back(states: Sequence[str], rank: Mapping[str, int]) -> int:
    """How often a row went backwards, seen in this order."""
    return sum(rank[later] < rank[earlier] for earlier, later in pairwise(states))


def arrival_rate(arrivals_s: Sequence[float]) -> float:
    """Arrivals a second from the first to the last; 0 for fewer than two."""
    if len(arrivals_s) < 2:
        return 0.0
    return round((len(arrivals_s) - 1) / max(max(arrivals_s) - min(arrivals_s), 1e-9), 1)


@dataclass(frozen=True)
class Toll:
    """What became of one message each for a number of people, in people. doubled: in messages more than one each.

    stuck: not sent, and the table says so although nothing happens any more. failed: not sent, and given up. lost: not sent,
    and no row that says so.
    """

    doubled: int
    stuck: int
    failed: int
    lost: int


def judge_recipients(size: int, seen: Sequence[str], open_rows: int, failed_rows: int = 0) -> Toll:
    """For senders of whose rows we know only how many are open or given up; rows of people who got theirs count for nothing."""
    reached = len(set(seen))
    unseen = max(size - reached, 0)
    stuck = min(unseen, open_rows)
    failed = min(unseen - stuck, failed_rows)
    return Toll(doubled=len(seen) - reached, stuck=stuck, failed=failed, lost=unseen - stuck - failed)
