"""Questions about rows of one source that are answered in one reading of them, wherever in a rule they stand.

"Spent 150 on average in two years, or has not ordered for 60 days and viewed nothing" asks the orders twice; a hand would
read them once and look at the same group of rows for both. `find_shared` says where that is the better way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Writes that moments of a column lie in (after, upto].
Within = Callable[[str, dt.datetime | None, dt.datetime], str]


@dataclass(frozen=True)
class Tally:
    """A set of people as a question about the rows that each has of a source.

    `source` is a SELECT of rows with columns customer_id and at; `asked` is what is asked of single rows `r`, and only
    those in `(after, upto]` count. `holds` writes the comparison of a person's rows, of which those count that meet the
    condition it is given ("" for all of them); None where one row is enough. `is_wide` of a source of which nearly
    everybody has rows.
    """

    source: str
    after: dt.datetime | None
    upto: dt.datetime
    asked: tuple[str, ...] = ()
    holds: Callable[[str], str] | None = None
    is_wide: bool = False


@dataclass(frozen=True)
class Pool:
    """The rows that several tallies of one source have in common, and which narrower ones each of them counts."""

    source: str
    after: dt.datetime | None
    upto: dt.datetime
    asked: tuple[str, ...]

    def select(self, tallies: Sequence[Tally], within: Within) -> str:
        """A SELECT of every row that one of `tallies` counts; perhaps of more."""
        narrower = [] if tallies[0].is_wide else [self.narrow(tally, within) for tally in tallies]
        some = f"({' OR '.join(f'({sql})' for sql in dict.fromkeys(narrower))})" if narrower and all(narrower) else ""
        where = [within("r.at", self.after, self.upto), *self.asked, *([some] if some else [])]
        return f"SELECT r.* FROM ({self.source}) r WHERE {' AND '.join(where)}"

    def narrow(self, tally: Tally, within: Within) -> str:
        """What is asked of a row of the pool to be counted by one of its tallies; "" where it counts all of them."""
        asked = [sql for sql in tally.asked if sql not in self.asked]
        if (tally.after, tally.upto) != (self.after, self.upto):
            asked.append(within("r.at", tally.after, tally.upto))
        return " AND ".join(asked)

    def holds(self, tally: Tally, within: Within) -> str:
        """SQL that is true of a person's rows of the pool if the person is among those of the tally."""
        narrower = self.narrow(tally, within)
        if tally.holds is not None:
            return tally.holds(narrower)
        if tally.upto == self.upto and set(tally.asked) <= set(self.asked) and tally.after:
            return within("max(r.at)", tally.after, self.upto)  # the newest answers for all of them
        return f"bool_or({narrower})" if narrower else "true"


def pool(tallies: Sequence[Tally]) -> Pool:
    """The narrowest rows in which all of them can be answered."""
    starts = [tally.after for tally in tallies]
    known = [start for start in starts if start is not None]
    return Pool(
        tallies[0].source,
        min(known) if len(known) == len(starts) else None,
        max(tally.upto for tally in tallies),
        tuple(sql for sql in tallies[0].asked if all(sql in tally.asked for tally in tallies)),
    )


def measure(function: str, only: str) -> str:
    """An aggregate over those rows that count."""
    return f"{function} FILTER (WHERE {only})" if only else function
