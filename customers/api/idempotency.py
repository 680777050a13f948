"""`Idempotency-Key`: the same POST sent again gets the same answer, and nothing is done twice.

The rules are those that integrators know from Stripe: up to 255 characters; an answer is kept for a day; the key with another
request is 422, the key while the first request is still being worked on 409. Answers of 400 (a body
that does not hold), 401, 403, 413, 429 and 5xx are not kept, because nothing was done: then the same key tries again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from customers.api.authentication import is_key_valid
from customers.models import KeptAnswer
from customers.models.api_key import KEPT_FOR

#: How long a request may be worked on before the same key may try again: the worker may have died.
LEASE_S = 120
LONGEST_KEY = 255
PATHS = ("/api/v1/", "/v1/")
#: An attribute of an answer: the text that is kept in its place, because a secret in it is shown once and stored nowhere.
KEPT_INSTEAD = "kept_instead"
NOT_KEPT = {400, 401, 403, 413, 429}


class IdempotencyMiddleware:
    """Looks up, runs and keeps. Requests without the header, and those of nobody, pass untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key, actor = request.headers.get("Idempotency-Key", ""), _name_actor(request)
        if request.method != "POST" or not key or not actor or not request.path_info.startswith(PATHS):
            return self.get_response(request)
        if len(key) > LONGEST_KEY or not key.isprintable():
            return _refuse(
                400, _("An Idempotency-Key has up to %(most)d printable characters.") % {"most": LONGEST_KEY}
            )
        try:
            request_hash = _hash_request(request)
        except (RequestDataTooBig, UnreadablePostError):
            return self.get_response(request)  # whoever reads the body says what is wrong with it
        if not _claim(actor, key, request_hash):
            again = _answer_again(actor, key, request_hash)
            given = request.headers.get("Authorization", "")
            is_told = "Idempotent-Replayed" not in again or not given or is_key_valid(given)
            return again if is_told else self.get_response(request)  # a key that has ended hears that, and nothing else
        return self._run(request, actor, key)

    def _run(self, request: HttpRequest, actor: str, key: str) -> HttpResponse:
        mine = KeptAnswer.objects.filter(actor=actor, key=key, status=None)
        try:
            response = self.get_response(request)
        except BaseException:
            mine.delete()
            raise
        if response.status_code in NOT_KEPT or response.status_code >= 500 or response.streaming:
            mine.delete()
        else:
            kept = getattr(response, KEPT_INSTEAD, None) or response.content.decode()
            mine.update(status=response.status_code, body=kept)
        return response


def _name_actor(request: HttpRequest) -> str:
    """Who asks, as a hash: the key of an integration, or the person who is logged in."""
    given = request.headers.get("Authorization", "")
    if not given and request.user.is_authenticated:
        given = f"user {request.user.pk}"
    return hashlib.sha256(given.encode()).hexdigest() if given else ""


def _hash_request(request: HttpRequest) -> str:
    asked = f"{request.method} {request.get_full_path()}\n{request.content_type}\n".encode()
    return hashlib.sha256(asked + request.body).hexdigest()


def _claim(actor: str, key: str, request_hash: str) -> bool:
    """Whether this request is the first under its key, or the one that may try where the first died."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_keptanswer AS kept (actor, key, request_hash, lease_until)
            VALUES (%(actor)s, %(key)s, %(hash)s, clock_timestamp() + make_interval(secs => %(lease)s))
            ON CONFLICT (actor, key) DO UPDATE
              SET request_hash = EXCLUDED.request_hash, lease_until = EXCLUDED.lease_until, status = NULL, body = '',
                  begun_at = clock_timestamp()
              WHERE kept.begun_at < clock_timestamp() - make_interval(secs => %(kept_for)s)
                 OR kept.status IS NULL AND kept.lease_until < clock_timestamp()
                    AND kept.request_hash = EXCLUDED.request_hash
            """,
            {"actor": actor, "key": key, "hash": request_hash, "lease": LEASE_S, "kept_for": KEPT_FOR.total_seconds()},
        )
        return bool(cursor.rowcount)


def _answer_again(actor: str, key: str, request_hash: str) -> HttpResponse:
    kept = KeptAnswer.objects.filter(actor=actor, key=key).first()
    if kept is not None and kept.request_hash != request_hash:
        return _refuse(422, _("This Idempotency-Key was used for another request. Choose a new one for each."))
    if kept is None or kept.status is None:
        answer = _refuse(
            409, _("The request with this Idempotency-Key is still being worked on. Ask again in a moment.")
        )
        answer["Retry-After"] = "1"
        return answer
    answer = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    answer["Idempotent-Replayed"] = "true"
    return answer


def _refuse(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence, "code": "idempotency", "message": sentence}, status=status)
