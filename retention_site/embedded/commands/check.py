"""`./rekindle check`: everything that can be said of the code without running it, in one go."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retention_site.embedded.process import EngineError
from retention_site.embedded.state import ROOT
from retention_site.embedded.throwaway import throwaway_engines

MANAGE = os.fspath(ROOT / "manage.py")
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


@dataclass(frozen=True)
class Step:
    """Arguments for our Python; exit code 0 means that all is well."""

    title: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def main() -> int:
    """Runs every step, also after one that failed; returns 1 when any failed."""
    with throwaway_engines() as engines:
        environment = os.environ | engines.environment | {"SECRET_KEY": secrets.token_urlsafe(50)}
        failed = [step.title for step in make_steps() if not run_step(step, environment)]
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed")
    return 1 if failed else 0


def make_steps() -> Sequence[Step]:
    """From the quickest to the slowest."""
    return (
        Step("style (ruff check)", ("-m", "ruff", "check", ".")),
        Step("format (ruff format)", ("-m", "ruff", "format", "--check", ".")),
        Step("import contracts (lint-imports)", ("-c", LINT_IMPORTS)),
        Step("message catalogues", ("-m", "retention_site.embedded.commands.catalogues")),
        Step("migrations (makemigrations --check)", (MANAGE, "makemigrations", "--check", "--dry-run")),
        Step(
            "settings for production (check --deploy)",
            (MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
            {"DEBUG": "0", "SITE_URL": "https://shop.example", "ALLOWED_HOSTS": "shop.example"},
        ),
        Step("types (mypy)", ("-m", "mypy")),
    )


def run_step(step: Step, environment: Mapping[str, str]) -> bool:
    """Print one line; when the step fails, also what it said."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *step.arguments],
        cwd=ROOT,
        env={**environment, **step.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    print(f"{'ok    ' if passed else 'FAILED'}  {step.title}  {time.monotonic() - began:.1f} s", flush=True)
    if not passed:
        print(done.stdout.rstrip() + "\n", flush=True)
    return passed


if __name__ == "__main__":
    try:
        if sys.argv[1:]:
            sys.exit("usage: ./rekindle check    (it takes no arguments)")
        sys.exit(main())
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
