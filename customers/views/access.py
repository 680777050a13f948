"""Who asks, and the way an action's outcome reaches a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest


def current_user(request: HttpRequest) -> User:
    """The person; the log-in middleware lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def act_and_tell(request: HttpRequest, action: Callable[[], Any], done: str | Callable[[], str]) -> None:
    """Do one thing and have the next page say that it is done; what staff must mend first becomes sentences there."""
    try:
        action()
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, done() if callable(done) else done)
