"""A receiver, an endpoint that leads to it, and a clock that tests turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from customers.models import OutgoingEndpoint, OutgoingKind
from customers.outgoing.endpoints import add_endpoint

from .receiver import Receiver


@dataclass
class Clock:
    """Says what time it is; `turn` moves it on."""

    now: dt.datetime = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def turn(self, **parts: float) -> dt.datetime:
        self.now += dt.timedelta(**parts)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def endpoint(site_admin: User, receiver: Receiver, settings: Settings) -> OutgoingEndpoint:
    settings.OUTGOING_MAY_BE_LOOPBACK = True
    return add_endpoint(site_admin, receiver.url, OutgoingKind.values, note="warehouse")
