"""What every process of Rekindle pays for at its start, and what only those pay for that use it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from retention_site.embedded.state import ROOT

#: Libraries that cost more than the rest of a start together; who needs one imports it where it is used.
IMPORTED_LATE = {"openai", "xgboost", "sklearn", "scipy", "torch"}


def find_imported(program: str, wanted: set[str]) -> set[str]:
    """Which of `wanted` a new process has imported after `program`."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "retention_site.settings",
        "SECRET_KEY": "x",
        "DATABASE_URL": "postgresql://postgres@/none?host=/nonexistent",
        "PYTHONPATH": str(ROOT),
    }
    asked = f"{program}; import sys; print(*(set({sorted(wanted)!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_web_loads_all_views_before_it_forks_and_no_heavy_library() -> None:
    imported = find_imported("import retention_site.wsgi", IMPORTED_LATE | {"retention_site.urls"})
    assert imported == {"retention_site.urls"}


@pytest.mark.parametrize("module", ["commands.run", "commands.manage", "mail_catcher"])
def test_what_only_starts_others_imports_no_framework(module: str) -> None:
    assert find_imported(f"import retention_site.embedded.{module}", {"django", "celery", "structlog"}) == set()


def test_shared_tasks_belong_to_our_celery_application() -> None:
    program = "import django; django.setup(); from celery import current_app; assert current_app.main == 'rekindle'"
    assert find_imported(program, {"retention_site.celery"}) == {"retention_site.celery"}


def test_no_process_looks_for_garbage_at_every_step_of_its_start() -> None:
    asked = "import retention_site, gc; print(gc.get_threshold()[0])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 10_000
