"""Reads requests of Segment's clients: the calls that are good, and what is wrong with the others."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from customers.api.event_items import EARLIEST, FUTURE_TOLERANCE, NO_NUL

from .clocks import NO_LEAD, find_lead

MAX_CALLS = 1_000
VERBS = ("identify", "track", "page", "screen", "group", "alias")

Name = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, max_length=120, pattern=NO_NUL)]
#: Ids are often numbers in JSON.
Id = Annotated[Name, pydantic.BeforeValidator(lambda value: str(value) if type(value) is int else value)]
Object = Annotated[dict[str, Any], pydantic.BeforeValidator(lambda value: {} if value is None else value)]


class Call(pydantic.BaseModel):
    """One call, in Segment's words. Fields that we do not know are passed over, as its servers do."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    type: Literal["identify", "track", "page", "screen", "group", "alias"]
    messageId: Annotated[str, pydantic.StringConstraints(max_length=160, pattern=NO_NUL)] = ""
    userId: Id | None = None
    anonymousId: Id | None = None
    previousId: Id | None = None
    groupId: Id | None = None
    event: Annotated[str, pydantic.StringConstraints(max_length=250, pattern=NO_NUL)] | None = None
    name: Annotated[str, pydantic.StringConstraints(max_length=250, pattern=NO_NUL)] | None = None
    properties: Object = {}
    traits: Object = {}
    timestamp: dt.datetime | None = None

    @pydantic.model_validator(mode="after")
    def _has_what_its_verb_needs(self) -> Call:
        if not (self.userId or self.anonymousId):
            raise ValueError("give userId or anonymousId")
        if self.type == "track" and not self.event:
            raise ValueError("a track call needs its event")
        if self.type == "alias" and not (self.previousId and self.userId):
            raise ValueError("an alias call needs previousId and userId")
        return self


@dataclass(frozen=True)
class Fault:
    """Why a call could not be kept; `index` is its place in the request."""

    index: int
    path: str
    message: str


@dataclass(frozen=True)
class Received:
    """A good call, its place, when it happened (UTC) and the id that makes it one call however often it comes.

    `is_set_right`: the clock that said when was ahead, and `at` is by ours.
    """

    index: int
    call: Call
    at: dt.datetime
    key: str
    is_set_right: bool = False


def read_calls(body: bytes, verb: str, now: dt.datetime) -> tuple[list[Received], list[Fault]]:
    """The calls of a request: one for a verb, up to 1,000 for "batch". Raises ParseError for a body that holds none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError(_("This is no JSON: %(reason)s") % {"reason": str(error)[:100]}) from error
    if not isinstance(data, dict):
        raise ParseError(_("This has to be a JSON object."))
    if verb != "batch":
        return _check([{**data, "type": verb}], now)
    calls = data.get("batch")
    if not isinstance(calls, list) or not 1 <= len(calls) <= MAX_CALLS:
        raise ParseError(_("“batch” has to be a list of 1 to %(most)d calls.") % {"most": MAX_CALLS})
    return _check(calls, now, find_lead(data, now))


def _check(raw: list[Any], now: dt.datetime, lead: dt.timedelta = NO_LEAD) -> tuple[list[Received], list[Fault]]:
    good: list[Received] = []
    faults: list[Fault] = []
    for index, given in enumerate(raw):
        try:
            call = Call.model_validate(given)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            faults.append(Fault(index, ".".join(map(str, first["loc"])), str(first["msg"])))
            continue
        ahead = (find_lead(given, now) or lead) if call.timestamp else NO_LEAD
        at = (_to_utc(call.timestamp) or now) - ahead
        if EARLIEST <= at <= now + FUTURE_TOLERANCE:
            good.append(Received(index, call, at, call.messageId or _digest(given), bool(ahead)))
        else:
            faults.append(Fault(index, "timestamp", _("The time has to lie between 1990 and tomorrow.")))
    return good, faults


def _to_utc(at: dt.datetime | None) -> dt.datetime | None:
    """Segment's times without an offset are UTC."""
    if at is None:
        return None
    try:
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _digest(given: Any) -> str:
    """For a call without messageId: the same call has the same one."""
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()
