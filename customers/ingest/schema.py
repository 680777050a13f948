"""What a file of orders may hold, how its columns are named, and the choices made for one import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FileProblem(Exception):
    """Something about the file or the choices that a person can mend; the message says what and how."""


@dataclass(frozen=True)
class ImportOptions:
    """How to read one file. `columns` maps our fields to the file's column names."""

    columns: Mapping[str, str]
    currency: str
    time_zone: str
    source: str = "shop"
    test_contacts: bool = False
    encoding: str = ""
    date_order: str = ""

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ImportOptions:
        raise NotImplementedError


def guess_columns(header: Sequence[str]) -> dict[str, str]:
    """The likely mapping of our fields to the columns of `header`, knowing what shops usually call them."""
    raise NotImplementedError
