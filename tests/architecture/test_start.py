"""What every process of Rekindle pays for at its start, and what only those pay for that use it."""

from __future__ import annotations

import os
import subprocess
import sys

from retention_site.embedded.state import ROOT

#: Libraries that cost more than the rest of a start together; who needs one imports it where it is used.
IMPORTED_LATE = {"openai", "xgboost", "sklearn", "scipy"}


def test_a_start_imports_no_heavy_library_that_few_processes_use() -> None:
    program = (
        "import django, sys; django.setup();"
        " import retention_site.urls;"
        f" print(*sorted({IMPORTED_LATE} & set(sys.modules)))"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "retention_site.settings",
        "SECRET_KEY": "x",
        "DATABASE_URL": "postgresql://postgres@/none?host=/nonexistent",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
