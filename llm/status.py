"""Is a model connected, does it answer, and is there one on this machine that could be used?"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException

from django.utils.translation import gettext as _

from llm.client import complete
from llm.configuration import ModelInfo, configured_model
from llm.errors import ModelError
from llm.prompts import Prompt, register_prompt

__all__ = ["ConnectionCheck", "LocalServer", "ModelInfo", "configured_model", "find_local_servers", "try_connection"]

# Ollama, LM Studio, llama.cpp, vLLM.
USUAL_PORTS = (11434, 1234, 8080, 8000)
LONGEST_PROBE_S = 0.7
LARGEST_LIST_BYTES = 200_000
MOST_MODELS_SHOWN = 50

CHECK_PROMPT = register_prompt(
    Prompt(
        name="llm.connection_check",
        version="1",
        system="You check whether a connection works. Answer with JSON only.",
        user='Answer with {"word": "..."}, where the word is any one word of the language that is given here.',
        variables=("language",),
        schema={
            "type": "object",
            "properties": {"word": {"type": "string", "minLength": 1, "maxLength": 60}},
            "required": ["word"],
            "additionalProperties": False,
        },
        max_tokens=40,
        temperature=0.0,
    )
)


@dataclass(frozen=True)
class ConnectionCheck:
    """What a try of the connection showed, in words for staff."""

    works: bool
    message: str
    mode: str = ""


@dataclass(frozen=True)
class LocalServer:
    """A model server found on this machine; `base_url` is what LLM_BASE_URL would be."""

    base_url: str
    models: tuple[str, ...]


def try_connection(now: datetime, *, timeout_s: float | None = None) -> ConnectionCheck:
    """Ask the configured model for one word. Counts against the caps and stands in the ledger like any call."""
    try:
        done = complete(CHECK_PROMPT, {"language": "English"}, purpose="connection_check", now=now, timeout_s=timeout_s)
    except ModelError as error:
        return ConnectionCheck(works=False, message=error.staff_message)
    return ConnectionCheck(works=True, message=_("%(label)s answered.") % {"label": done.label}, mode=done.mode)


def find_local_servers(ports: Iterable[int] = USUAL_PORTS) -> tuple[LocalServer, ...]:
    """Servers on loopback that list models at /v1/models, in the order of the ports. Takes about a second at most;
    follows no redirect, uses no proxy and sends nothing but the question."""
    wanted = tuple(ports)
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
    return LocalServer(f"http://127.0.0.1:{port}/v1", tuple(names[:MOST_MODELS_SHOWN])) if names else None
