"""What an import did, as it is kept with the run and printed by the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .copying import UpsertCounts


@dataclass(frozen=True)
class ImportReport:
    """What an import did. created + updated + unchanged (lines of orders) and the lines left out are the lines read.

    `orders` and `customers` are those that the accepted lines name; `tables` counts rows by table.
    """

    run_id: int
    lines_read: int
    orders: int
    customers: int
    created: int
    updated: int
    unchanged: int
    left_out: Mapping[str, int]
    tables: Mapping[str, UpsertCounts]
    lines_removed: int = 0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form of ImportRun.report and of `import_orders --json`."""
        tables = {
            name: {"created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged}
            for name, counts in self.tables.items()
        }
        plain = {name: getattr(self, name) for name in ("lines_read", "orders", "customers", "created", "updated")}
        return {
            **plain,
            "unchanged": self.unchanged,
            "left_out": dict(self.left_out),
            "lines_removed": self.lines_removed,
            "tables": tables,
            "notes": list(self.notes),
            "run": self.run_id,
        }
