"""Forms of the pages about customers; those of an import stand in `imports`, the rows of a rule in `rule_drafts`."""

from __future__ import annotations

from .segments import SegmentForm

__all__ = ["SegmentForm"]
