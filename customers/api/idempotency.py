"""`Idempotency-Key`: the same POST sent again gets the same answer, and nothing is done twice.

The rules are those that integrators know from Stripe: up to 255 characters; an answer is kept for a day; the key with another
request is 422, the key while the first request is still being worked on 409. Answers of 400 (a body
that does not hold), 401, 403, 413, 429 and 5xx are not kept, because nothing was done: then the same key tries again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from django.utils.translation import gettext as _

from customers.models import KeptAnswer
from customers.models.api_key import KEPT_FOR

#: How long a request may be worked on before the same key may try again: the worker may have died.
LEASE_S = 120
LONGEST_KEY = 255
PATHS = ("/api/v1/", "/v1/")
#: An attribute of an answer: the text that is kept in its place, because a secret in it is shown once and stored nowhere.
KEPT_INSTEAD = "kept_instead"
#: The header that marks an answer of before.
REPLAYED = "Idempotent-Replayed"
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
        if _claim(actor, key, request_hash):
            return self._run(request, actor, key)
        answer = _answer_again(actor, key, request_hash)
        return _give_again(request, answer) if REPLAYED in answer else answer

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
    answer[REPLAYED] = "true"
    return answer


def _give_again(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The kept answer, where the view would still let in who asks: a key that was ended since, a right that was lost or too many
    requests are answered as ever. The view itself is not run."""
    found = resolve(request.path_info)
    made: Any = found.func  # what as_view() of the framework made
    view = made.cls(**made.initkwargs)
    if actions := getattr(made, "actions", None):
        view.action_map = actions
    view.setup(request, *found.args, **found.kwargs)
    view.post = lambda *_args, **_kwargs: answer
    response: HttpResponse = view.dispatch(request, *found.args, **found.kwargs)
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    return response


def _refuse(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence, "code": "idempotency", "message": sentence}, status=status)
