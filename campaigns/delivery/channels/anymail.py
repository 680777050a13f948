"""Providers with an HTTP API (SES by SMTP, the others here), spoken by django-anymail over one kept connection.

anymail turns a letter into the provider's own JSON and reads its answer. Here stands what it leaves to its caller: how far a
request had come when it broke, the idempotency key, and what an answer allows the sender to conclude.
"""

from __future__ import annotations

import email.utils
import hashlib
from typing import Any

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from urllib3.exceptions import HTTPError

from . import Cause, ChannelUnavailable, Envelope, Letter, Outcome, Phase, Reply, Route
from .http_answers import NOT_OUR_ACCOUNT, Patience, judge_answer, judge_silence
from .http_phases import Progress, connect_ahead, follow_requests
from .providers import PROVIDERS, Provider
from .refusals import find_cause
from .smtp import decode_answer

#: Under this name a provider keeps the message's name beside it, and tells it with each event.
METADATA_KEY = "rekindle"


class AnymailChannel:
    """One kept connection to one provider."""

    def __init__(self, name: str, *, timeout_s: float) -> None:
        self.provider: Provider = PROVIDERS[name]
        self.route = describe_route(name)
        self._timeout_s = timeout_s
        self._progress = Progress()
        self._backend: Any = None
        self._patience = Patience()

    def ensure_open(self) -> None:
        """Connect, unless a kept connection is still there. Raises ChannelUnavailable, too where the provider asked us to
        wait."""
        self._patience.require()
        if self._backend is None:
            backend = import_string(f"anymail.backends.{self.provider.module}.EmailBackend")
            self._backend = backend(timeout=self._timeout_s)
            self._backend.open()
            follow_requests(self._backend.session, self._progress)
        try:
            connect_ahead(self._backend.session, self._backend.api_url, timeout_s=self._timeout_s)
        except (HTTPError, OSError) as error:
            self.close()
            raise ChannelUnavailable(Phase.CONNECT, decode_answer(str(error)) or type(error).__name__) from error

    def deliver(self, envelope: Envelope) -> Reply:
        self._progress.phase = Phase.CONNECT
        try:
            self.ensure_open()
            message = self._make_message(envelope)
            self._backend.send_messages([message])
            return Reply(Outcome.ACCEPTED, Phase.DOT, _code_of(message.anymail_status.esp_response), "taken")
        except ChannelUnavailable as error:
            return Reply(Outcome.RETRY, Phase.CONNECT, 0, str(error), wait_s=error.wait_s)
        except AnymailRecipientsRefused as error:
            return Reply(Outcome.FAILED, Phase.DOT, _code_of(error.response), "the provider refuses the recipient")
        except (AnymailAPIError, requests.RequestException) as error:
            return self._read_failure(error)
        except (AnymailError, ValueError, TypeError) as error:
            # Made by anymail before it asked anybody: something in the letter that this provider cannot carry.
            return Reply(Outcome.FAILED, Phase.CONNECT, 0, decode_answer(str(error)))

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    def _make_message(self, envelope: Envelope) -> Any:
        letter = envelope.letter or Letter("", envelope.sender, "", "", "")
        headers = dict(letter.headers)
        if self.provider.key_header and self.provider.is_key_in_message:
            headers[self.provider.key_header] = envelope.name
        elif self.provider.key_header:
            self._backend.session.headers[self.provider.key_header] = envelope.name
        message = EmailMultiAlternatives(
            letter.subject,
            letter.text,
            email.utils.formataddr((letter.sender_name, letter.sender)) if letter.sender_name else letter.sender,
            [envelope.recipient],
            headers=headers,
            reply_to=[letter.sender],
        )
        message.attach_alternative(letter.html, "text/html")
        parts: Any = message  # anymail reads what it knows beyond Django from attributes
        parts.metadata = {METADATA_KEY: envelope.name}
        return parts

    def _read_failure(self, error: Exception) -> Reply:
        """An answer that is no yes, or none."""
        response = getattr(error, "response", None)
        if response is None:  # anymail wraps it where requests stopped by itself, as at a redirect
            response = getattr(error.__cause__, "response", None)
        phase = self._progress.phase
        if response is None:
            self.close()
            outcome = judge_silence(has_keys=self.route.has_keys) if phase is Phase.DOT else Outcome.RETRY
            return Reply(outcome, phase, 0, decode_answer(str(error.__cause__ or error)))
        code, text = _code_of(response), decode_answer(response.text[:2000])
        cause = Cause.LOGIN if code in NOT_OUR_ACCOUNT else find_cause(code, text)
        wait_s = self._patience.note(response.headers)
        return Reply(self._judge(code, text), Phase.DOT, code, text, cause=cause, wait_s=wait_s)

    def _judge(self, code: int, text: str) -> Outcome:
        if code == 409 and self.route.has_keys:
            # The first request under this key is still being worked on; or it held another text, and was taken or not.
            return Outcome.UNKNOWN if "invalid_idempotent" in text else Outcome.REPEAT
        return judge_answer(code, has_keys=self.route.has_keys)


def describe_route(name: str) -> Route:
    """The door of a provider and account: another account does not know the keys that this one was given."""
    provider = PROVIDERS[name]
    secret = str(settings.ANYMAIL.get(f"{provider.prefix}_{provider.key}", ""))
    return Route(f"{name}/{hashlib.sha256(secret.encode()).hexdigest()[:8]}", provider.key_window_s)


def _code_of(response: Any) -> int:
    return int(getattr(response, "status_code", 0) or 0)
