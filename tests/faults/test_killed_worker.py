"""kill -9 of a real Celery worker group in mid-send, at a provider that knows what it was given: nothing even in doubt."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .workers import ROOT


@pytest.mark.slow
def test_a_worker_killed_in_mid_send_leaves_no_doubt_at_a_provider_with_keys() -> None:
    options = ["--provider", "--messages", "400", "--kills", "1", "--flushes", "0", "--restarts", "0"]
    command = [sys.executable, "-m", "tests.faults.run", *options]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["doubled"], figures["lost"], figures["unknown"], figures["provider"]) == (0, 0, 0, "resend")
