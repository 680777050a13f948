"""Is a model connected, does it answer, and is there one on this machine that could be used?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from llm.client import complete
from llm.configuration import ModelInfo, configured_model
from llm.errors import ModelError
from llm.local_servers import LocalServer, find_local_servers
from llm.models import LlmCall
from llm.prompts import Prompt, register_prompt

__all__ = ["ConnectionCheck", "LocalServer", "ModelInfo", "configured_model", "find_local_servers", "try_connection"]

CHECK_PURPOSE = "connection_check"
SECONDS_BETWEEN_TRIES = 10

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
    latency_ms: int | None = None


def try_connection(now: datetime, *, timeout_s: float | None = None) -> ConnectionCheck:
    """Ask the configured model for one word. Counts against the caps and stands in the ledger like any call."""
    try:
        done = complete(
            CHECK_PROMPT,
            {"language": "English"},
            purpose=CHECK_PURPOSE,
            now=now,
            timeout_s=timeout_s,
            despite_pause=True,
        )
    except ModelError as error:
        return ConnectionCheck(works=False, message=error.staff_message)
    call = LlmCall.objects.get(request_id=done.call_id)
    words = {"label": done.label, "seconds": round((call.latency_ms or 0) / 1000, 1), "how": call.get_mode_display()}
    message = _("%(label)s answered in %(seconds)s seconds. How it was asked: %(how)s.") % words
    return ConnectionCheck(works=True, message=message, mode=done.mode, latency_ms=call.latency_ms)


def was_just_tried(now: datetime) -> bool:
    """Somebody tried the connection within the last `SECONDS_BETWEEN_TRIES`."""
    since = now - timedelta(seconds=SECONDS_BETWEEN_TRIES)
    return LlmCall.objects.filter(purpose=CHECK_PURPOSE, created_at__gt=since).exists()
