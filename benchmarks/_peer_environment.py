"""The environment in which `bench peers` runs other senders: hash-locked, under var/, never part of Rekindle's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from retention_site.embedded.environment import read_pip_settings
from retention_site.embedded.state import ROOT

LOCK = ROOT / "requirements" / "bench-peers.txt"
FOLDER = ROOT / "var" / "bench-peers"


def make_environment() -> Path:
    """Its Python; made where it is missing or of another lock. Raises CalledProcessError."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".stamp"
    wanted = f"{sys.version}\n{LOCK.read_text()}"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", FOLDER], check=True)
    uv = [os.fspath(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", os.fspath(python)]
    environment = os.environ | read_pip_settings(sys.executable) | {"UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("PYTHONPATH", None)
    subprocess.run([*uv, "--only-binary", ":all:", "--require-hashes", "-r", LOCK], env=environment, check=True)
    stamp.write_text(wanted)
    return python


def read_versions(python: Path) -> dict[str, str]:
    """What is installed there, by name of the package."""
    ask = (
        "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()), sep='\\n')"
    )
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
    return dict(line.lower().replace("_", "-").split("==") for line in said.split())
