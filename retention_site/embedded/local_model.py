"""A small language model on this machine: llama.cpp's own HTTP server in a process of its own.

`python -m retention_site.embedded.local_model MODEL --port N`
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .engines import Engines
from .model_weights import KNOWN, Say, ensure_model
from .process import Engine, EngineError, find_in_wheel
from .state import ROOT

__all__ = ["LocalModel", "add_local_model", "ensure_model", "serve_model"]

LABEL = "small local model, limited quality"
SIZES = {"standard": "qwen2.5-1.5b", "small": "qwen2.5-0.5b"}
CONTEXT_TOKENS = 8192


class LocalModel(Engine):
    """Serves one .gguf file on a loopback port that stays the same over a restart."""

    title = "Local model"

    def __init__(self, base: Path, model: Path, *, name: str = "local") -> None:
        super().__init__(base)
        self.model = model
        self.name = name
        self.port = find_free_port()

    @property
    def log(self) -> Path:
        return self.base / "local_model.log"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """What the settings read. A model on two cores writes some ten words a second: it gets more time."""
        return {
            "LLM_BASE_URL": self.base_url,
            "LLM_API_KEY": "none",
            "LLM_MODEL": self.name,
            "LLM_LABEL": LABEL,
            "LLM_TIMEOUT_S": "180",
        }

    def start(self) -> None:
        # Busy-waiting threads make it 3 to 6 times slower when the cores have other work.
        env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}
        if libraries := lend_openmp(self.base / "lib"):
            env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (str(libraries), env.get("LD_LIBRARY_PATH"))))
        module = ["-P", "-m", "retention_site.embedded.local_model"]
        self.spawn([sys.executable, *module, self.model, "--port", str(self.port), "--name", self.name], env=env)
        self.wait_until(self.answers, seconds=180)

    def answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self, seconds: float = 5) -> None:
        super().stop(seconds)


def add_local_model(engines: Engines, size: str, say: Say) -> None:
    """Start the model of `--local-ai[=small]`; without one the shop still starts, and says what is missing."""
    environment = engines.environment
    chosen = environment.get("LOCAL_MODEL_FILE", "")
    name = Path(chosen).stem if chosen else SIZES[size]
    path = Path(chosen) if chosen else ensure_model(name, say)
    if path is None or not path.is_file():
        say("drafts are template text: " + (f"LOCAL_MODEL_FILE={chosen} is no file" if chosen else "no local model"))
        return
    model = LocalModel(engines.state.folder, path, name=name)
    try:
        engines.add(model, say)
    except EngineError as error:
        say(f"drafts are template text: {error}")
        return
    environment.update(model.environment)
    title = KNOWN[name].title if name in KNOWN else path.name
    say(f"drafts come from {title} ({LABEL}) at {model.base_url}")


@contextmanager
def serve_model(path: Path) -> Iterator[str]:
    """The base URL of a server for this file, for the duration; raises EngineError when it does not start."""
    with tempfile.TemporaryDirectory(prefix="rk-model-") as folder:
        model = LocalModel(Path(folder), path)
        model.start()
        try:
            yield model.base_url
        finally:
            model.stop()


def lend_openmp(folder: Path) -> Path | None:
    """A folder with libgomp.so.1 for a machine that lacks it, as a fresh Debian does; None where it is there.

    xllamacpp needs the system's; scikit-learn's wheel carries one under another name, which a link mends.
    """
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        pass
    else:
        return None
    carried = sorted(find_in_wheel("sklearn").parent.glob("*.libs/libgomp*.so*"))
    if sys.platform != "linux" or not carried:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "libgomp.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(carried[0])
    return folder


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def serve(model: Path, port: int, name: str) -> None:
    """Serve until SIGTERM or SIGINT. The server's threads end with the process."""
    import xllamacpp  # only here: the optional package loads 30 MB of native code

    params = xllamacpp.CommonParams()
    params.model.path = os.fspath(model)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 2
    params.cache_ram_mib = 256
    params.ui = False
    server = xllamacpp.Server(params)
    print(f"serving {model.name} at {server.listening_address}", flush=True)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.wait(0.5):
        pass
    sys.stdout.flush()
    os._exit(0)  # native threads may be in the middle of a generation; nothing is kept


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="local_model", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="local")
    options = parser.parse_args(argv)
    try:
        serve(options.model, options.port, options.name)
    except ImportError as error:
        print(f"the package xllamacpp cannot be used ({error}); it is part of the extra local-ai", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
