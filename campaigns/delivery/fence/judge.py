"""Whether the two halves match. Arithmetic over what was read: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from campaigns.models.epoch import FenceCause

from .witness import Witness


@dataclass(frozen=True)
class Inside:
    """What the database says of itself. `earlier` are epochs that the one in force has replaced, with those that a person
    declared void."""

    epoch: str
    moved: int
    place: str
    earlier: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Finding:
    """What was seen. Neither a cause nor `waits`: they match. `waits`: nobody can tell now, ask again."""

    cause: str = ""
    waits: bool = False

    @property
    def matches(self) -> bool:
        return not self.cause and not self.waits


def judge(
    inside: Inside, place: str, witnesses: Sequence[Witness], *, all_read: bool, unknown_newest: Collection[int] = ()
) -> Finding:
    """Compare the database in `place` with what is kept outside it.

    `unknown_newest` are messages that a witness knows to have been marked and the database does not: it has gone back, even
    where it has not `moved` since. Without a witness only an epoch in which nothing was ever sent may begin; where one of
    them could not be read, waiting is right, because it may be the one that knows.
    """
    if inside.place != place:
        return Finding(FenceCause.MOVED)
    ours = [witness for witness in witnesses if witness.epoch == inside.epoch]
    if any(witness.epoch not in inside.earlier for witness in witnesses if witness not in ours):
        return Finding(FenceCause.STRANGER)
    if unknown_newest or any(witness.moved > inside.moved for witness in ours):
        return Finding(FenceCause.BEHIND)
    if any(witness.is_copy for witness in ours):
        return Finding(FenceCause.COPIED)
    if witnesses or inside.moved == 0:
        return Finding()
    return Finding(FenceCause.NO_WITNESS) if all_read else Finding(waits=True)
