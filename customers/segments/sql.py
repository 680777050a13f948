"""What the SQL of a rule is put together from: bound values, joins, and sets of people.

A condition over many rows is a set of people, worked out once: a semi-join or anti-join where it has to hold for everybody
who is meant, and elsewhere (under OR) a grouped derived table that is joined by hash and asked whether it has the person.
Neither is ever run once for each customer. Sets of people made of the same rows that stand in several alternatives of an OR are
columns of one such table (`tallies`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .calendar import Calendar
from .nodes import Leaf
from .tallies import Tally, pool


@dataclass(frozen=True)
class People:
    """People by their rows: `rows` is a SELECT with a column customer_id, and what `having` or `by` asks for.

    Without `having` one row is enough. `by` groups within a person: the group that meets `having` is enough. `tally` is the
    same set as a question that can share the reading of its rows with others.
    """

    rows: str
    having: str = ""
    by: str = ""
    tally: Tally | None = None

    def select(self, *, once: bool) -> str:
        """SQL of the column customer_id; `once` promises each person at most once."""
        if self.by:
            groups = f"SELECT r.customer_id FROM ({self.rows}) r GROUP BY r.customer_id, {self.by} HAVING {self.having}"
            return f"SELECT g.customer_id FROM ({groups}) g GROUP BY g.customer_id" if once else groups
        if self.having:
            return f"SELECT r.customer_id FROM ({self.rows}) r GROUP BY r.customer_id HAVING {self.having}"
        return f"SELECT r.customer_id FROM ({self.rows}) r" + (" GROUP BY r.customer_id" if once else "")


@dataclass(frozen=True)
class Plain:
    """A part about a column, or its negation."""

    rule: Leaf
    is_not: bool


@dataclass(frozen=True)
class Among:
    """Being among people, or not."""

    people: People
    is_in: bool


@dataclass(frozen=True)
class Joined:
    """Several parts, of which all (AND) or one (OR) have to hold."""

    joiner: str
    parts: tuple[Node, ...]


Node = Plain | Among | Joined


def joined(joiner: str, parts: Sequence[Node]) -> Node:
    """The parts together; one alone is itself, and a group of the same kind is dissolved."""
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Joined) and part.joiner == joiner else [part]
    return flat[0] if len(flat) == 1 else Joined(joiner, tuple(flat))


@dataclass
class Builder:
    """Values and joins of one statement. Names of values begin with `segment_`, so that it can stand inside another."""

    calendar: Calendar
    currency: str
    past_scores: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    selects: dict[int, str | None] = field(default_factory=dict)
    bound: dict[tuple[type, Any], str] = field(default_factory=dict)
    tallies: dict[str, list[Tally]] = field(default_factory=dict)

    @property
    def shared(self) -> set[str]:
        """The sources that are read once for the whole statement."""
        return set(self.tallies)

    def open_scope(self) -> Builder:
        """For a statement within this one, with customers `c` and joins of its own."""
        return replace(self, joins={}, tallies={})

    @property
    def left_joins(self) -> str:
        tables = (self._tally_table(number) for number, tallies in enumerate(self.tallies.values()) if tallies)
        return "".join(f" LEFT JOIN {source}" for source in (*self.joins.values(), *tables))

    @property
    def as_of(self) -> str:
        return self.bind(self.calendar.as_of)

    def bind(self, value: Any) -> str:
        """A placeholder; an equal value has an equal one, so that equal sets of people are worked out once."""
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in self.bound:
            name = f"segment_{len(self.params)}"
            self.params[name] = value
            self.bound[key] = f"%({name})s"
        return self.bound[key]

    def join_scores(self) -> str:
        """The alias of the score of each customer `c`: the current one, or the last one up to then."""
        source = "customers_score s ON s.customer_id = c.id"
        if self.past_scores:
            source = (
                "LATERAL (SELECT h.* FROM customers_scorehistory h WHERE h.customer_id = c.id"
                f" AND h.as_of <= {self.as_of} ORDER BY h.as_of DESC, h.model_id DESC LIMIT 1) s ON true"
            )
        self.joins["s"] = source
        return "s"

    def join_interests(self) -> str:
        """The alias of the interests of each customer `c`."""
        self.joins["i"] = "customers_interestprofile i ON i.customer_id = c.id"
        return "i"

    def join_reactions(self, kind: str) -> str:
        """The alias of what a kind of campaign does to people like each customer `c`."""
        alias = f"r_{kind}"
        self.joins[alias] = (
            f"customers_reaction {alias} ON {alias}.customer_id = c.id AND {alias}.kind = {self.bind(kind)}"
        )
        return alias

    def ask(self, people: People, *, is_in: bool, for_all: bool) -> str:
        """SQL that is true where `c` is, or is not, among `people`. `for_all` says that nobody is meant where it is false:
        it stands under no OR."""
        if people.tally is not None and people.tally.source in self.tallies:
            return f"{self._tally_column(people.tally)} IS {'' if is_in else 'NOT '}TRUE"
        if for_all and is_in:
            return f"c.id IN ({people.select(once=False)})"
        if for_all:
            return f"NOT EXISTS (SELECT 1 FROM ({people.select(once=False)}) x WHERE x.customer_id = c.id)"
        chosen = people.select(once=True)
        alias = next((name for name, sql in self.joins.items() if sql.startswith(f"({chosen})")), "")
        if not alias:
            alias = f"p{len(self.joins)}"
            self.joins[alias] = f"({chosen}) {alias} ON {alias}.customer_id = c.id"
        return f"{alias}.customer_id IS {'NOT ' if is_in else ''}NULL"

    def within(self, column: str, after: dt.datetime | None, upto: dt.datetime) -> str:
        """SQL that is true of moments in `(after, upto]`."""
        since = f"{column} > {self.bind(after)} AND " if after else ""
        return f"{since}{column} <= {self.bind(upto)}"

    def count_people(self, tally: Tally) -> People:
        """The people of a tally, as a set of its own."""
        rows = pool([tally])
        return People(rows.select([tally], self.within), tally.holds("") if tally.holds else "", tally=tally)

    def _tally_column(self, tally: Tally) -> str:
        """The column of the shared table that says of each customer `c` whether a tally holds; null without a row."""
        sources = list(self.tallies)
        tallies = self.tallies[tally.source]
        if tally not in tallies:
            tallies.append(tally)
        return f"t{sources.index(tally.source)}.h{tallies.index(tally)}"

    def _tally_table(self, number: int) -> str:
        tallies = list(self.tallies.values())[number]
        rows = pool(tallies)
        columns = ", ".join(f"({rows.holds(tally, self.within)}) AS h{i}" for i, tally in enumerate(tallies))
        grouped = f"SELECT r.customer_id, {columns} FROM ({rows.select(tallies, self.within)}) r GROUP BY r.customer_id"
        return f"({grouped}) t{number} ON t{number}.customer_id = c.id"
