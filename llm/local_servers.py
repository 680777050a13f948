"""Finds model servers on this machine, to be offered and never used silently. Needs no Django."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

USUAL_PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}
LONGEST_PROBE_S = 0.7
LARGEST_LIST_BYTES = 200_000
MOST_MODELS_SHOWN = 50


@dataclass(frozen=True)
class LocalServer:
    """A model server found on this machine; `base_url` is what LLM_BASE_URL would be, `models` what it offers."""

    name: str
    base_url: str
    models: tuple[str, ...]

    @property
    def offer(self) -> str:
        """What to set so that drafts come from it."""
        return f"LLM_BASE_URL={self.base_url} LLM_MODEL={self.models[0]} LLM_API_KEY=none"


def find_local_servers(ports: Iterable[int] = USUAL_PORTS, *, skip_port: int | None = None) -> tuple[LocalServer, ...]:
    """Servers on loopback that list models at /v1/models, in the order of the ports; `skip_port` is our own web port.

    Asks all ports at once, follows no redirect, uses no proxy and sends nothing but the question.
    """
    wanted = tuple(port for port in ports if port != skip_port)
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        found = pool.map(_probe_port, wanted)
    return tuple(server for server in found if server)


def _probe_port(port: int) -> LocalServer | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=LONGEST_PROBE_S)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        response = connection.getresponse()
        listed = json.loads(response.read(LARGEST_LIST_BYTES)) if response.status == 200 else None
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    entries = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        return None
    names = [str(entry["id"])[:200] for entry in entries if isinstance(entry, dict) and entry.get("id")]
    name = USUAL_PORTS.get(port, "Model server")
    return LocalServer(name, f"http://127.0.0.1:{port}/v1", tuple(names[:MOST_MODELS_SHOWN])) if names else None
