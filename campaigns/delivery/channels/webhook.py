"""A web hook: each message as signed JSON to one address of the shop's choosing (a push service, a gateway, its own app).

Standard Webhooks: `webhook-id` is the message's name, the same on every try, so that a receiver takes it once.
"""

from __future__ import annotations

import time

import requests
from urllib3.exceptions import HTTPError

from customers.outgoing.addresses import is_open
from customers.outgoing.signing import sign

from . import Cause, ChannelUnavailable, Envelope, Outcome, Phase, Reply
from .http_answers import NOT_OUR_ACCOUNT, Patience, judge_answer, judge_silence
from .http_phases import ForbiddenPeer, Guard, Progress, connect_ahead, follow_requests
from .smtp import decode_answer
from .targets import WebhookTarget, describe_webhook_route

#: Of an answer so much is read; a longer one costs the receiver its kept connection.
LONGEST_ANSWER = 8_192
#: The receiver is not there any more (Standard Webhooks), or never was: that is no fault of one message.
NOT_THE_ADDRESS = frozenset({404, 410})


class WebhookChannel:
    """One kept connection to one receiver."""

    def __init__(self, target: WebhookTarget, *, timeout_s: float) -> None:
        self.target = target
        self.route = describe_webhook_route(target)
        self._timeout_s = timeout_s
        self._progress = Progress()
        self._patience = Patience()
        self._session: requests.Session | None = None

    def ensure_open(self) -> None:
        self._patience.require()
        session = self._session or self._make_session()
        try:
            connect_ahead(session, self.target.url, timeout_s=self._timeout_s)
        except ForbiddenPeer as error:
            self.close()
            raise ChannelUnavailable(Phase.CONNECT, str(error), is_final=True) from error
        except (HTTPError, OSError) as error:
            self.close()
            raise ChannelUnavailable(Phase.CONNECT, decode_answer(str(error)) or type(error).__name__) from error

    def deliver(self, envelope: Envelope) -> Reply:
        self._progress.phase = Phase.CONNECT
        try:
            self.ensure_open()
            return self._read_answer(self._post(envelope))
        except ChannelUnavailable as error:
            return Reply(Outcome.RETRY, Phase.CONNECT, 0, str(error), wait_s=error.wait_s)
        except (requests.RequestException, HTTPError, OSError) as error:
            phase = self._progress.phase
            self.close()
            silent = judge_silence(has_keys=self.route.has_keys) if phase is Phase.DOT else Outcome.RETRY
            return Reply(silent, phase, 0, decode_answer(str(error)) or type(error).__name__)
        except ValueError as error:
            return Reply(Outcome.FAILED, Phase.CONNECT, 0, decode_answer(str(error)))

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _make_session(self) -> requests.Session:
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and the address that the guard looks at, no netrc
        follow_requests(self._session, self._progress, make_guard(self.target))
        return self._session

    def _post(self, envelope: Envelope) -> requests.Response:
        assert self._session is not None
        headers = sign(envelope.name, int(time.time()), envelope.content, self.target.secret)
        headers |= {
            "Idempotency-Key": envelope.name,
            "Content-Type": "application/json",
            "User-Agent": "Rekindle",
            "Accept-Encoding": "identity",
        }
        try:
            return self._session.post(
                self.target.url, data=envelope.content, headers=headers, timeout=self._timeout_s, allow_redirects=False,
                stream=True,
            )  # fmt: skip
        except requests.TooManyRedirects as error:
            if error.response is None:
                raise
            return error.response

    def _read_answer(self, response: requests.Response) -> Reply:
        code = response.status_code
        wait_s = self._patience.note(response.headers)
        text = self._read_text(response)
        if 200 <= code <= 299:
            return Reply(Outcome.ACCEPTED, Phase.DOT, code, "taken")
        if code in NOT_OUR_ACCOUNT | NOT_THE_ADDRESS:
            return Reply(Outcome.RETRY, Phase.DOT, code, text, cause=Cause.LOGIN, wait_s=wait_s)
        outcome = judge_answer(code, has_keys=self.route.has_keys)
        if code == 409 and self.route.has_keys:
            outcome = Outcome.REPEAT  # it is still at work on the first request under this key
        return Reply(outcome, Phase.DOT, code, text, wait_s=wait_s)

    def _read_text(self, response: requests.Response) -> str:
        """The status settles it: what goes wrong with the rest of the answer, or how long it lasts, no longer matters."""
        raw, end = b"", time.monotonic() + self._timeout_s
        try:
            while len(raw) <= LONGEST_ANSWER and time.monotonic() < end:
                piece = response.raw.read1(LONGEST_ANSWER)
                if not piece:
                    break
                raw += piece
            else:
                self.close()
        except (HTTPError, OSError):
            self.close()
        return decode_answer(raw[:2_000])


def make_guard(target: WebhookTarget) -> Guard:
    """Refuses every machine inside the house: what a name resolves to is in nobody's hand but its owner's."""

    def look(address: str) -> None:
        if target.may_be_internal or is_open(address, may_be_loopback=target.may_be_loopback):
            return
        raise ForbiddenPeer("the address leads into an internal network")

    return look
