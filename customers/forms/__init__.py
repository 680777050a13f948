"""Forms of the pages about customers; those of an import stand in `imports`."""

from __future__ import annotations

from .segments import Blocks, Row, SegmentForm, apply_action, build_tree, check_blocks, lay_out_blocks, read_blocks

__all__ = [
    "Blocks",
    "Row",
    "SegmentForm",
    "apply_action",
    "build_tree",
    "check_blocks",
    "lay_out_blocks",
    "read_blocks",
]
