from __future__ import annotations

import ast
from pathlib import Path

import customers

HEAVY = {"xgboost", "sklearn", "scipy", "threadpoolctl"}


def test_starting_django_does_not_import_what_takes_seconds() -> None:
    """XGBoost, scikit-learn and SciPy take three seconds; they are imported in the functions that use them."""
    root = Path(customers.__file__).parent
    found = [f"{path.relative_to(root)}: {name}" for path in root.rglob("*.py") for name in _imported_at_once(path)]

    assert not [each for each in found if each.split(": ")[1].split(".")[0] in HEAVY]


def _imported_at_once(path: Path) -> list[str]:
    names = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
    return names
