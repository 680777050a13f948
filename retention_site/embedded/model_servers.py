"""Language-model servers of the user's own that answer on this machine: found and offered, never used silently."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

USUAL_PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}


@dataclass(frozen=True)
class ModelServer:
    """An OpenAI-compatible server on loopback and the first model that it names."""

    name: str
    base_url: str
    model: str

    @property
    def offer(self) -> str:
        return f"LLM_BASE_URL={self.base_url} LLM_MODEL={self.model} LLM_API_KEY=none"


def find_model_servers(skip_port: int, ports: Iterable[int] = USUAL_PORTS) -> list[ModelServer]:
    """Ask the usual ports, half a second each, all at once; `skip_port` is our own web port."""
    asked = [port for port in ports if port != skip_port]
    with ThreadPoolExecutor(len(asked) or 1) as pool:
        return [server for server in pool.map(_ask, asked) if server is not None]


def _ask(port: int) -> ModelServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    # No proxy: the question is whether somebody answers on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base_url}/models", timeout=0.5) as answer:
            models = json.loads(answer.read(1_000_000))["data"]
        model = str(models[0]["id"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return ModelServer(USUAL_PORTS.get(port, "a server"), base_url, model)
