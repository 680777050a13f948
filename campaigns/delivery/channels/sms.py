"""Text messages by Twilio: its own client writes the request and reads the answer, over a connection of ours.

As with anymail, what the client leaves open stands here: how far a request had come when it broke, and what an answer allows
the sender to conclude. Twilio knows no idempotency keys: what nobody answered is `unknown`. docs/decisions/0008-….
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import HTTPError

from . import Cause, ChannelUnavailable, Envelope, Outcome, Phase, Reply
from .http_answers import NOT_OUR_ACCOUNT, Patience, hide_numbers, judge_answer, judge_silence
from .http_phases import Progress, connect_ahead, follow_requests
from .smtp import decode_answer
from .targets import SMS_HOOK_PATH, SmsTarget, describe_sms_route

API_URL: Final = "https://api.twilio.com"
#: Twilio's codes that concern our sender and not the one message: no such number, not ours, not for this country, no service.
NOT_OUR_SENDER: Final = frozenset({21603, 21606, 21659, 21660, 21661, 21701, 21703, 21704})


class SmsChannel:
    """One kept connection to one account."""

    def __init__(self, target: SmsTarget, *, timeout_s: float) -> None:
        self.target = target
        self.route = describe_sms_route(target)
        self._timeout_s = timeout_s
        self._progress = Progress()
        self._patience = Patience()
        self._client: Any = None

    def ensure_open(self) -> None:
        self._patience.require()
        if self._client is None:
            self._client = self._make_client()
        try:
            connect_ahead(self._session, self.target.api_url or API_URL, timeout_s=self._timeout_s)
        except (HTTPError, OSError) as error:
            self.close()
            raise ChannelUnavailable(Phase.CONNECT, decode_answer(str(error)) or type(error).__name__) from error

    def deliver(self, envelope: Envelope) -> Reply:
        self._progress.phase = Phase.CONNECT
        try:
            self.ensure_open()
            self._client.messages.create(**self._describe(envelope))
            return Reply(Outcome.ACCEPTED, Phase.DOT, 201, "taken")
        except ChannelUnavailable as error:
            return Reply(Outcome.RETRY, Phase.CONNECT, 0, str(error), wait_s=error.wait_s)
        except TwilioRestException as error:
            return self._read_refusal(int(error.status), int(error.code or 0), str(error.msg))
        except requests.TooManyRedirects as error:
            return self._read_refusal(getattr(error.response, "status_code", 300), 0, "a redirect")
        except (requests.RequestException, TwilioException, ValueError, TypeError, KeyError) as error:
            # From the last byte of the request on, also an answer that the client could not read says nothing.
            phase = self._progress.phase
            self.close()
            outcome = judge_silence(has_keys=False) if phase is Phase.DOT else Outcome.RETRY
            return Reply(outcome, phase, 0, hide_numbers(decode_answer(str(error))) or type(error).__name__)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.http_client.session.close()

    @property
    def _session(self) -> requests.Session:
        session: requests.Session = self._client.http_client.session
        return session

    def _make_client(self) -> Any:
        """An empty environment: whose account this is stands in SMS_URL alone."""
        target, http = self.target, _PatientClient(timeout=self._timeout_s, note=self._patience.note)
        follow_requests(http.session, self._progress)
        client = Client(
            target.key or target.account,
            target.secret if target.key else target.token,
            account_sid=target.account,
            http_client=http,
            environment={"": ""},
        )
        if target.api_url:
            client.api.base_url = target.api_url.rstrip("/")
        return client

    def _describe(self, envelope: Envelope) -> dict[str, str]:
        sender = "messaging_service_sid" if self.target.sender.startswith("MG") else "from_"
        told = {"to": envelope.recipient, sender: self.target.sender, "body": envelope.content.decode()}
        if settings.SITE_IS_HTTPS:  # the provider refuses an address that it could not reach
            told["status_callback"] = f"{settings.SITE_URL}{SMS_HOOK_PATH}?message={envelope.name}"
        return told

    def _read_refusal(self, status: int, code: int, text: str) -> Reply:
        said = hide_numbers(decode_answer(f"{code} {text}" if code else text))
        wait_s = self._client.http_client.wait_s if self._client is not None else 0.0
        if status in NOT_OUR_ACCOUNT or code in NOT_OUR_SENDER:
            return Reply(Outcome.RETRY, Phase.DOT, status, said, cause=Cause.LOGIN, wait_s=wait_s)
        return Reply(judge_answer(status, has_keys=False), Phase.DOT, status, said, wait_s=wait_s)


class _PatientClient(TwilioHttpClient):  # type: ignore[misc]
    """The client's transport, which tells what an answer asks for: its exceptions hold no headers."""

    def __init__(self, *, timeout: float, note: Callable[[Mapping[str, str]], float]) -> None:
        super().__init__(timeout=timeout)
        self.wait_s = 0.0
        self._note = note

    def request(self, *args: Any, **options: Any) -> Any:
        self.wait_s = 0.0
        response = super().request(*args, **options)
        self.wait_s = self._note(response.headers)
        return response
