"""Celery's pool and gunicorn fork after everything is imported: a pool of threads that an import starts is dead in the
children, and whoever waits for it waits for ever."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

PROGRAM = """
import importlib, pathlib
import django
django.setup()
from django.conf import settings
from retention_site.celery import app
app.loader.import_default_modules()
importlib.import_module(settings.ROOT_URLCONF)
for name in pathlib.Path("/proc/self/task").glob("*/comm"):
    print(name.read_text().strip())
"""
#: Polars' pool for work on frames, its pool for files, and those of the libraries of linear algebra.
POOLS = ("polars-0", "tokio", "rayon", "openblas", "OMP")


def test_imports_start_no_pool_of_threads() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )

    threads = ran.stdout.split("\n")
    assert threads
    assert not [name for name in threads if name.startswith(POOLS)]
