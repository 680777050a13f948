"""What is wrong in a rule, and where. No framework."""

from __future__ import annotations


class PlacedError(ValueError):
    """Something in a rule cannot be used. `path` says where, `code` and `detail` say why."""

    def __init__(self, path: str, code: str, detail: str = "") -> None:
        super().__init__(f"{path or 'rule'}: {code}{f' ({detail})' if detail else ''}")
        self.path = path
        self.code = code
        self.detail = detail


class RuleError(PlacedError):
    """A tree that cannot be used; a path is such as "rules.0.value"."""


def join_path(path: str, step: str) -> str:
    """The path of a part of what stands at `path`."""
    return f"{path}.{step}" if path else step
