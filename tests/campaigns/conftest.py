"""The two people of a campaign."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.campaigns.arrange import Cast


@pytest.fixture
def cast(marketer: User, approver: User) -> Cast:
    return Cast(marketer, approver)
