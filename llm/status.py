"""Is a model connected, does it answer, and is there one on this machine that could be used?"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from llm.client import complete
from llm.configuration import ModelInfo, configured_model
from llm.errors import ModelError
from llm.local_servers import LocalServer, find_local_servers
from llm.prompts import Prompt, register_prompt

__all__ = ["ConnectionCheck", "LocalServer", "ModelInfo", "configured_model", "find_local_servers", "try_connection"]

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


def try_connection(now: datetime, *, timeout_s: float | None = None) -> ConnectionCheck:
    """Ask the configured model for one word. Counts against the caps and stands in the ledger like any call."""
    try:
        done = complete(
            CHECK_PROMPT,
            {"language": "English"},
            purpose="connection_check",
            now=now,
            timeout_s=timeout_s,
            despite_pause=True,
        )
    except ModelError as error:
        return ConnectionCheck(works=False, message=error.staff_message)
    return ConnectionCheck(works=True, message=_("%(label)s answered.") % {"label": done.label}, mode=done.mode)
