"""The patterns of the guard-rails stay linear: a save of 4,000 characters took thirteen seconds because of one of them."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

from campaigns.content import checks

#: A run without an end at the beginning is tried anew at every character: the time grows with the square of the text.
ENDLESS_START = re.compile(r"(?:^|(?<!\\)\|)(?:\(\?:)?(?:\[\^?[^\]]*\]|\.|\\[wsdWSD])[*+](?!\+)")


def list_patterns() -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules(checks.__path__):
        for name, value in vars(import_module(f"{checks.__name__}.{module.name}")).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name}.{name}", value.pattern


def test_no_pattern_begins_with_an_endless_run_over_a_sentence() -> None:
    found = list(list_patterns())
    assert len(found) > 60
    slow = [name for name, pattern in found for run in ENDLESS_START.findall(pattern) if run.startswith(("[^", "|[^"))]
    assert slow == []
