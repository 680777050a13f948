"""The set-up of .venv on machines that lack something: one sentence that says what to type."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from retention_site.embedded.state import ROOT

#: A Python without ensurepip, as Debian ships it, for somebody who is not root.
BARE_PYTHON = """
import importlib.util, os, runpy, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ensurepip" else found(name, *rest)
os.geteuid = lambda: 1000
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def set_up(root: Path, program: str) -> subprocess.CompletedProcess[str]:
    """What ./rekindle calls, with the arguments that it gives, in an empty checkout."""
    (root / "requirements").mkdir()
    script = ROOT / "retention_site" / "embedded" / "environment.py"
    call = [sys.executable, "-c", program, str(script), str(root), "stamp"]
    return subprocess.run(call, capture_output=True, text=True, timeout=60)


def test_a_missing_venv_module_gets_the_line_that_installs_it(tmp_path: Path) -> None:
    done = set_up(tmp_path, BARE_PYTHON)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Python's venv module is missing. Run: sudo apt-get install -y python3")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()
