"""`.env.example` lists every setting that the code reads, and nothing that it does not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from retention_site.embedded.state import ROOT

#: What our own programs hand to each other, and the system's own; nobody sets these for Rekindle.
INTERNAL = {"DJANGO_SETTINGS_MODULE", "LD_LIBRARY_PATH", "OMP_WAIT_POLICY", "PYTEST_XDIST_WORKER", "PYTHONPATH"}
#: Names made of parts, which no reading of the source finds.
MADE_OF_PARTS = {"REKINDLE_TEST_DATABASE_URL", "REKINDLE_TEST_REDIS_URL"}
ENVIRONMENTS = {"env", "environ", "environment", "read_environment"}


def names_read(source: str) -> Iterator[str]:
    """Names looked up in an environment: env["X"], env.get("X"), read_number("X", …), "X" in env."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and is_environment(node.value):
            yield from constant(node.slice)
        elif isinstance(node, ast.Call) and node.args and is_reader(node.func):
            yield from constant(node.args[0])
        elif isinstance(node, ast.Compare) and is_environment(node.comparators[0]):
            yield from constant(node.left)


def is_reader(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "get" and is_environment(function.value)
    return isinstance(function, ast.Name) and function.id.startswith("read_")


def is_environment(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in ENVIRONMENTS


def constant(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", node.value):
        yield node.value


def code_files() -> list[Path]:
    return [
        path
        for app in ("retention_site", "campaigns", "support", "customers", "llm")
        for path in (ROOT / app).rglob("*.py")
    ]


def test_every_setting_that_is_read_is_listed_and_no_other() -> None:
    read = {name for path in code_files() for name in names_read(path.read_text(encoding="utf-8"))}
    listed = set(
        re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert {"DATABASE_URL", "SHOP_NAME", "WEB_CONCURRENCY", "POSTGRES_BIN"} <= read  # the reading itself works
    assert read - INTERNAL - listed == set(), "read, but not in .env.example"
    assert listed - read - MADE_OF_PARTS == set(), "in .env.example, but read nowhere"


def test_every_setting_is_explained() -> None:
    """A block of names follows a line of words."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#[A-Z][A-Z0-9_]+=", line):
            above = next(text for text in reversed(lines[:number]) if not re.match(r"#[A-Z][A-Z0-9_]+=", text))
            assert above.startswith("# ") and not above.startswith("# ---"), line
