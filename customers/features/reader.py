"""Reads orders, lines and events out of PostgreSQL as Arrow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from .builder import ShopData


@dataclass(frozen=True)
class Partition:
    """One of `count` disjoint parts of the customers, by a hash of the customer id."""

    index: int
    count: int


def read_shop(*, before: dt.datetime, partition: Partition | None = None) -> ShopData:
    """Orders, lines and events of the shop before `before`, of one partition or of everybody."""
    raise NotImplementedError
