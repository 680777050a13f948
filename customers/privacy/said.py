"""What stands in WISHES_FILE behind a place: of everything the last word."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings

from customers.ingest.preferences import FIELDS, OBJECTION
from customers.models import Suppression

log = structlog.get_logger(__name__)

#: What people choose for themselves and stands here; an objection to profiling stands with the erasures.
CHOSEN: Final = FIELDS - {OBJECTION} | {"language"}


@dataclass(frozen=True)
class Answer:
    """What a person said last on a channel. `number` is that of their row at the time."""

    number: int
    moment: dt.datetime
    is_given: bool


@dataclass(frozen=True)
class Choice:
    """What a person chose last for one field, as JSON."""

    number: int
    moment: dt.datetime
    value: Any


@dataclass
class Said:
    """The last word on each address, with its reason ("" where it was lifted), on each domain (whether it is suppressed), on each
    (hash of an identity, channel) and (hash, field).

    The last by `at`, and by the place in the file where two have the same or none. Of answers the newest moment counts, as in the
    database.
    """

    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    domains: dict[tuple[str, bool], bool] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    choices: dict[tuple[str, str], Choice] = field(default_factory=dict)
    _said_at: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any]) -> None:
        """Raises ValueError, TypeError, KeyError or AttributeError for a line that is none of ours."""
        at = str(line.get("at", ""))
        for name in ("suppressed", "lifted"):
            for channel, hashed in line.get(name, ()):
                reason = str(Suppression.Reason(line["reason"])) if name == "suppressed" else ""
                if self._is_last(("address", channel, hashed), at):
                    self.addresses[str(channel), str(hashed)] = reason
        for name in ("domains", "domains_lifted"):
            for domain, is_below in line.get(name, ()):
                if self._is_last(("domain", domain, is_below), at):
                    self.domains[str(domain), bool(is_below)] = name == "domains"
        for number, hashed, channel, moment in line.get("answers", ()):
            answer = Answer(int(number), dt.datetime.fromisoformat(moment), bool(line["is_given"]))
            known = self.answers.get((hashed, channel))
            if known is None or known.moment <= answer.moment:
                self.answers[str(hashed), str(channel)] = answer
        for number, hashed, name, value, moment in line.get("chose", ()):
            if name in CHOSEN and self._is_last(("choice", hashed, name), at):
                self.choices[str(hashed), str(name)] = Choice(int(number), dt.datetime.fromisoformat(moment), value)

    def _is_last(self, key: tuple[Any, ...], at: str) -> bool:
        if at < self._said_at.get(key, ""):
            return False
        self._said_at[key] = at
        return True


def read_behind(position: int) -> tuple[Said, int]:
    """What stands behind the place, in bytes, and where the last whole line ends. All of a file that is shorter: it is another
    one."""
    said, path = Said(), Path(settings.WISHES_FILE)
    if not path.exists():
        return said, 0
    with path.open("rb") as file:
        is_other = path.stat().st_size < position
        file.seek(0 if is_other else position)
        end = file.tell()
        for raw in file:
            if not raw.endswith(b"\n"):  # being written, or cut off by a crash
                break
            end += len(raw)
            try:
                said.add(json.loads(raw))
            except (ValueError, TypeError, KeyError, AttributeError):
                log.warning("wish_line_unreadable")
    return said, end
